"""Stored predictions of many units, aligned into one panel per task and test set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from auditkit.cohort import OpenDataset
from auditkit.engine.plan import Plan, Unit
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.predictions import Predictions

Keys = NDArray[np.int64]


def make_panels(
    plan: Plan, predictions: Mapping[str, Predictions], dataset: OpenDataset, split: str = "test"
) -> tuple[Panel, ...]:
    """One panel per task on the images of a split themselves, and one with their copies where units have some there."""
    panels: list[Panel] = []
    for task in dict.fromkeys(unit.task.label for unit in plan.units):
        units = [unit for unit in plan.units if unit.task.label == task and unit.digest in predictions]
        tests = {unit.digest: predictions[unit.digest].on(split) for unit in units}
        if not any(len(test) for test in tests.values()):
            continue
        panels.append(_panel(units, {d: p.where(p.copy == 0) for d, p in tests.items()}, dataset, "plain"))
        if any((test.copy > 0).any() for test in tests.values()):
            panels.append(_panel(units, tests, dataset, "resampled"))
    return tuple(panels)


def _panel(units: list[Unit], tests: Mapping[str, Predictions], dataset: OpenDataset, test: str) -> Panel:
    stride = 1 + max((int(p.copy.max(initial=0)) for p in tests.values()), default=0)
    keys = {digest: p.row * stride + p.copy for digest, p in tests.items()}
    union = np.unique(np.concatenate(list(keys.values())))
    rows = union // stride
    truth = np.zeros(len(union), dtype=np.int8)
    for digest, p in tests.items():
        truth[np.searchsorted(union, keys[digest])] = p.truth
    table = dataset.attributes
    task = units[0].task
    return Panel(
        task=task.label,
        target=task.target,
        test=test,
        row=rows,
        copy=union % stride,
        identity=rows if dataset.identities is None else dataset.identities[rows],
        truth=truth,
        attributes={name: table.column(name)[rows] for name in table.names},
        levels=dict(zip(table.names, table.levels, strict=True)),
        arms=tuple(_arms(units, tests, keys, union)),
        identities_known=dataset.identities is not None,
    )


def _arms(
    units: list[Unit], tests: Mapping[str, Predictions], keys: Mapping[str, Keys], union: Keys
) -> Iterable[ArmScores]:
    for arm in dict.fromkeys(unit.arm.name for unit in units):
        of_arm = [unit for unit in units if unit.arm.name == arm]
        margin = np.full((len(of_arm), len(union)), np.nan, dtype=np.float32)
        for index, unit in enumerate(of_arm):
            margin[index, np.searchsorted(union, keys[unit.digest])] = tests[unit.digest].margin
        yield ArmScores(arm, tuple(unit.seed for unit in of_arm), margin)
