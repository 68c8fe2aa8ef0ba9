"""Runs the units of a plan that are not done, parents before children, several at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.cohort import Cohort, Draw, Rows
from auditkit.engine.drawing import Drawing
from auditkit.engine.executors import Executor
from auditkit.engine.plan import Unit
from auditkit.engine.prepare import Prepared
from auditkit.engine.work import ComponentRef, ImageCacheRef, UnitWork
from auditkit.errors import AuditError
from auditkit.events import Send, UnitFailed

WORK = "auditkit.engine.worker:work"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run computes."""

    images: ImageCacheRef
    device: str
    precision: str
    """What "auto" is on this device: measured once for all units of a run, since two measurements can differ."""
    threads: int
    processes: int


def undone(prepared: Prepared) -> tuple[Unit, ...]:
    """Units that have no stored predictions, or lack a split, weights or probes that are wanted; each digest once."""
    missing = {unit.digest: unit for unit in prepared.plan.units if not is_done(prepared, unit)}
    return tuple(missing.values())


def is_done(prepared: Prepared, unit: Unit) -> bool:
    """Whether nothing of the unit is left to do."""
    return prepared.store.has(unit.digest) and not lacking(prepared, unit)


def lacking(prepared: Prepared, unit: Unit) -> tuple[str, ...]:
    """What a finished unit lacks, in words: a split, weights or probes. Without its weights it is trained again."""
    said = [f"predictions on {split} are missing" for split in _missing_splits(prepared, unit)]
    missing = _missing_probes(prepared, unit)
    if missing:
        said.append(f"probes of other targets are missing, {len(missing)} of {len(unit.probes)}")
    if _wants_weights(prepared, unit) and not prepared.store.has_weights(unit.digest):
        said.append("its weights were not kept, so it is trained again")
    return tuple(said)


def _missing_splits(prepared: Prepared, unit: Unit) -> tuple[str, ...]:
    """Splits that another unit reads, beyond those every unit predicts."""
    stored = prepared.store.predicted(unit.digest)
    return tuple(split for split in unit.predict if split not in ("valid", "test") and split not in stored)


def _missing_probes(prepared: Prepared, unit: Unit) -> tuple[str, ...]:
    stored = prepared.store.probed(unit.digest)
    return tuple(key for key in unit.probes if key not in stored)


def _wants_weights(prepared: Prepared, unit: Unit) -> bool:
    """Whether weights must be there; those that only probes need may be gone once the probes are stored."""
    if prepared.read.settings.keep_weights or _missing_probes(prepared, unit):
        return True
    return unit.keep_weights and not unit.only_probed


def execute(prepared: Prepared, executor: Executor, places: Places, send: Send) -> tuple[UnitFailed, ...]:
    """Run what is undone. A unit that fails takes its children with it, never its neighbours.

    Raises InvalidAudit, before anything runs, for a draw that can be made and is impossible.
    """
    waiting = {unit.digest: unit for unit in undone(prepared)}
    drawing = Drawing(prepared)
    running: dict[Future[Any], Unit] = {}
    failed: dict[str, UnitFailed] = {}
    for unit in list(filter(drawing.known, waiting.values())):
        if why := drawing.broken(unit):
            _fail(waiting.pop(unit.digest), why, failed, send)
    last = ""
    while waiting or running:
        _drop_orphans(waiting, failed, send)
        ready = alike(_ready(waiting, running, drawing), last)
        if not ready and not running:
            _give_up(waiting, drawing, failed, send)
        for unit in ready[: places.processes - len(running)]:
            del waiting[unit.digest]
            last = kind(unit)
            try:
                running[executor.submit(WORK, _work(prepared, unit, drawing, places))] = unit
            except AuditError as error:
                _fail(unit, str(error), failed, send)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            _settle(prepared, running.pop(future), future, failed, send)
    return tuple(failed.values())


def _ready(waiting: Mapping[str, Unit], running: Mapping[Any, Unit], drawing: Drawing) -> list[Unit]:
    busy = {unit.digest for unit in running.values()}
    return [u for u in waiting.values() if not (set(u.parents) & (set(waiting) | busy)) and drawing.known(u)]


def alike(ready: Iterable[Unit], last: str) -> list[Unit]:
    """Units one kind after another, those of the kind `last` first; else in the order in which they come.

    A process on a GPU keeps the steps of one kind: every change of kind is a capture, or a minute of compiling.
    """
    order: dict[str, int] = {last: 0}
    return sorted(ready, key=lambda unit: order.setdefault(kind(unit), len(order)))


def kind(unit: Unit) -> str:
    """What units whose steps a GPU captures once have in common, as far as their arms tell."""
    arm, recipe = unit.arm, unit.arm.recipe
    parts = (ComponentRef.of(arm.model), ComponentRef.of(arm.objective), recipe.optimizer)
    return repr((arm.train, parts, recipe.batch_size, recipe.precision))


