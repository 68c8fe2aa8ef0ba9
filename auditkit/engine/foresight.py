"""What a plan knows of its evidence before anything is trained: the test images are drawn, only answers are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from auditkit.cohort import MISSING, SPLITS
from auditkit.engine.drawing import Drawing
from auditkit.engine.panels import make_panels
from auditkit.engine.plan import Unit
from auditkit.engine.prepare import Prepared
from auditkit.engine.schedule import with_truth
from auditkit.evidence.foreseen import Foreseen, foresee
from auditkit.predictions import Predictions


def foreseen(prepared: Prepared, drawing: Drawing) -> Foreseen:
    """Groups without support in what each arm is tested on, and gates that can never be decided.

    Gates are left out on stand-in data, where none is judged, as are arms whose draw waits for another's predictions.
    """
    audit = prepared.read.resolved.audit
    told = (unit for unit in _tested(prepared) if drawing.known(unit) and not drawing.broken(unit))
    tests = {unit.digest: _untold(prepared, unit, drawing) for unit in told}
    panels = make_panels(prepared.plan, tests, prepared.dataset)
    gates = () if prepared.read.stand_in else audit.gate
    seeds = {unit.arm.name: len(unit.arm.seeds) for unit in prepared.plan.units}
    found = foresee(panels, audit.evidence, prepared.metrics(), gates, seeds)
    idle = (arm.name for arm in audit.arm if arm.role == "placebo" and arm.name not in audit.evidence.placebos)
    return replace(found, identical=tuple(_identical(prepared)), idle_placebos=tuple(idle))


def _identical(prepared: Prepared) -> Iterator[tuple[str, ...]]:
    """Arms all of whose units are those of another, since nothing in the file tells them apart."""
    digests: dict[str, list[str]] = {}
    for unit in prepared.plan.units:
        digests.setdefault(unit.arm.name, []).append(unit.digest)
    arms = [tuple(name for name in digests if digests[name] == same) for same in digests.values()]
    return (names for names in dict.fromkeys(arms) if len(names) > 1)


def _tested(prepared: Prepared) -> Iterator[Unit]:
    """Units whose test sets differ: all seeds share one, unless what was drawn with a seed is split."""
    resampled = prepared.read.resolved.audit.data.split_after_resampling is not None
    return (unit for unit in prepared.plan.units if resampled or unit.position == 0)


def _untold(prepared: Prepared, unit: Unit, drawing: Drawing) -> Predictions:
    """The test images of a unit, predicted with a margin of 0."""
    dataset, task = prepared.dataset, unit.task
    truth = dataset.attributes.truth(task.target, task.positive)
    test = with_truth(drawing.of(unit).test, truth)
    unknown = np.full(len(test), MISSING)
    return Predictions(
        split=np.full(len(test), SPLITS.index("test")),
        row=test.rows,
        copy=test.copy,
        identity=unknown if dataset.identities is None else dataset.identities[test.rows],
        truth=truth[test.rows],
        margin=np.zeros(len(test), dtype=np.float32),
    )
