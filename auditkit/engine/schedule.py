"""Runs the units of a plan that are not done, parents before children, several at once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.cohort import Draw, Rows
from auditkit.engine.drawing import Drawing
from auditkit.engine.executors import Executor
from auditkit.engine.plan import Unit
from auditkit.engine.prepare import Prepared
from auditkit.engine.resolution import Chosen
from auditkit.engine.work import ComponentRef, ImageCacheRef, UnitWork
from auditkit.errors import AuditError
from auditkit.events import Send, UnitFailed

WORK = "auditkit.engine.worker:work"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run computes."""

    images: ImageCacheRef
    device: str
    threads: int
    processes: int


def undone(prepared: Prepared) -> tuple[Unit, ...]:
    """Units that have no stored predictions, or lack a split or weights that another unit wants; each digest once."""
    missing = {unit.digest: unit for unit in prepared.plan.units if not is_done(prepared, unit)}
    return tuple(missing.values())


def is_done(prepared: Prepared, unit: Unit) -> bool:
    """Whether nothing of the unit is left to do."""
    store = prepared.store
    wanted = {split for split in unit.predict if split not in ("valid", "test")}
    keep = unit.keep_weights and not store.has_weights(unit.digest)
    return store.has(unit.digest) and wanted <= store.predicted(unit.digest) and not keep


def execute(prepared: Prepared, executor: Executor, places: Places, send: Send) -> tuple[UnitFailed, ...]:
    """Run what is undone. A unit that fails takes its children with it, never its neighbours."""
    waiting = {unit.digest: unit for unit in undone(prepared)}
    drawing = Drawing(prepared)
    running: dict[Future[Any], Unit] = {}
    failed: dict[str, UnitFailed] = {}
    while waiting or running:
        _drop_orphans(waiting, failed, send)
        for unit in _ready(waiting, running, drawing)[: places.processes - len(running)]:
            item = _work(prepared, unit, drawing, places)
            running[executor.submit(WORK, item)] = waiting.pop(unit.digest)
        if not running:
            continue
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            _settle(prepared, running.pop(future), future, failed, send)
    return tuple(failed.values())


def _ready(waiting: Mapping[str, Unit], running: Mapping[Any, Unit], drawing: Drawing) -> list[Unit]:
    busy = {unit.digest for unit in running.values()}
    return [u for u in waiting.values() if not (set(u.parents) & (set(waiting) | busy)) and drawing.known(u)]


def _drop_orphans(waiting: dict[str, Unit], failed: dict[str, UnitFailed], send: Send) -> None:
    for digest, unit in list(waiting.items()):
        lost = [failed[parent].label for parent in unit.parents if parent in failed]
        if lost:
            failed[digest] = UnitFailed(digest, unit.label, f"not run, because {lost[0]} failed")
            send(failed[digest])
            del waiting[digest]


def _settle(prepared: Prepared, unit: Unit, future: Future[Any], failed: dict[str, UnitFailed], send: Send) -> None:
    error = future.exception()
    if error is None:
        prepared.store.remember(index_key(prepared, unit), unit.digest, unit.inputs)
        return
    message = str(error) if isinstance(error, AuditError) else f"{type(error).__name__}: {error}"
    failed[unit.digest] = UnitFailed(unit.digest, unit.label, message)
    send(failed[unit.digest])


def index_key(prepared: Prepared, unit: Unit) -> str:
    """Under which name the store remembers what a unit was last made of."""
    return f"{prepared.read.name} | {unit.task.label} | {unit.arm.name} | {unit.seed}"


def needed_rows(prepared: Prepared) -> Rows:
    """Rows whose pixels any undone unit looks at: (n,) int64, ascending."""
    drawn = prepared.pools
    return np.unique(np.concatenate([drawn.train, drawn.valid, drawn.test]))


def _work(prepared: Prepared, unit: Unit, drawing: Drawing, places: Places) -> UnitWork:
    draws, truth = drawing.of(unit), _truth(prepared, unit)
    train, valid, test = (_known(draw, truth) for draw in (draws.train, draws.valid, draws.test))
    strata, counts = _strata(prepared, unit, train)
    done = prepared.store.has(unit.digest)
    return UnitWork(
        digest=unit.digest,
        label=unit.label,
        seed=unit.seed,
        init=unit.init,
        train=unit.arm.train,
        model=_ref(unit.arm.model),
        objective=_ref(unit.arm.objective),
        recipe=unit.arm.recipe,
        images=places.images,
        truth=truth,
        identity=prepared.dataset.identities,
        strata=strata,
        stratum_counts=counts,
        splits={"train": train, "valid": valid, "test": test},
        predict=unit.predict,
        train_first=not (done and (prepared.store.has_weights(unit.digest) or not unit.keep_weights)),
        keep_weights=unit.keep_weights or prepared.read.settings.keep_weights,
        store=str(prepared.store.root),
        device=places.device,
        threads=places.threads,
        facts={"label": unit.label, "inputs": dict(unit.inputs), "processes": places.processes},
    )


def _ref(chosen: Chosen) -> ComponentRef:
    return ComponentRef(chosen.kind, chosen.address, chosen.options.model_dump(by_alias=True))


def _known(draw: Draw, truth: NDArray[np.int8]) -> Draw:
    """The part of a draw whose truth is known."""
    mask = truth[draw.rows] >= 0
    return Draw(draw.rows[mask], draw.copy[mask])


def _truth(prepared: Prepared, unit: Unit) -> NDArray[np.int8]:
    """(images,) int8: 1 at the positive level, 0 elsewhere, -1 where the attribute is missing."""
    table = prepared.dataset.attributes
    codes = table.column(unit.task.target)
    truth: NDArray[np.int8] = (codes == table.levels_of(unit.task.target).index(unit.task.positive)).astype(np.int8)
    truth[codes < 0] = -1
    return truth


def _strata(prepared: Prepared, unit: Unit, train: Draw) -> tuple[Rows | None, tuple[int, ...]]:
    """One opaque integer per image, and a count per stratum over the training draw."""
    names: tuple[str, ...] = tuple(getattr(unit.arm.objective.options, "strata", ()) or ())
    if not names:
        return None, (len(train),)
    codes, meanings = prepared.everyone().strata(names)
    return codes, tuple(np.bincount(codes[train.rows], minlength=len(meanings)).tolist())
