"""Trains what is left of a prepared audit: look at the machine, decode the images, run the units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from auditkit.engine.cache import ensure_images
from auditkit.engine.executors import Executor, Local, cores
from auditkit.engine.outlook import visits
from auditkit.engine.prepare import Prepared, Settings
from auditkit.engine.schedule import Places, execute, undone
from auditkit.engine.work import DESCRIBE_MACHINE, ComponentRef, DeviceWork, ImageCacheRef, Machine
from auditkit.errors import RunFailed
from auditkit.events import Send, UnitFailed

OBTAIN = "auditkit.engine.worker:obtain_weights"
SMALL_UNIT = 1_000_000
"""Images that a unit visits, up to which it is small for a GPU: seconds of work, in more seconds of all the rest."""
SIDE_BY_SIDE = 3
"""Small units at work on a GPU at once, at most; more only take turns."""
PROCESS_BYTES = 12 * 2**30
"""Memory of a GPU that a process may need beside the images: its context, weights, and the activations of a batch."""
SHARE_OF_FREE_MEMORY = 0.8


@dataclass(frozen=True, slots=True)
class Load:
    """What is left to do: units, images that the largest visits (before oversampling), bytes of the image cache."""

    units: int
    visits: int
    image_bytes: int


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
        _obtain_weights(prepared, pool)
        image = prepared.read.resolved.audit.data.image
        images = ensure_images(prepared.dataset, prepared.pools.rows, image, pool, send)
        workers, threads = division(settings, machine, _load(prepared, images), count)
        pool.shrink(workers)
        places = Places(images, machine.device, machine.precision, threads, pool.processes)
        return execute(prepared, pool, places, send)


def train_all(prepared: Prepared, send: Send) -> None:
    """As `train`. Raises RunFailed that tells of every unit that failed; the others are kept."""
    failed = train(prepared, send)
    if failed:
        raise RunFailed("; ".join(f"{unit.label}: {unit.message}" for unit in failed))


def division(settings: Settings, machine: Machine, load: Load, count: int) -> tuple[int, int]:
    """Units at work at once, and threads for each, on `count` cores; what the settings tell goes before.

    A unit on a CPU has one core. A GPU has one unit, so that what is compiled and resident serves them all; but while
    a small unit is evaluated and stored, or its kernels do not fill the device, that is idle: of those there are as
    many side by side as have room, three at most.
    """
    most = _side_by_side(machine, load) if machine.device.startswith("cuda") else 1
    workers = settings.workers or max(1, min(count, load.units, count if machine.device == "cpu" else most))
    return workers, settings.threads or max(1, count // workers)


def _side_by_side(machine: Machine, load: Load) -> int:
    if load.visits > SMALL_UNIT:
        return 1
    return min(SIDE_BY_SIDE, int(machine.free_bytes * SHARE_OF_FREE_MEMORY) // (PROCESS_BYTES + load.image_bytes))


def _load(prepared: Prepared, images: ImageCacheRef) -> Load:
    units = undone(prepared)
    rows = len(prepared.pools.train)
    return Load(len(units), max(visits(unit.arm.recipe, rows) for unit in units), Path(images.path).stat().st_size)


def _obtain_weights(prepared: Prepared, executor: Executor) -> None:
    """Have ImageNet weights before anything is decoded or trained, since they may not be had."""
    models = {unit.arm.model.component.id: unit.arm.model for unit in undone(prepared) if unit.init == "imagenet"}
    for model in models.values():
        executor.submit(OBTAIN, ComponentRef.of(model)).result()
