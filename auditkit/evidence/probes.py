"""Other targets: how every arm changed what last-layer probes on its frozen features get right of other attributes.

A target is an attribute that is asked for; a probe is the last layer that is fitted to answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from auditkit.evidence.assemble import Family, PanelContext, family_of, values
from auditkit.evidence.estimates import Estimate, estimate
from auditkit.evidence.gaps import pairs_of
from auditkit.evidence.grouping import Grouping, group, spans
from auditkit.evidence.layout import Layout
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import Measure, measure
from auditkit.evidence.pairing import pairs_of_arms
from auditkit.evidence.panel import Panel
from auditkit.evidence.rates import Accuracy
from auditkit.evidence.resampling import Replicates
from auditkit.evidence.results import OTHER_TARGETS, Finding, Place, Probed
from auditkit.evidence.seeds import Arms
from auditkit.spec.model import Evidence
from auditkit.spec.quantities import Quantity


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A line of one probe, and what it is in findings."""

    name: str
    line: Line
    quantity: Quantity
    at: Place


def other_targets(
    panel: Panel, probes: Mapping[str, Panel], evidence: Evidence, *, seed: int = 0
) -> tuple[list[Finding], dict[str, int]]:
    """Accuracy of every probe in every arm, its change, and the change in its gap over the declared groups.

    `panel` is the task's own; the probes' panels, by what each is asked, have its rows and arms; their margins are NaN
    where their truth is missing. All changes are one family, for exploration; the same people are drawn for each probe.
    """
    context = PanelContext.of(panel, evidence, seed)
    base, weight = context.layout, context.weights()
    laid_out = ((name, PanelContext.of(probe, evidence, seed).layout) for name, probe in probes.items())
    asked = [one for name, layout in laid_out for one in _asked(name, layout, evidence, weight)]
    pairs, _ = pairs_of_arms(base, evidence)
    changes = estimate(base, [one.line for one in asked], pairs, weight)
    family = family_of(context, changes, OTHER_TARGETS)
    found = [_of_probe(finding, what, family) for finding, what in _values(context, asked)]
    for one, what in _each(changes.each, asked):
        finding = family.judged(context.describe(one, what.quantity, what.at), one)
        found.append(_of_probe(finding, what, family))
    return found, family.size


def _of_probe(finding: Finding, what: _Asked, family: Family) -> Finding:
    """Under a task of its own, lest a gate or a table take it for a finding of the task's networks."""
    probe = Probed(what.name, finding.task)
    return replace(finding, task=f"{probe.name} (probe of {probe.task})", family=family.name, probe=probe)


def _asked(name: str, layout: Layout, evidence: Evidence, weight: Replicates) -> Iterator[_Asked]:
    """The change in everybody, and in each gap between two groups that face each other."""
    everybody = _measure(layout, group(layout.panel, ()), evidence, weight)
    yield _Asked(name, Line(everybody, (0,)), "change", ())
    for grouping in (group(layout.panel, over) for over in evidence.groups):
        if len(grouping) < 2:
            continue
        grouped = _measure(layout, grouping, evidence, weight)
        for span in spans(grouping):
            if len(span.groups) == 2:
                (pair,) = pairs_of(span.groups)
                yield _Asked(name, Line(grouped, pair), "change_in_signed_gap", span.at)


def _measure(layout: Layout, grouping: Grouping, evidence: Evidence, weight: Replicates) -> Measure:
    (one,) = measure(layout, grouping, {"accuracy": Accuracy(None)}, evidence, weight, point_tables=False)
    return one


def _values(context: PanelContext, asked: Sequence[_Asked]) -> Iterator[tuple[Finding, _Asked]]:
    """Everybody's accuracy, by probe and arm."""
    whole = [one for one in asked if one.quantity == "change"]
    arms: list[Arms] = [(arm,) for arm in range(len(context.layout.arms))]
    estimates = estimate(context.layout, [one.line for one in whole], arms)
    for finding, (_, what) in zip(values(context, estimates), _each(estimates.each, whole), strict=True):
        yield finding, what


def _each(estimates: Sequence[Estimate], asked: Sequence[_Asked]) -> Iterator[tuple[Estimate, _Asked]]:
    """Every estimate with what it answers."""
    by_line = {id(one.line): one for one in asked}
    for one in estimates:
        yield one, by_line[id(one.line)]
