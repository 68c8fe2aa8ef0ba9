"""Trains what is left of a prepared audit: look at the machine, decode the images, run the units."""

from __future__ import annotations

from collections.abc import Iterable

from auditkit.engine.cache import ensure_images
from auditkit.engine.dividing import Load, division, threads_of_each
from auditkit.engine.executors import Executor, Local, cores
from auditkit.engine.pace import visits
from auditkit.engine.prepare import Prepared
from auditkit.engine.schedule import Places, execute, undone
from auditkit.engine.work import DESCRIBE_MACHINE, ComponentRef, DeviceWork, ImageCacheRef, Machine
from auditkit.errors import RunFailed
from auditkit.events import Send, UnitFailed

OBTAIN = "auditkit.engine.worker:obtain_weights"


def train(prepared: Prepared, send: Send) -> tuple[UnitFailed, ...]:
    """Run every unit that is not done, in worker processes, and return those that failed; without any, start nothing.

    Images are decoded by one process per core; then the machine is divided between the units at work. One run at a
    time trains in a store: another waits, and finds what the first has trained.
    """
    if not undone(prepared):
        return ()
    prepared.store.require_writable()
    with prepared.store.locked(send):
        return _train(prepared, send) if undone(prepared) else ()


def _train(prepared: Prepared, send: Send) -> tuple[UnitFailed, ...]:
    settings, count = prepared.read.settings, cores()
    with Local(max(count, settings.workers or 1), 1, send) as pool:
        machine: Machine = pool.submit(DESCRIBE_MACHINE, DeviceWork(settings.device, settings.deterministic)).result()
        obtain_weights(prepared, pool)
        image = prepared.read.resolved.audit.data.image
        images = ensure_images(prepared.dataset, prepared.pools.rows, image, pool, send)
        load = _load(prepared, images)
        each = threads_of_each(settings, machine, load, count, pool, send)
        workers, threads = division(settings, machine, load, count, each)
        pool.shrink(workers)
        places = Places(images, machine.device, machine.precision, threads, pool.processes)
        return execute(prepared, pool, places, send)


def require_none(failed: Iterable[UnitFailed]) -> None:
    """Raise RunFailed that tells of every unit that failed; the others are kept."""
    told = [f"{unit.label}: {unit.message}" for unit in failed]
    if told:
        raise RunFailed("; ".join(told))


def _load(prepared: Prepared, images: ImageCacheRef) -> Load:
    units = undone(prepared)
    rows = len(prepared.pools.train)
    return Load(len(units), max(visits(unit.arm.recipe, rows) for unit in units), images.used_bytes)


def obtain_weights(prepared: Prepared, executor: Executor) -> None:
    """Have ImageNet weights before anything is decoded or trained, since they may not be had."""
    models = [ComponentRef.of(unit.arm.model) for unit in undone(prepared) if unit.init == "imagenet"]
    for model in {repr(model): model for model in models}.values():  # one, with other options, may have other weights
        executor.submit(OBTAIN, model).result()
