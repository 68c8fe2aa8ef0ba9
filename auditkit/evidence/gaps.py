"""Gaps and ratios of several groups, and how an arm changed a gap, from signed pairs that hold at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.assemble import Family, PanelContext, effective, limit, no_interval, noise, within
from auditkit.evidence.estimates import Estimate, Estimates
from auditkit.evidence.grouping import Span
from auditkit.evidence.measures import Measure
from auditkit.evidence.results import Finding, Interval
from auditkit.evidence.seeds import Arms
from auditkit.evidence.simultaneous import simultaneous
from auditkit.evidence.uncertainty import (
    Ends,
    Spread,
    gap_bounds,
    gap_change_bounds,
    normal_quantile,
    symmetric,
    widest,
)
from auditkit.streams import generator

Floats = NDArray[np.float64]
NUISANCE = 0.999
"""Confidence of the gaps before and after, by which the change of a gap is bounded (Berger & Boos, JASA 1994)."""
Key = tuple[str, tuple[str, ...], tuple[int, ...], Arms]


def pairs_of(groups: Sequence[int]) -> list[tuple[int, int]]:
    """All pairs (low, high) of groups."""
    return list(combinations(groups, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Estimates of all signed pairs, to be found by measure, pair and arms."""

    estimates: Estimates
    index: Mapping[Key, Estimate]

    @classmethod
    def of(cls, estimates: Estimates) -> Pairs:
        """Index estimates."""
        return cls(estimates, {_key(e.line.measure, e.line.groups, e.arms): e for e in estimates.each})

    def over(self, measure: Measure, span: Span, arms: Arms) -> list[Estimate]:
        """The estimates of all pairs of a span."""
        return [self.index[_key(measure, pair, arms)] for pair in pairs_of(span.groups)]


def _key(measure: Measure, groups: tuple[int, ...], arms: Arms) -> Key:
    return (measure.id, measure.grouping.over, groups, arms)


def gap(context: PanelContext, pairs: Pairs, measure: Measure, span: Span, arm: int) -> tuple[Finding, Finding]:
    """The largest less the smallest group of a span, and the smallest over the largest, in one arm.

    Both are of the groups' means over seeds; per seed they are of that seed's groups, and may have another mean.
    """
    estimates = pairs.over(measure, span, (arm,))
    units, table = context.layout.units_of(arm), measure.tables[span.axes]
    largest, smallest = _extremes(context, measure, span, arm)
    whole = _summary(estimates, largest - smallest, _per_seed(table.difference, units, span))
    finding = context.describe(whole, "gap", span.at)
    quotient = _summary(estimates, smallest / largest if largest else np.nan, _per_seed(table.ratio, units, span))
    ratio = context.describe(quotient, "ratio", span.at)
    if ratio.estimate is not None and np.isnan(ratio.estimate):
        ratio = replace(ratio, estimate=None, status="not estimable", reason="every group has the value 0")
    if finding.estimate is None or measure.metric.describes_test:
        return finding, ratio
    ends = _plain_ends(context, pairs.estimates, estimates)
    return _bounded(finding, whole, ends, gap_bounds(*ends)), ratio


def no_gaps(context: PanelContext, metric: str, over: tuple[str, ...]) -> Iterator[Finding]:
    """Say of every arm that there is nothing to take a gap over."""
    panel = context.layout.panel
    empty = tuple(name for name in over if not panel.levels[name])
    names, what = (empty, "no value in the test set") if empty else (over, "one level only")
    reason = f"{' and '.join(map(repr, names))} {'has' if len(names) == 1 else 'have'} {what}"
    for arm in context.layout.arms:
        yield Finding(panel.task, arm, metric, over, (), "gap", panel.test, status="not estimable", reason=reason)


