"""One metric over the groups of one grouping: per-seed values, support, replicates, and why a value cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import CountMetric, Metric, ScoreMetric
from auditkit.evidence import disparity
from auditkit.evidence.disparity import Table
from auditkit.evidence.grouping import Grouping, spans
from auditkit.evidence.layout import Layout, count
from auditkit.evidence.limits import bounds_of, is_share
from auditkit.evidence.parts import Drawn, Parts, evaluate
from auditkit.evidence.resampling import Replicates, resample_cells
from auditkit.evidence.support import defined_by, defines_groups, support, too_little
from auditkit.spec.model import Evidence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Tables = Mapping[tuple[int, ...], Table]


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A metric over the groups of a grouping.

    values, numerator, denominator: (units, groups) float64, NaN where undefined; images, people: (arms, groups) int64,
    the least support over seeds; replicates: (arms, groups, replicates) of the mean over seeds; influence: (units,
    groups, blocks); reason: per arm and group, why there is no value, "" where there is one; tables: point tables by
    the positions of the attributes held. `by_definition`: the truth on which the metric conditions defines the groups.
    """

    id: str
    metric: Metric
    grouping: Grouping
    values: Floats
    numerator: Floats
    denominator: Floats
    images: Integers
    people: Integers
    replicates: Replicates
    influence: Replicates
    reason: tuple[tuple[str, ...], ...]
    tables: Tables
    by_definition: bool

    @property
    def share(self) -> bool:
        """Whether its values lie between 0 and 1 by construction."""
        return is_share(self.metric)

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest value that it can have."""
        return bounds_of(self.metric)


def measure(
    layout: Layout,
    grouping: Grouping,
    metrics: Mapping[str, Metric],
    evidence: Evidence,
    weight: Replicates,
    *,
    point_tables: bool = True,
) -> list[Measure]:
    """Every metric over one grouping; `weight`: (blocks, replicates) from `resampling.weights`.

    Without `point_tables` the values are computed here, not by MetricFrame, which is slow where groups are many.
    """
    counts = count(layout, grouping)
    drawn = Drawn(counts, resample_cells(counts, weight), weight)
    tables = _tables(counts, grouping, metrics) if point_tables else {}
    return [
        _measure(layout, grouping, name, metric, drawn, tables.get(name), evidence) for name, metric in metrics.items()
    ]


def _measure(
    layout: Layout,
    grouping: Grouping,
    name: str,
    metric: Metric,
    drawn: Drawn,
    tables: Tables | None,
    evidence: Evidence,
) -> Measure:
    groups = list(evaluate(layout, grouping, metric, drawn))
    values = np.stack([parts.value for parts in groups], axis=1)
    if tables is None:
        shaped = values.reshape(len(values), *grouping.shape)
        tables = {held: disparity.of_values(shaped, held) for held in _held(grouping)}
    images, people = support(layout, grouping, metric, drawn.counts)
    tested = drawn.counts.sum(axis=(0, -1))
    return Measure(
        id=name,
        metric=metric,
        grouping=grouping,
        values=tables[()].by_group.reshape(values.shape),
        numerator=np.stack([parts.numerator for parts in groups], axis=1),
        denominator=np.stack([parts.denominator for parts in groups], axis=1),
        images=images,
        people=people,
        replicates=np.stack([parts.replicates for parts in groups], axis=1),
        influence=np.stack([parts.influence for parts in groups], axis=1),
        reason=_reasons(layout, grouping, metric, groups, tested, images, people, evidence),
        tables=tables,
        by_definition=defines_groups(layout.panel.target, grouping.over, metric),
    )


def _tables(
    counts: NDArray[np.float32], grouping: Grouping, metrics: Mapping[str, Metric]
) -> dict[str, dict[tuple[int, ...], Table]]:
    totals = counts.sum(axis=-1, dtype=np.float64).reshape(*counts.shape[:2], *grouping.shape)
    of_counts = {name: metric for name, metric in metrics.items() if isinstance(metric, CountMetric)}
    tables: dict[str, dict[tuple[int, ...], Table]] = {name: {} for name in of_counts}
    for held in _held(grouping):
        for name, table in disparity.tabulate(totals, of_counts, held).items():
            tables[name][held] = table
    return tables


def _held(grouping: Grouping) -> list[tuple[int, ...]]:
    return list(dict.fromkeys([(), *(span.axes for span in spans(grouping))]))


def _reasons(
    layout: Layout,
    grouping: Grouping,
    metric: Metric,
    groups: list[Parts],
    tested: NDArray[np.float32],
    images: Integers,
    people: Integers,
    evidence: Evidence,
) -> tuple[tuple[str, ...], ...]:
    """Per arm and group; tested: (units, groups) images with a prediction."""
    exist = np.bincount(grouping.code[grouping.code >= 0], minlength=len(grouping)) > 0
    target, known = layout.panel.target, layout.panel.identities_known

    def why(arm: int, g: int) -> str:
        units, parts = layout.units_of(arm), groups[g]
        if defines_groups(target, grouping.over, metric):
            return defined_by(target)
        if not exist[g]:
            return "no image of this group was tested"
        if (tested[units, g] == 0).any():
            return _untested(layout, arm, tested[units, g] == 0)
        if parts.failure:
            return parts.failure
        if np.isnan(parts.value[units]).any():
            return _undefined(layout, arm, parts, metric)
        return "" if metric.describes_test else too_little(int(images[arm, g]), int(people[arm, g]), known, evidence)

    return tuple(tuple(why(arm, g) for g in range(len(groups))) for arm in range(len(layout.arms)))


def _untested(layout: Layout, arm: int, none: NDArray[np.bool_]) -> str:
    return f"arm {layout.arms[arm]!r}{_seeds(layout, arm, none)} has no prediction for any image of this group"


def _seeds(layout: Layout, arm: int, which: NDArray[np.bool_]) -> str:
    """Which of an arm's seeds, "" for all."""
    if which.all():
        return ""
    named = [str(layout.seeds[arm][i]) for i in np.flatnonzero(which)]
    return f" with seed{'s' * (len(named) > 1)} {', '.join(named)}"


def _undefined(layout: Layout, arm: int, parts: Parts, metric: Metric) -> str:
    seeds = _seeds(layout, arm, np.isnan(parts.value[layout.units_of(arm)]))
    if isinstance(metric, ScoreMetric):
        return f"not defined here{seeds}: one class only, no scores, or not a finite number"
    return f"no image counts in the denominator{seeds}"
