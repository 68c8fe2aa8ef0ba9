"""From estimates to findings: intervals, support, verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from auditkit.evidence.estimates import Estimate, Estimates
from auditkit.evidence.layout import Layout, lay_out
from auditkit.evidence.measures import Measure
from auditkit.evidence.panel import Panel
from auditkit.evidence.resampling import Replicates, weights
from auditkit.evidence.results import Finding, Interval, Place, Status
from auditkit.evidence.simultaneous import Simultaneous, simultaneous
from auditkit.evidence.uncertainty import (
    FEWEST_PEOPLE,
    Ends,
    normal_quantile,
    symmetric,
    t_quantile,
    wilson,
)
from auditkit.evidence.verdicts import Basis, decide
from auditkit.spec.model import Evidence
from auditkit.spec.quantities import Quantity
from auditkit.spec.words import plural
from auditkit.streams import generator


@dataclass(frozen=True, slots=True, eq=False)
class PanelContext:
    """What every finding of one panel needs: the panel, laid out, and on which terms it is judged."""

    layout: Layout
    evidence: Evidence
    seed: int

    @classmethod
    def of(cls, panel: Panel, evidence: Evidence, seed: int) -> PanelContext:
        """A panel laid out; the people of one data set are in the same blocks in every panel that holds them all."""
        return cls(lay_out(panel, generator(seed, "blocks of people")), evidence, seed)

    def weights(self) -> Replicates:
        """How often each block is drawn: the same people in every panel, arm and group, from `seed` alone."""
        return weights(generator(self.seed, "people"), self.layout.blocks, self.evidence.replicates)

    def describe(self, estimate: Estimate, quantity: Quantity, at: Place) -> Finding:
        """A finding without interval or verdict."""
        layout, measure = self.layout, estimate.line.measure
        finding = Finding(
            task=layout.panel.task,
            arm=layout.arms[estimate.arms[0]],
            metric=measure.id,
            over=measure.grouping.over,
            at=at,
            quantity=quantity,
            test=layout.panel.test,
            against=layout.arms[estimate.arms[1]] if estimate.compares else "",
            images=estimate.images,
            identities=estimate.people if layout.panel.identities_known else None,
            seeds=self.seeds(estimate),
        )
        if estimate.reason:
            status: Status = "undefined by definition" if measure.by_definition else "not estimable"
            return replace(finding, status=status, reason=estimate.reason)
        known = tuple(value if isfinite(value) else None for value in estimate.per_seed)
        sd = estimate.seed_sd if estimate.seed_sd is not None and isfinite(estimate.seed_sd) else None
        return replace(finding, estimate=estimate.value, per_seed=known, seed_sd=sd)

    def seeds(self, estimate: Estimate) -> int:
        """Number of seeds behind an estimate, the fewest of its arms."""
        return min(len(self.layout.seeds[arm]) for arm in estimate.arms)


def values(context: PanelContext, estimates: Estimates) -> Iterator[Finding]:
    """The value of every group in every arm, with numerator and denominator."""
    low, high = plain_ends(context, estimates)
    share = np.array([e.line.measure.share for e in estimates.each if e.row >= 0], dtype=bool)
    score = normal_quantile(context.evidence.confidence)
    inner, outer = wilson(estimates.value, estimates.spread, estimates.carriers, estimates.people, score)
    least, most = np.array([e.line.measure.bounds for e in estimates.each if e.row >= 0]).reshape(-1, 2).T
    ends = np.where(share, inner, np.maximum(low, least)), np.where(share, outer, np.minimum(high, most))
    for estimate in estimates.each:
        measure, (group,) = estimate.line.measure, estimate.line.groups
        units = context.layout.units_of(estimate.arms[0])
        finding = context.describe(estimate, "value", measure.grouping.places[group])
        finding = replace(
            finding,
            numerator=_finite(measure.numerator[units, group].mean()),
            denominator=_finite(measure.denominator[units, group].mean()),
        )
        yield finding if measure.metric.describes_test else with_interval(context, finding, estimate, estimates, ends)


def plain_ends(context: PanelContext, estimates: Estimates) -> Ends:
    """Ends of the plain t intervals of all rows."""
    return symmetric(estimates.value, estimates.spread, normal_quantile(context.evidence.confidence))


def with_interval(
    context: PanelContext,
    finding: Finding,
    estimate: Estimate,
    estimates: Estimates,
    ends: Ends,
    joint: Ends | None = None,
) -> Finding:
    """Add the interval, the simultaneous one where there is a family, and the noise of the seeds."""
    if estimate.row < 0:
        return finding
    missing = int(estimates.spread.undefined[estimate.row])
    finding = replace(
        finding,
        noise=None if estimate.same else noise(context, estimate, estimates),
        people_error=float(np.sqrt(estimates.spread.people[estimate.row])),
        undefined_replicates=missing,
        effective_identities=effective(estimate, estimates) if estimate.compares else None,
    )
    if estimate.same:
        nothing = Interval(0.0, 0.0)
        return replace(finding, interval=nothing, simultaneous=nothing if joint else None, effective_identities=None)
    why = no_interval(estimate.people, ends[0][estimate.row], ends[1][estimate.row])
    if why:
        return replace(finding, reason=why)
    most = limit(estimate.line.measure, _differences(estimate))
    return replace(
        finding,
        interval=interval(ends, estimate.row, most),
        simultaneous=interval(joint, estimate.row, most) if joint else None,
    )


def interval(ends: Ends, row: int, most: float) -> Interval:
    """One row of many ends, none of them beyond what is possible."""
    return within((float(ends[0][row]), float(ends[1][row])), most)


def within(ends: tuple[float, float], most: float) -> Interval:
    """The interval without what lies beyond -most and most."""
    low, high = ends
    return Interval(max(low, -most), min(high, most))


def limit(measure: Measure, differences: int = 1) -> float:
    """How far from 0 a sum of so many differences can be: for shares 1, for a difference of differences 2."""
    least, most = measure.bounds
    return differences * (most - least)


def _differences(estimate: Estimate) -> int:
    """How many differences of values it is the sum of: 2 for a difference of differences."""
    return max(len(estimate.line.groups) * len(estimate.arms) // 2, 1)


def no_interval(people: int, low: float, high: float) -> str:
    """Why an estimate from so many people has no interval from `low` to `high`, "" where it has one."""
    if people < FEWEST_PEOPLE:
        who = plural(people, "person is", "people are")
        return f"no interval: {who} too few to vouch for one (needs {FEWEST_PEOPLE})"
    if not (isfinite(low) and isfinite(high)):
        return "no interval: the spread under resampling of people is not defined"
    return ""


def effective(estimate: Estimate, estimates: Estimates) -> float | None:
    """The effective number of people who carry an estimate; None where nobody does, as where no prediction differs."""
    return float(estimates.carriers[estimate.row]) or None


def noise(context: PanelContext, estimate: Estimate, estimates: Estimates) -> float | None:
    """Half width of the interval that seeds alone would give, on these people; None with one seed.

    Part of what they do shows in the variance of people as well, so that it may exceed what they add to the interval;
    never the whole of it.
    """
    if context.seeds(estimate) < 2:
        return None
    spread = estimates.spread.take([estimate.row])
    score = normal_quantile(context.evidence.confidence)
    alone, whole = t_quantile(score, spread.seeds_df) * np.sqrt(spread.retraining), spread.half_width(score)
    return min(float(alone[0]), float(whole[0]), limit(estimate.line.measure, _differences(estimate)))


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Estimates whose intervals hold at once; plain, joint: ends of all their rows."""

    context: PanelContext
    name: str
    estimates: Estimates
    critical: Simultaneous
    plain: Ends
    joint: Ends

    @property
    def size(self) -> dict[str, int]:
        """Name and number of estimates."""
        return {self.name: len(self.estimates.value)}

    def judged(self, finding: Finding, estimate: Estimate) -> Finding:
        """Add both intervals and the verdict to what is known of an estimate."""
        finding = with_interval(self.context, finding, estimate, self.estimates, self.plain, self.joint)
        return self.verdict(finding, estimate, told=estimate.row >= 0 and bool(self.critical.rejected[estimate.row]))

    def verdict(self, finding: Finding, estimate: Estimate, *, told: bool = False) -> Finding:
        """Add the verdict to a finding that has its intervals; `told`: the step-down test tells it from zero."""
        if finding.estimate is None:
            return finding
        finding = replace(finding, family=self.name)
        if estimate.same:
            words = "the two arms made the very same predictions"
            return replace(finding, verdict="no change larger than the margin", explanation=words)
        if finding.simultaneous is None:
            return finding
        decision = decide(self._basis(finding, finding.simultaneous, estimate, told))
        return replace(finding, **decision._asdict())

    def _basis(self, finding: Finding, interval: Interval, estimate: Estimate, told: bool) -> Basis:
        spread = self.estimates.spread
        return Basis(
            estimate=finding.estimate or 0.0,
            interval=interval,
            told=told,
            margin=self.context.evidence.margin,
            percent=estimate.line.measure.metric.percent,
            people=estimate.people,
            seeds=self.context.seeds(estimate),
            spread=spread.take([estimate.row]),
            score=self.critical.score,
            noise=finding.noise,
            few=finding.rests_on_few,
            carried=bool(self.estimates.carriers[estimate.row]),
            grouped=bool(finding.over),
        )


def family_of(context: PanelContext, estimates: Estimates, what: str) -> Family:
    """Make a family of all estimates that can be estimated, and the intervals that hold at once over it."""
    panel, spread = context.layout.panel, estimates.spread
    test = "" if panel.test == "plain" else f", {panel.test} test"
    rng = generator(context.seed, f"simultaneous over {what}")
    critical = simultaneous(
        estimates.redrawn, estimates.value, spread, estimates.line, context.evidence.confidence, rng
    )
    return Family(
        context=context,
        name=f"{what} of {panel.task}{test}",
        estimates=estimates,
        critical=critical,
        plain=plain_ends(context, estimates),
        joint=symmetric(estimates.value, spread, critical.score),
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
