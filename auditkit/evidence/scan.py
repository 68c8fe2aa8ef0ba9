"""The scan of attributes: how rare each minority is, whom it is made of, and how the reference arm errs inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from auditkit.cohort import Attributes, Rows
from auditkit.evidence.assemble import Family, PanelContext, family_of, values, with_interval
from auditkit.evidence.estimates import Estimate, estimate
from auditkit.evidence.grouping import inside
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import Measure, measure
from auditkit.evidence.panel import Panel
from auditkit.evidence.rates import ErrorRate
from auditkit.evidence.resampling import Replicates
from auditkit.evidence.results import SCAN, Finding, ScanRow
from auditkit.spec.model import Evidence

Split = Literal["valid", "test"]


@dataclass(frozen=True, slots=True, eq=False)
class ScannedPools:
    """Whose attributes are counted: the training pool, and the validation pool if there is one, as row numbers."""

    attributes: Attributes
    train: Rows
    valid: Rows | None = None


def scan(
    panel: Panel, evidence: Evidence, pools: ScannedPools, *, seed: int = 0, split: Split = "test"
) -> tuple[tuple[ScanRow, ...], dict[str, int]]:
    """Table 3 for every attribute and the reference arm, and the size of the family of differences in error.

    The panel is of `split`. The minority is the rarest level in the training pool, against all others.
    """
    chosen = [arm for arm in panel.arms if arm.arm == (evidence.reference or panel.arms[0].arm)]
    if not chosen:
        return (), {}
    context = PanelContext.of(replace(panel, arms=tuple(chosen)), evidence, seed)
    layout, weight = context.layout, context.weights()
    known = [name for name in panel.attributes if name in pools.attributes.names and panel.levels[name]]
    minorities = {name: _minority(pools, name) for name in known}
    measures = list(_measures(context, minorities, weight))
    differences = estimate(layout, [Line(m, (0, 1)) for m in measures], [(0,)], weight)
    family = family_of(context, differences, SCAN)
    errors = list(values(context, estimate(layout, [Line(m, (g,)) for m in measures for g in (0, 1)], [(0,)])))
    rows = tuple(
        replace(
            _row(context, pools, name, code, errors[2 * i : 2 * i + 2]),
            difference=_difference(family, differences.each[i]),
            split=split,
        )
        for i, (name, code) in enumerate(minorities.items())
    )
    return rows, family.size


def _minority(pools: ScannedPools, name: str) -> int:
    """Code of the rarest level that occurs in the training pool."""
    column = pools.attributes.column(name)[pools.train]
    count = np.bincount(column[column >= 0], minlength=len(pools.attributes.levels_of(name)))
    return int(np.argmin(np.where(count > 0, count, len(column) + 1)))


def _measures(context: PanelContext, minorities: Mapping[str, int], weight: Replicates) -> Iterator[Measure]:
    for name, code in minorities.items():
        grouping = inside(context.layout.panel, name, code)
        metrics = {"error_rate": ErrorRate(None)}
        yield from measure(context.layout, grouping, metrics, context.evidence, weight, point_tables=False)


def _difference(family: Family, one: Estimate) -> Finding:
    """Error inside minus outside, with the interval that holds over all attributes."""
    place = one.line.measure.grouping.places[1]
    finding = family.context.describe(one, "signed_gap", place)
    finding = with_interval(family.context, finding, one, family.estimates, family.plain, family.joint)
    return replace(finding, family=family.name)


def _row(context: PanelContext, pools: ScannedPools, name: str, code: int, errors: list[Finding]) -> ScanRow:
    levels = pools.attributes.levels_of(name)
    outside, within = errors
    if len(levels) == 2:
        outside = replace(outside, at=((name, levels[1 - code]),))
    others = [other for over in context.evidence.groups for other in over if other != name]
    return ScanRow(
        task=context.layout.panel.task,
        attribute=name,
        minority=levels[code],
        share_train=_share(pools, pools.train, name, code),
        share_valid=None if pools.valid is None or not len(pools.valid) else _share(pools, pools.valid, name, code),
        share_by=tuple(_mix(pools, name, code, dict.fromkeys(others))),
        error_inside=within,
        error_outside=outside,
    )


def _share(pools: ScannedPools, rows: Rows, name: str, code: int) -> float | None:
    """Share of the images with a known value that have the level; None where no value is known."""
    column = pools.attributes.column(name)[rows]
    known = column[column >= 0]
    return float((known == code).mean()) if len(known) else None


def _mix(pools: ScannedPools, name: str, code: int, others: Iterable[str]) -> Iterator[tuple[str, float | None]]:
    """Of the minority's training images, the share of the last level of each other attribute."""
    inside_rows = pools.train[pools.attributes.column(name)[pools.train] == code]
    for other in others:
        levels = pools.attributes.levels_of(other)
        if not levels:
            continue
        yield f"{other}={levels[-1]}", _share(pools, inside_rows, other, len(levels) - 1)
