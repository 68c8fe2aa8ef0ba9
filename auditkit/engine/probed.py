"""Stored margins of probes, aligned into panels beside those of their task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from auditkit.engine.plan import Unit
from auditkit.engine.prepare import Prepared
from auditkit.engine.probes import Probe, ProbeMargins
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.probes import other_targets
from auditkit.evidence.results import Finding

Margin = NDArray[np.float32]


def probed(prepared: Prepared, panels: Sequence[Panel]) -> tuple[tuple[Finding, ...], dict[str, int]]:
    """What the probes found, task by task; nothing where no targets are asked or none is stored yet."""
    audit = prepared.read.resolved.audit
    findings: list[Finding] = []
    families: dict[str, int] = {}
    for panel in panels:
        probes = _panels(prepared, panel) if panel.test == "plain" else {}
        if probes:
            found, size = other_targets(panel, probes, audit.evidence, seed=audit.data.seed)
            findings += found
            families |= size
    return tuple(findings), families


def _panels(prepared: Prepared, panel: Panel) -> dict[str, Panel]:
    """By the name of the probe."""
    task = next(task for task in prepared.read.resolved.audit.task if task.label == panel.task)
    units = _units(prepared, panel.task)
    stored = {(unit.arm.name, unit.seed): prepared.store.probes(unit.digest) for unit in units}
    return {probe.name: _panel(prepared, panel, probe, stored) for probe in prepared.probes(task)} if stored else {}


def _units(prepared: Prepared, task: str) -> list[Unit]:
    """The finished units of a task that have probes."""
    units = [unit for unit in prepared.plan.units if unit.task.label == task]
    return [unit for unit in units if prepared.store.has(unit.digest) and prepared.store.probed(unit.digest)]


def _panel(prepared: Prepared, panel: Panel, probe: Probe, stored: Mapping[tuple[str, int], ProbeMargins]) -> Panel:
    truth = probe.truth(prepared.dataset.attributes)[panel.row]
    arms = []
    for arm in panel.arms:
        margins = [_margin(stored.get((arm.arm, seed)), probe.key, panel.row, truth) for seed in arm.seeds]
        arms.append(ArmScores(arm.arm, arm.seeds, np.stack(margins)))
    return replace(panel, target=probe.attribute, truth=np.maximum(truth, 0).astype(np.int8), arms=tuple(arms))


def _margin(found: ProbeMargins | None, key: str, rows: NDArray[np.int64], truth: NDArray[np.int8]) -> Margin:
    """(n,) margins of some rows; NaN where there is no head, no margin, or no truth to compare with."""
    margin = np.full(len(rows), np.nan, dtype=np.float32)
    if found is None or key not in found.margins or not len(found.row):
        return margin
    at = np.searchsorted(found.row, rows).clip(max=len(found.row) - 1)
    known = (found.row[at] == rows) & (truth >= 0)
    margin[known] = found.margins[key][at[known]]
    return margin
