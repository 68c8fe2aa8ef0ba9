"""Measurements in a worker: the machine's peaks, decoding, and a ResNet-18 trained on one batch and on many."""

from __future__ import annotations

import itertools
import logging
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from auditkit.cohort import Draw, ImageSource, Rows
from auditkit.contracts import Model
from auditkit.spec.model import SGD, Augment
from auditkit.training import graph, images, predict
from auditkit.training.batches import Batch, ImageBatches, Labels, Pictures
from auditkit.training.checkpoint import Progress
from auditkit.training.device import DTYPES, Compute, precisions, times_a_second, wait_for
from auditkit.training.network import build_network
from auditkit.training.optimization import make_optimizer
from auditkit.training.pixels import Pixels
from auditkit.training.steps import Eager

_log = logging.getLogger(__name__)
_WINDOWS = 5
_RATE = 0.001
_SIDE = {"cpu": 1024, "cuda": 8192, "mps": 4096}


@dataclass(frozen=True, slots=True)
class Case:
    """Images of `size` pixels in batches of `batch`; each rate is measured for `seconds`.

    On a GPU steps are taken as in a long run, unless `graph` says that they are not to be captured.
    """

    size: int
    batch: int
    seconds: float
    compute: Compute
    graph: bool = True


class Loss(torch.nn.Module):
    """Binary cross-entropy; strata are not looked at."""

    def forward(self, margin: torch.Tensor, truth: torch.Tensor, stratum: torch.Tensor) -> torch.Tensor:
        """A float32 scalar."""
        return torch.nn.functional.binary_cross_entropy_with_logits(margin, truth)


def decode(case: Case, jpegs: ImageSource, crop: int, rows: Rows, path: Path) -> float:
    """Images per second that are decoded into the array at `path`, again and again."""
    return len(rows) * _rates(case, lambda: images.fill(jpegs, rows, crop, case.size, path))[0]


def measure(case: Case, model: Model, rows: Rows, path: Path) -> dict[str, Any]:
    """Rates per second of this process, with the images `rows` of the array at `path`."""
    compute = case.compute
    _start_afresh(compute)
    pictures, batches = _batches(case, rows, path)
    started = time.perf_counter()
    progress, steps = _unit(model, case, batches)
    until_first_step = time.perf_counter() - started
    synthetic, resident, share = _stepped(case, steps, batches)
    evaluated = _seconds(case, lambda: predict.margins(progress.module, pictures, compute))  # type: ignore[arg-type]
    peaks = _peaks(compute)  # before the matrices below
    return {
        "gemm": _gemms(case),
        "copy": _copy(case),
        "step_synthetic": synthetic,
        "step_resident": resident,
        "evaluate": len(rows) / evaluated,
        "batch": case.batch,
        "precision": compute.precision,
        "steps": steps.how,
        "seconds_until_first_step": until_first_step,
        "share_of_cpu": share,
        **peaks,
    }


def epoch(case: Case, model: Model, rows: Rows, path: Path) -> float:
    """Seconds in which a network that is there, with its steps captured, is trained on all rows and evaluated on them.

    The images are brought to the device within these seconds.
    """
    progress, steps = _unit(model, case, _batches(case, rows[: case.batch], path)[1])
    wait_for(case.compute.device)
    started = time.perf_counter()
    pictures, batches = _batches(case, rows, path)
    steps.begin()
    for batch in batches.epoch(0):
        steps.step(batch, _RATE)
    steps.end()
    predict.margins(progress.module, pictures, case.compute)  # type: ignore[arg-type]
    return time.perf_counter() - started


def _batches(case: Case, rows: Rows, path: Path) -> tuple[Pictures, ImageBatches]:
    pixels, draw = Pixels(path, case.compute.device), Draw(rows)
    pictures = Pictures(pixels, draw, Augment(), 0)
    labels = Labels.of(draw, (np.arange(len(pixels.host)) % 2).astype(np.int8), None, case.compute.device)
    return pictures, ImageBatches(pictures, labels, case.batch, 0, flip=True)


def _stepped(case: Case, steps: graph.Steps, batches: ImageBatches) -> tuple[float, float, float]:
    """Images per second of steps on one batch and on one batch after another, and the share of the CPU they had."""
    fixed, endless = next(batches.epoch(0)), _endless(batches)
    steps.begin()
    cpu, wall = time.process_time(), time.perf_counter()
    rates = _rates(case, lambda: steps.step(fixed, _RATE), lambda: steps.step(next(endless), _RATE))
    share = (time.process_time() - cpu) / (time.perf_counter() - wall) / case.compute.threads
    steps.end()
    return rates[0] * case.batch, rates[1] * case.batch, share


def _start_afresh(compute: Compute) -> None:
    """Give back what the size measured before holds on the device, so that the peak is this one's."""
    graph.forget()
    if compute.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(compute.device)


def _unit(model: Model, case: Case, batches: ImageBatches) -> tuple[Progress, graph.Steps]:
    compute = case.compute
    spec = SGD(use="sgd", lr=_RATE, momentum=0.9)
    network = build_network(model, 0, compute.device).train()
    progress = Progress(network, Loss(), make_optimizer(spec, network.parameters()), compute.scaler())
    if not case.graph:
        return progress, Eager(progress, compute)
    kind = graph.Kind(case)
    first = partial(next, batches.epoch(0))
    return progress, graph.steps_of(progress, spec, compute, kind, first, graph.WORTH_COMPILING, _log.warning)


def _endless(batches: ImageBatches) -> Iterator[Batch]:
    for epoch in itertools.count():
        yield from batches.epoch(epoch)


def _rates(case: Case, *works: Callable[[], object]) -> list[float]:
    """Times per second: medians of windows, in which works take turns, so that what slows the machine slows all."""
    for work in works:
        work()
        work()
    device = case.compute.device
    wait_for(device)
    windows = [[times_a_second(work, case.seconds / _WINDOWS, device) for work in works] for _ in range(_WINDOWS)]
    return [statistics.median(rates) for rates in zip(*windows, strict=True)]


def _seconds(case: Case, work: Callable[[], object]) -> float:
    work()
    started = time.perf_counter()
    work()
    wait_for(case.compute.device)
    return time.perf_counter() - started


def _gemms(case: Case) -> dict[str, float]:
    """FLOP/s of square matrix products."""
    side, device = _SIDE[case.compute.device.type], case.compute.device
    found = {}
    for name in dict.fromkeys([*precisions(device), case.compute.precision]):
        a, b = (torch.randn(side, side, device=device, dtype=DTYPES[name]) for _ in range(2))
        found[name] = 2 * side**3 * _rates(case, lambda a=a, b=b: a @ b)[0]  # type: ignore[misc]
    return found


def _copy(case: Case) -> float:
    """Bytes read and written per second by a copy that no cache holds."""
    x = torch.zeros(2**27, dtype=torch.uint8, device=case.compute.device)
    y = torch.empty_like(x)
    return 2 * x.nbytes * _rates(case, lambda: y.copy_(x))[0]


def _peaks(compute: Compute) -> dict[str, int]:
    unit = 1 if sys.platform == "darwin" else 1024
    reserved = torch.cuda.max_memory_reserved(compute.device) if compute.device.type == "cuda" else 0
    return {
        "peak_host_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "peak_device_bytes": reserved,
    }
