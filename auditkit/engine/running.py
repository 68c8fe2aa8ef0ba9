"""Trains what is left of a prepared audit: look at the machine, decode the images, run the units."""

from __future__ import annotations

from auditkit.engine.cache import ensure_images
from auditkit.engine.executors import Executor, Local, cores
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
    settings, count = prepared.read.settings, cores()
    with Local(max(count, settings.workers or 1), 1, send) as pool:
        machine: Machine = pool.submit(PROBE, settings.device).result()
        _obtain_weights(prepared, pool)
        image = prepared.read.resolved.audit.data.image
        images = ensure_images(prepared.dataset, prepared.pools.rows, image, pool, send)
        workers, threads = division(settings, machine.device, len(undone(prepared)), count)
        pool.shrink(workers)
        places = Places(images, machine.device, machine.precision, threads, pool.processes)
        return execute(prepared, pool, places, send)


def train_all(prepared: Prepared, send: Send) -> None:
    """As `train`. Raises RunFailed that tells of every unit that failed; the others are kept."""
    failed = train(prepared, send)
    if failed:
        raise RunFailed("; ".join(f"{unit.label}: {unit.message}" for unit in failed))


def division(settings: Settings, device: str, units: int, count: int) -> tuple[int, int]:
    """Units at work at once, and threads for each, on `count` cores: one core for a unit on a CPU, one unit on a GPU.

    What the settings tell goes before.
    """
    workers = settings.workers or (max(1, min(count, units)) if device == "cpu" else 1)
    return workers, settings.threads or max(1, count // workers)


def _obtain_weights(prepared: Prepared, executor: Executor) -> None:
    """Have ImageNet weights before anything is decoded or trained, since they may not be had."""
    models = {unit.arm.model.component.id: unit.arm.model for unit in undone(prepared) if unit.init == "imagenet"}
    for model in models.values():
        ref = ComponentRef("model", model.address, model.options.model_dump(by_alias=True))
        executor.submit(OBTAIN, ref).result()
