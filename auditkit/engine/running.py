"""Trains what is left of a prepared audit: look at the machine, decode the images, run the units."""

from __future__ import annotations

import os

from auditkit.engine.cache import ensure_images
from auditkit.engine.executors import Executor, Local
from auditkit.engine.prepare import Prepared, Settings
from auditkit.engine.schedule import Places, execute, undone
from auditkit.engine.work import ComponentRef, Machine
from auditkit.errors import RunFailed
from auditkit.events import Send, UnitFailed

PROBE, OBTAIN = "auditkit.engine.worker:probe", "auditkit.engine.worker:obtain_weights"


def train(prepared: Prepared, send: Send) -> tuple[UnitFailed, ...]:
    """Run every unit that is not done, in worker processes, and return those that failed; without any, start nothing.

    Images are decoded by one process per core. On a CPU the cores are then divided between the units at work; on a GPU
    one process has it, so that what is compiled and resident is used by every unit.
    """
    if not undone(prepared):
        return ()
    prepared.store.require_writable()
    cores = _cores()
    workers, threads = _division(prepared.read.settings, len(undone(prepared)), cores)
    with Local(max(cores, workers), 1, send) as pool:
        machine: Machine = pool.submit(PROBE, prepared.read.settings.device).result()
        _obtain_weights(prepared, pool)
        image = prepared.read.resolved.audit.data.image
        images = ensure_images(prepared.dataset, prepared.pools.rows, image, pool, send)
        if machine.device != "cpu":
            workers, threads = _division(prepared.read.settings, 1, cores)
        pool.shrink(workers)
        places = Places(images, machine.device, machine.precision, threads, pool.processes)
        return execute(prepared, pool, places, send)


def train_all(prepared: Prepared, send: Send) -> None:
    """As `train`. Raises RunFailed that tells of every unit that failed; the others are kept."""
    failed = train(prepared, send)
    if failed:
        raise RunFailed("; ".join(f"{unit.label}: {unit.message}" for unit in failed))


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _division(settings: Settings, most: int, cores: int) -> tuple[int, int]:
    """Units at work at once, and threads for each: as many units as cores, but at most `most`, unless told."""
    workers = settings.workers or max(1, min(cores, most))
    return workers, settings.threads or max(1, cores // workers)


def _obtain_weights(prepared: Prepared, executor: Executor) -> None:
    """Have ImageNet weights before anything is decoded or trained, since they may not be had."""
    models = {unit.arm.model.component.id: unit.arm.model for unit in undone(prepared) if unit.init == "imagenet"}
    for model in models.values():
        ref = ComponentRef("model", model.address, model.options.model_dump(by_alias=True))
        executor.submit(OBTAIN, ref).result()
