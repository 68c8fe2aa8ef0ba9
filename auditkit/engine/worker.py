"""What a worker process does: look at the machine, decode images, obtain weights, work on a unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torchvision

from auditkit.engine import looking
from auditkit.engine.bench import CROP, BenchWork
from auditkit.engine.executors import cores
from auditkit.engine.registry import Registry
from auditkit.engine.unit import run_unit
from auditkit.engine.work import ComponentRef, DeviceWork, FillWork, LookWork, Machine, SpeedWork, UnitWork
from auditkit.events import Send
from auditkit.training import bench as benching
from auditkit.training import images, weights
from auditkit.training.device import (
    DTYPES,
    FLOAT32,
    Compute,
    choose_algorithms,
    choose_device,
    choose_precision,
    device_name,
    free_bytes,
    part_of_a_step,
    times_a_second,
)
from auditkit.training.places import unwritable

_TRIED_BATCH = 64


def describe_machine(item: DeviceWork, send: Send) -> Machine:
    """Say which device "auto", or a device by name, is here. Raises AuditError when it is absent."""
    chosen = choose_device(item.device)
    choose_algorithms(chosen, deterministic=item.deterministic)
    return Machine(
        device=str(chosen),
        device_name=device_name(chosen),
        free_bytes=free_bytes(chosen),
        precision=choose_precision("auto", chosen),
        cores=cores(),
        torch=str(torch.__version__),  # as it is, it takes torch to be unpickled, which the parent would import
        torchvision=torchvision.__version__,
    )


def speed(item: SpeedWork, send: Send) -> float:
    """How many times a second this process does part of a training step."""
    cpu = torch.device("cpu")
    Compute(cpu, item.precision, item.threads).set_up()
    work = part_of_a_step(cpu, DTYPES[item.precision], batch=_TRIED_BATCH)
    work()
    return times_a_second(work, item.seconds, cpu)


def fill(item: FillWork, send: Send) -> list[tuple[int, str]]:
    """Decode images into the cache; returns (row, what is wrong) for those that cannot be read.

    Raises AuditError when the cache cannot be written to.
    """
    Compute(torch.device("cpu"), FLOAT32, 1).set_up()
    try:
        return images.fill(item.source, item.rows, item.crop, item.size, Path(item.path))
    except OSError as error:
        raise unwritable(error, Path(item.path)) from error


def obtain_weights(model: ComponentRef, send: Send) -> None:
    """Have a model's ImageNet weights in the user's cache, so that a missing download is known before any training."""
    weights.imagenet(Registry.load().build_ref(model), model.id)


def work(item: UnitWork, send: Send) -> None:
    """Train a unit, or only predict with its stored weights, and store its predictions."""
    run_unit(item, Registry.load().build_ref, send)


def look(item: LookWork, send: Send) -> list[float]:
    """Logit margins of a few images, with a unit's stored weights."""
    return looking.look(item, Registry.load().build_ref)


def bench_decode(item: BenchWork, send: Send) -> float:
    """Measure how fast this machine decodes, in the processes and with the threads that decode in a run."""
    compute = Compute(torch.device("cpu"), FLOAT32, 1)
    compute.set_up()
    return benching.decode(benching.Case(item.size, item.batch, item.seconds, compute), item.jpegs, CROP, *item.images)


def bench(item: BenchWork, send: Send) -> dict[str, Any]:
    """Measure how fast this machine is, and auditkit on it."""
    return benching.measure(_case(item), Registry.load().build_ref(item.model), *item.images)


def bench_epoch(item: BenchWork, send: Send) -> float:
    """Train an epoch, evaluate, and say in how many seconds."""
    return benching.epoch(_case(item), Registry.load().build_ref(item.model), *item.images)


def _case(item: BenchWork) -> benching.Case:
    device = choose_device(item.device)
    compute = Compute(device, item.precision, item.threads)
    compute.set_up()
    choose_algorithms(device, deterministic=item.deterministic)
    return benching.Case(item.size, item.batch, item.seconds, compute, graph=item.graph)
