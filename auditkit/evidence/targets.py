"""Other targets: how every arm changed what last-layer probes on its frozen features get right of other attributes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from auditkit.evidence.assemble import PanelContext, family_of, values
from auditkit.evidence.contrasts import Estimate, estimate
from auditkit.evidence.gaps import pairs_of
from auditkit.evidence.grouping import Grouping, group, spans
from auditkit.evidence.layout import Layout, lay_out
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import Measure, measure
from auditkit.evidence.pairing import pairs_of_arms
from auditkit.evidence.panel import Panel
from auditkit.evidence.probe_names import FAMILY
from auditkit.evidence.rates import Accuracy
from auditkit.evidence.results import Finding, Place, Quantity
from auditkit.evidence.seeds import Arms
from auditkit.evidence.uncertainty import Replicates, weights
from auditkit.spec.model import Evidence
from auditkit.streams import generator


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A line of one probe, and what it is in findings."""

    task: str
    line: Line
    quantity: Quantity
    at: Place


def other_targets(
    panel: Panel, probes: Sequence[Panel], evidence: Evidence, *, seed: int = 0
) -> tuple[list[Finding], dict[str, int]]:
    """Accuracy of every probe in every arm, its change, and the change in its gap over the declared groups.

    `panel` is the task's own; the probes' panels have its rows and arms, their margins are NaN where their truth is
    missing. All changes are one family, for exploration: the same people are drawn for every probe.
    """
    base = lay_out(panel, generator(seed, "blocks of people"))
    weight = weights(generator(seed, "people"), base.blocks, evidence.replicates)
    asked = [one for probe in probes for one in _asked(_alike(probe, seed), evidence, weight)]
    context = PanelContext(base, evidence, seed)
    pairs, _ = pairs_of_arms(base, evidence)
    changes = estimate(base, [one.line for one in asked], pairs, weight)
    family = family_of(context, changes, FAMILY)
    found = [replace(one, family=family.name) for one in _values(context, asked)]
    for one, what in _each(changes.each, asked):
        finding = family.judged(context.describe(one, what.quantity, what.at), one)
        found.append(replace(finding, task=what.task, family=family.name))
    return found, family.size


def _alike(probe: Panel, seed: int) -> Layout:
    """Laid out in the blocks of people that the task's own panel has."""
    return lay_out(probe, generator(seed, "blocks of people"))


def _asked(layout: Layout, evidence: Evidence, weight: Replicates) -> Iterator[_Asked]:
    """The change in everybody, and in each gap between two groups that face each other."""
    task = layout.panel.task
    everybody = _measure(layout, group(layout.panel, ()), evidence, weight)
    yield _Asked(task, Line(everybody, (0,)), "change", ())
    for grouping in (group(layout.panel, over) for over in evidence.groups):
        if len(grouping) < 2:
            continue
        grouped = _measure(layout, grouping, evidence, weight)
        for span in spans(grouping):
            if len(span.groups) == 2:
                (pair,) = pairs_of(span.groups)
                yield _Asked(task, Line(grouped, pair), "change_in_signed_gap", span.at)


def _measure(layout: Layout, grouping: Grouping, evidence: Evidence, weight: Replicates) -> Measure:
    (one,) = measure(layout, grouping, {"accuracy": Accuracy(None)}, evidence, weight, point_tables=False)
    return one


def _values(context: PanelContext, asked: Sequence[_Asked]) -> Iterator[Finding]:
    """Everybody's accuracy, by probe and arm."""
    whole = [one for one in asked if one.quantity == "change"]
    arms: list[Arms] = [(arm, None) for arm in range(len(context.layout.arms))]
    estimates = estimate(context.layout, [one.line for one in whole], arms)
    for finding, (_, what) in zip(values(context, estimates), _each(estimates.each, whole), strict=True):
        yield replace(finding, task=what.task)


def _each(estimates: Sequence[Estimate], asked: Sequence[_Asked]) -> Iterator[tuple[Estimate, _Asked]]:
    """Every estimate with what it answers."""
    by_line = {id(one.line): one for one in asked}
    for one in estimates:
        yield one, by_line[id(one.line)]