def _drop_orphans(waiting: dict[str, Unit], failed: dict[str, UnitFailed], send: Send) -> None:
    for digest, unit in list(waiting.items()):
        lost = [failed[parent].label for parent in unit.parents if parent in failed]
        if lost:
            _fail(waiting.pop(digest), f"not run, because {lost[0]} failed", failed, send)


def _give_up(waiting: dict[str, Unit], drawing: Drawing, failed: dict[str, UnitFailed], send: Send) -> None:
    """Fail the units that would wait for ever: nothing is at work that could still make what their samplers read.

    Their children are left to be dropped as orphans.
    """
    for unit in [unit for unit in waiting.values() if not set(unit.parents) & set(waiting)]:
        need = next(drawing.unmet(unit))
        reads = f"its sampler reads predictions of arm {need.arm!r} on {need.split}, and there are none"
        _fail(waiting.pop(unit.digest), f"not run, because {reads}", failed, send)


def _fail(unit: Unit, message: str, failed: dict[str, UnitFailed], send: Send) -> None:
    failed[unit.digest] = UnitFailed(unit.digest, unit.label, message)
    send(failed[unit.digest])


def _settle(prepared: Prepared, unit: Unit, future: Future[Any], failed: dict[str, UnitFailed], send: Send) -> None:
    error = future.exception()
    if error is None:
        prepared.store.remember(index_key(prepared, unit), unit.digest, unit.inputs)
        return
    message = str(error) if isinstance(error, AuditError) else f"{type(error).__name__}: {error}"
    _fail(unit, message, failed, send)


def index_key(prepared: Prepared, unit: Unit) -> str:
    """Under which name the store remembers what a unit was last made of."""
    return f"{prepared.read.series} | {unit.task.label} | {unit.arm.name} | {unit.seed}"


def _work(prepared: Prepared, unit: Unit, drawing: Drawing, places: Places) -> UnitWork:
    draws, truth = drawing.of(unit), prepared.dataset.attributes.truth(unit.task.target, unit.task.positive)
    train, valid, test = (with_truth(draw, truth) for draw in (draws.train, draws.valid, draws.test))
    strata, counts = _strata(prepared, unit, train)
    stored = prepared.store.has(unit.digest) and prepared.store.has_weights(unit.digest)
    return UnitWork(
        digest=unit.digest,
        label=unit.label,
        seed=unit.seed,
        init=unit.init,
        train=unit.arm.train,
        model=ComponentRef.of(unit.arm.model),
        objective=ComponentRef.of(unit.arm.objective),
        recipe=unit.arm.recipe,
        images=places.images,
        truth=truth,
        identity=prepared.dataset.identities,
        strata=strata,
        stratum_counts=counts,
        splits={"train": train, "valid": valid, "test": test},
        predict=_missing_splits(prepared, unit) if stored else unit.predict,
        probes=_questions(prepared, unit, _missing_probes(prepared, unit) if stored else unit.probes),
        train_first=not stored,
        keep_weights=unit.keep_weights or prepared.read.settings.keep_weights,
        store=str(prepared.store.root),
        device=places.device,
        precision=places.precision if unit.arm.recipe.precision == "auto" else unit.arm.recipe.precision,
        threads=places.threads,
        deterministic=prepared.read.settings.deterministic,
        facts={"label": unit.label, "inputs": dict(unit.inputs), "processes": places.processes},
    )


def with_truth(draw: Draw, truth: NDArray[np.int8]) -> Draw:
    """The part of a draw whose truth is known."""
    mask = truth[draw.rows] >= 0
    return Draw(draw.rows[mask], draw.copy[mask])


def _questions(prepared: Prepared, unit: Unit, keys: tuple[str, ...]) -> dict[str, NDArray[np.int8]]:
    """An opaque column per probe, over all images."""
    asked = {probe.key: probe for probe in prepared.probes(unit.task)}
    return {key: asked[key].truth(prepared.dataset.attributes) for key in keys}


def _strata(prepared: Prepared, unit: Unit, train: Draw) -> tuple[Rows | None, tuple[int, ...]]:
    """One opaque integer per image that is trained on, -1 elsewhere, and a count per stratum over the training draw."""
    names: tuple[str, ...] = tuple(getattr(unit.arm.objective.options, "strata", ()) or ())
    if not names:
        return None, (len(train),)
    seen = Cohort(np.unique(train.rows), prepared.dataset.attributes)
    codes, meanings = seen.strata(names)
    strata = np.full(len(prepared.dataset), -1, dtype=np.int64)
    strata[seen.rows] = codes
    return strata, tuple(np.bincount(strata[train.rows], minlength=len(meanings)).tolist())
