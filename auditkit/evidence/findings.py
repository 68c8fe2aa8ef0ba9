"""All seeds and arms of all tasks to findings: estimates, intervals, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from auditkit.contracts import Metric, TableMetric
from auditkit.evidence.assemble import Family, PanelContext, family_of, plain_ends, values, with_interval
from auditkit.evidence.estimates import estimate
from auditkit.evidence.gaps import Pairs, gap, gap_change, no_gaps, pairs_of
from auditkit.evidence.grouping import group, spans
from auditkit.evidence.layout import Layout
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import Measure, measure
from auditkit.evidence.pairing import pairs_of_arms
from auditkit.evidence.panel import Panel
from auditkit.evidence.remarks import Remark, remarks, together
from auditkit.evidence.resampling import Replicates
from auditkit.evidence.results import Finding
from auditkit.evidence.seeds import Arms
from auditkit.evidence.spillover import spillover
from auditkit.spec.model import Evidence

PairsOfArms = Callable[[Layout, Evidence], tuple[list[Arms], list[str]]]
"""Contrasts of arms, or differences of two, by positions in the layout, and what is amiss with them."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What the panels say: findings, the size of each family of simultaneous intervals, and remarks for the reader."""

    findings: tuple[Finding, ...]
    families: Mapping[str, int]
    remarks: tuple[str, ...]


def derive(
    panels: Sequence[Panel],
    evidence: Evidence,
    metrics: Mapping[str, Metric],
    *,
    seed: int = 0,
    pairs: PairsOfArms = pairs_of_arms,
) -> Derived:
    """Everything that the evidence section asks of the panels, wherever the predictions came from.

    `metrics` by the name that findings give them. The reference is the first arm where `evidence.reference` names none.
    The same people are drawn for every task, arm and group, from `seed` alone. `pairs` says which arms are contrasted.
    """
    findings: list[Finding] = []
    families: dict[str, int] = {}
    said: list[Remark] = []
    for panel in panels:
        context = PanelContext.of(panel, evidence, seed)
        layout, weight = context.layout, context.weights()
        arms, problems = pairs(layout, evidence)
        declared = _confirmatory(context, _measures(context, metrics, weight), arms, weight)
        findings += _empty(context, metrics)
        explored = spillover(context, arms, weight, declared[0]) if evidence.spillover else ([], {})
        for found, size in (declared, explored):
            findings += found
            families |= size
        said += [*(Remark(panel.task, problem) for problem in problems), *_remarks(layout, evidence, declared[0])]
    return Derived(tuple(findings), families, together(said))


def _remarks(layout: Layout, evidence: Evidence, declared: list[Finding]) -> Iterator[Remark]:
    compared = any(finding.against and finding.interval is not None for finding in declared)
    return remarks(layout, evidence, compared=compared)


def _measures(context: PanelContext, metrics: Mapping[str, Metric], weight: Replicates) -> list[Measure]:
    """Every metric over everybody and over the declared groups; a share of all groups says nothing of everybody."""
    single = {name: metric for name, metric in metrics.items() if not isinstance(metric, TableMetric)}
    result = []
    for over in dict.fromkeys([(), *context.evidence.groups]):
        grouping = group(context.layout.panel, over)
        if len(grouping):
            result += measure(context.layout, grouping, metrics if over else single, context.evidence, weight)
    return result


def _empty(context: PanelContext, metrics: Mapping[str, Metric]) -> Iterator[Finding]:
    """What is said of groupings that hold no group, since an attribute has no value at all."""
    for over in context.evidence.groups:
        if not len(group(context.layout.panel, over)):
            for name in metrics:
                yield from no_gaps(context, name, over)


def _confirmatory(
    context: PanelContext, measures: list[Measure], arms: list[Arms], weight: Replicates
) -> tuple[list[Finding], dict[str, int]]:
    """Values, gaps and changes of the declared groups; all changes, of groups and of gaps, are one family."""
    layout = context.layout
    alone: list[Arms] = [(arm,) for arm in range(len(layout.arms))]
    pairs = Pairs.of(estimate(layout, _pairs(measures), alone, weight))
    found = list(values(context, estimate(layout, _groups(measures), alone)))
    found += _gaps(context, pairs, measures)
    asked = [m for m in measures if not m.metric.describes_test]
    changes = estimate(layout, [*_groups(asked), *_pairs(asked)], arms, weight)
    family = family_of(context, changes, "changes")
    found += _changes(family)
    found += _gap_changes(family, pairs, asked, arms)
    return found, family.size


def _groups(measures: list[Measure]) -> list[Line]:
    return [Line(m, (g,)) for m in measures for g in range(len(m.grouping))]


def _pairs(measures: list[Measure]) -> list[Line]:
    return [Line(m, pair) for m in measures for pair in pairs_of(range(len(m.grouping)))]


def _changes(family: Family) -> Iterator[Finding]:
    """How every arm changed every group."""
    for one in family.estimates.each:
        if len(one.line.groups) == 1:
            at = one.line.measure.grouping.places[one.line.groups[0]]
            yield family.judged(family.context.describe(one, "change", at), one)


def _gap_changes(family: Family, pairs: Pairs, measures: list[Measure], arms: list[Arms]) -> Iterator[Finding]:
    """How every arm changed every gap; of the difference of two changes, of signed gaps only."""
    changes = Pairs.of(family.estimates)
    for m in measures:
        for span, pair in product(spans(m.grouping), arms):
            if len(pair) == 2:
                yield gap_change(family.context, pairs, changes, family, m, span, pair)
            if len(span.groups) == 2:
                one = changes.over(m, span, pair)[0]
                yield family.judged(family.context.describe(one, "change_in_signed_gap", span.at), one)


def _gaps(context: PanelContext, pairs: Pairs, measures: list[Measure]) -> Iterator[Finding]:
    ends = plain_ends(context, pairs.estimates)
    for m in measures:
        if m.grouping.over and len(m.grouping) < 2:
            yield from no_gaps(context, m.id, m.grouping.over)
        for span, arm in product(spans(m.grouping), range(len(context.layout.arms))):
            yield from gap(context, pairs, m, span, arm)
            if len(span.groups) == 2:
                one = pairs.over(m, span, (arm,))[0]
                finding = context.describe(one, "signed_gap", span.at)
                described = m.metric.describes_test
                yield finding if described else with_interval(context, finding, one, pairs.estimates, ends)