def gap_change(
    context: PanelContext, pairs: Pairs, changes: Pairs, family: Family, measure: Measure, span: Span, arms: Arms
) -> Finding:
    """The gap of a span in one arm less that in another, both of means over seeds: positive where the gap widened."""
    arm, against = arms
    moved = changes.over(measure, span, arms)
    difference = measure.tables[span.axes].difference
    sizes = [np.subtract(*_extremes(context, measure, span, k)) for k in (arm, against)]
    per_seed = [_per_seed(difference, context.layout.units_of(k), span) for k in (arm, against)]
    paired = per_seed[0] - per_seed[1] if len(per_seed[0]) == len(per_seed[1]) else np.zeros(0)
    widened = _summary(moved, float(sizes[0] - sizes[1]), paired)
    finding = context.describe(widened, "change_in_gap", span.at)
    if finding.estimate is None:
        return finding
    if widened.same:
        nothing = Interval(0.0, 0.0)
        return family.verdict(replace(finding, interval=nothing, simultaneous=nothing), widened)
    before, after = (_sign_ends(pairs.estimates, pairs.over(measure, span, (k,))) for k in (against, arm))
    plain = _plain_ends(context, changes.estimates, moved)
    finding = _bounded(finding, widened, plain, gap_change_bounds(before, after, plain))
    noisiest = max(moved, key=lambda e: float(changes.estimates.spread.total[e.row]))
    finding = replace(
        finding,
        noise=noise(context, noisiest, changes.estimates),
        people_error=float(np.sqrt(changes.estimates.spread.people[noisiest.row])),
        effective_identities=_effective(moved, widest(before) | widest(after), changes.estimates),
    )
    if finding.interval is not None:
        spread = _take(changes.estimates, moved)
        ends = symmetric(_values(moved), spread, family.critical.score)
        finding = replace(finding, simultaneous=within(gap_change_bounds(before, after, ends), limit(measure)))
    return family.verdict(finding, noisiest)


def _effective(moved: Sequence[Estimate], matter: NDArray[np.bool_], among: Estimates) -> float | None:
    """The least effective number of people of those pairs that could be the widest."""
    known = [effective(one, among) for one, matters in zip(moved, matter, strict=True) if matters]
    return min((number for number in known if number is not None), default=None)


def _per_seed(table: Floats, units: NDArray[np.int64], span: Span) -> Floats:
    """Differences or ratios of some units at the levels held."""
    for level in span.index:
        table = table[:, level]
    return table[units]


def _extremes(context: PanelContext, measure: Measure, span: Span, arm: int) -> tuple[float, float]:
    """Largest and smallest of the seed-averaged groups."""
    averaged = measure.values[context.layout.units_of(arm)][:, list(span.groups)].mean(axis=0)
    return float(averaged.max()), float(averaged.min())


def _summary(estimates: Sequence[Estimate], value: float, per_seed: Floats) -> Estimate:
    """One estimate that stands for all pairs of a span, with the least support of any, or the first reason."""
    weakest = next((e for e in estimates if e.reason), estimates[0])
    return replace(
        weakest,
        value=value,
        per_seed=tuple(per_seed.tolist()),
        seed_sd=float(per_seed.std(ddof=1)) if len(per_seed) > 1 else None,
        images=min(e.images for e in estimates),
        people=min(e.people for e in estimates),
    )


def _values(estimates: Sequence[Estimate]) -> Floats:
    return np.array([e.value for e in estimates])


def _take(among: Estimates, estimates: Sequence[Estimate]) -> Spread:
    return among.spread.take([e.row for e in estimates])


def _plain_ends(context: PanelContext, among: Estimates, estimates: Sequence[Estimate]) -> Ends:
    """Ends of all pairs of one gap, which hold at once over these pairs."""
    spread, confidence = _take(among, estimates), context.evidence.confidence
    if len(estimates) == 1:
        return symmetric(_values(estimates), spread, normal_quantile(confidence))
    rows = [e.row for e in estimates]
    rng = generator(context.seed, "simultaneous over one gap")
    joint = simultaneous(among.redrawn.take(rows), _values(estimates), spread, among.line[rows], confidence, rng)
    return symmetric(_values(estimates), spread, joint.score)


def _sign_ends(among: Estimates, estimates: Sequence[Estimate]) -> Ends:
    spread = _take(among, estimates)
    return symmetric(_values(estimates), spread, normal_quantile(1 - (1 - NUISANCE) / len(estimates)))


def _bounded(finding: Finding, estimate: Estimate, ends: Ends, bounds: tuple[float, float]) -> Finding:
    why = no_interval(estimate.people, ends[0][0], ends[1][0])
    if why:
        return replace(finding, reason=why)
    return replace(finding, interval=within(bounds, limit(estimate.line.measure)))
