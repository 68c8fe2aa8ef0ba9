"""What can be asked of metrics: margins and bounds within their reach, gates that an interval can decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf

from auditkit.contracts import Metric, TableMetric
from auditkit.engine.resolution import Chosen
from auditkit.errors import AuditError, KeyPath, Problem
from auditkit.evidence.limits import bounds_of
from auditkit.spec.model import Audit, Gate, Selector

MOST = 0.2
"""A margin of more than this share of what the metrics span is none that anybody means."""
Build = Callable[[Chosen], Metric]


def check_asked(audit: Audit, placed: Mapping[KeyPath, Chosen], build: Build) -> list[Problem]:
    """Margins and bounds that no metric can reach, and gates that no metric can decide.

    Metrics are built only where gates, figures or an uncommon margin ask; one that cannot be is left to the run.
    """
    metrics = {chosen.component.id: chosen for path, chosen in placed.items() if path[:2] == ("evidence", "metrics")}

    def built(name: str) -> Metric | None:
        try:
            return build(metrics[name]) if name in metrics and metrics[name].draft is None else None
        except AuditError:
            return None

    found = []
    if audit.evidence.margin > MOST and (coarse := coarse_margin(audit.evidence.margin, map(built, metrics))):
        found.append(Problem(("evidence", "margin"), f"'margin' in [evidence] is {coarse[0]}", coarse[1]))
    for index, gate in enumerate(audit.gate):
        if (metric := built(gate.finding.metric)) is not None:
            found += _gate(gate, index, metric, audit)
    for index, figure in enumerate(audit.published):
        if figure.finding is not None and abs(figure.value) > 1:
            path: KeyPath = ("published", index, "value")
            found += _reach(figure.value, figure.finding, path, f"published {index + 1}", built(figure.finding.metric))
    return found


def coarse_margin(margin: float, metrics: Iterable[Metric | None]) -> tuple[str, str] | None:
    """Why a margin is none that anybody means, and what to write instead; None for any that somebody could mean.

    Nothing is said where a metric has no bounds, or is None, not to be had.
    """
    known = [metric for metric in metrics if metric is None or not metric.describes_test]
    spans = [inf if metric is None else bounds_of(metric)[1] - bounds_of(metric)[0] for metric in known]
    if margin <= MOST * max(spans, default=inf):
        return None
    if any(metric is not None and metric.percent for metric in known):
        said = f"{margin:g}, so that a change of {100 * margin:g} points would count as none"
        return said, f"margins are shares: {margin:g} points are {margin / 100:g}"
    return f"{margin:g}, and the metrics span no more than {max(spans):g}", "name a small part of that"


def _gate(gate: Gate, index: int, metric: Metric, audit: Audit) -> Iterator[Problem]:
    name, finding, path = f"gate {index + 1}", gate.finding, ("gate", index)
    targets = {task.label: task.target for task in audit.task}
    never = "so that it can never be decided"
    if metric.describes_test:
        said = f"{name} asks for {finding.metric!r}, which describes the test set and has no interval, {never}"
        yield Problem((*path, "finding", "metric"), said, "ask for a metric of what was predicted")
    elif isinstance(metric, TableMetric) and not finding.over:
        said = f"{name} asks for {finding.metric!r} of everybody, which is told of groups only, {never}"
        yield Problem((*path, "finding", "metric"), said, "name groups in 'over'")
    elif targets.get(finding.task) in finding.over and not metric.within_target:
        said = f"{name} asks for {finding.metric!r} in groups that are defined by what task {finding.task!r} predicts"
        yield Problem((*path, "finding", "over"), f"{said}, {never}", "name other groups, or ask for accuracy")
    for key, bound in (("at_most", gate.at_most), ("at_least", gate.at_least)):
        if bound is not None:
            yield from _reach(bound, finding, (*path, key), name, metric)


def _reach(number: float, finding: Selector, path: KeyPath, name: str, metric: Metric | None) -> Iterator[Problem]:
    """A problem where a number is farther from 0 than the metric, or a difference in it, can be."""
    if metric is None or finding.quantity == "ratio":
        return
    least, most = bounds_of(metric)
    far = max(abs(least), abs(most)) if finding.quantity == "value" else most - least
    if abs(number) <= far:
        return
    said = f"{path[-1]!r} of {name} is {number:g}, and {finding.metric!r} goes from {least:g} to {most:g}"
    yield Problem(path, said, _meant(number, finding) if metric.percent else "name a number in between")


def _meant(number: float, finding: Selector) -> str:
    unit = "%" if finding.quantity == "value" else "points"
    return f"it is a share: {number:g} {unit} {'is' if unit == '%' else 'are'} {number / 100:g}"
