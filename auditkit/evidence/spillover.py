"""Spillover: how every arm changed a task's accuracy inside minus outside of every level of every attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditkit.evidence.assemble import PanelContext, family_of
from auditkit.evidence.estimates import estimate
from auditkit.evidence.grouping import inside
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import measure
from auditkit.evidence.panel import Panel
from auditkit.evidence.rates import Accuracy
from auditkit.evidence.resampling import Replicates
from auditkit.evidence.results import SPILLOVER, Finding
from auditkit.evidence.seeds import Arms


def spillover(
    context: PanelContext, arms: list[Arms], weight: Replicates, declared: Iterable[Finding] = ()
) -> tuple[list[Finding], dict[str, int]]:
    """One finding per attribute level and contrast of arms, a family of its own: exploration, not confirmation.

    Each is the change in a signed gap, inside minus outside of the level that `at` names. Of an attribute with two
    levels only the second is asked, the first being its mirror image. What `declared` findings have decided already is
    not decided again: in a smaller family it could come out otherwise.
    """
    lines = [_line(context, name, level, weight) for name, level in _levels(context.layout.panel)]
    changes = estimate(context.layout, lines, arms, weight)
    family = family_of(context, changes, SPILLOVER)
    decided = {_key(one, one.over[0]): one for one in declared if _is_difference(one)}
    found = []
    for one in changes.each:
        within = one.line.measure.grouping.places[1]
        finding = family.judged(context.describe(one, "change_in_signed_gap", within), one)
        before = decided.get(_key(finding, within[0][0]))
        if before is not None and before.estimate == finding.estimate:
            finding = replace(before, over=finding.over, at=within)
        found.append(replace(finding, family=family.name))
    return found, family.size


def _is_difference(finding: Finding) -> bool:
    """Whether it tells how the difference of accuracy between the two groups of one attribute changed."""
    what = finding.quantity, finding.metric, len(finding.over), finding.at
    return what == ("change_in_signed_gap", "accuracy", 1, ())


def _key(finding: Finding, attribute: str) -> tuple[str, ...]:
    return attribute, finding.arm, finding.against


def _levels(panel: Panel) -> Iterator[tuple[str, int]]:
    for name in panel.attributes:
        count = len(panel.levels[name])
        yield from ((name, level) for level in ([count - 1] if count in (1, 2) else range(count)))


def _line(context: PanelContext, name: str, level: int, weight: Replicates) -> Line:
    grouping = inside(context.layout.panel, name, level)
    metrics = {"accuracy": Accuracy(None)}
    (one,) = measure(context.layout, grouping, metrics, context.evidence, weight, point_tables=False)
    return Line(one, (0, 1))
