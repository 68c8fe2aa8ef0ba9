"""The headline as one chart: the change per group and arm, against the arms of the headline contrast."""

from __future__ import annotations

from auditkit.evidence.results import Finding
from auditkit.report import charts, tables
from auditkit.report.blocks import Figure
from auditkit.report.contrasts import Contrast, against_in_words
from auditkit.report.outcomes import outcome
from auditkit.report.view import View, in_order


def effect(view: View, contrast: Contrast) -> Figure:
    """The change per group and arm, with both intervals, the margin and the noise of the seeds."""
    topic = contrast.topic
    metric, against = view.names.metric(topic.metric), against_in_words(view, contrast.against)
    unit = view.numbers.unit(topic.metric, "change")
    arms = [view.names.arm(arm) for arm in in_order(view.arms, (f.arm for f in contrast.changes))]
    who = f", {arms[0]}" if len(arms) == 1 else ""
    title = f"{topic.task}: change in {metric}{who} against {against}{f', in {unit}' if unit else ''}"
    findings = (*contrast.changes, *contrast.whole, *contrast.gaps)
    chart = charts.effects(
        [_point(view, f) for f in contrast.changes if f.estimate is not None],
        f"change in {metric}{f', {unit}' if unit else ''}",
        view.numbers.scaled(topic.metric, view.margin),
        arms,
        [view.names.group(at) for at in tables.places(contrast.changes)],
    )
    return Figure(
        f"effect-{slug(topic.task)}", title, _legend(view, contrast), chart, tables.changes(view, findings, title)
    )


def _legend(view: View, contrast: Contrast) -> str:
    """What the chart shows; with one seed there is no band of the seeds, and with a margin of 0 none of that."""
    topic = contrast.topic
    drawn = [f for f in contrast.changes if f.estimate is not None]
    bands = (
        [f"the light band is the declared margin of {view.numbers.margin(view.margin, topic.metric)}"]
        if view.margin
        else []
    )
    bands += ["the grey band is what seeds alone do"] if any(f.noise is not None for f in drawn) else []
    bands += ["the line is no change"]
    return (
        f"Dots are changes per group, by arm; thick bars plain {view.confidence} intervals, thin bars simultaneous "
        f"ones. {', '.join(bands).capitalize()}."
    )


def _point(view: View, finding: Finding) -> dict[str, object]:
    """A row of the chart, in the units of its axis."""
    wide = finding.simultaneous or finding.interval
    ends = {"low": finding.interval, "wide_low": wide}
    row: dict[str, object] = {
        "group": view.names.group(finding.at),
        "arm": view.names.arm(finding.arm),
        "x": view.numbers.scaled(finding.metric, finding.estimate or 0),
        "text": f"{view.names.arm(finding.arm)}, {view.names.group(finding.at)}: {outcome(view, finding)}",
    }
    for name, interval in ends.items():
        row[name] = None if interval is None else view.numbers.scaled(finding.metric, interval.low)
        row[name.replace("low", "high")] = (
            None if interval is None else view.numbers.scaled(finding.metric, interval.high)
        )
    return row | {"noise": None if finding.noise is None else view.numbers.scaled(finding.metric, finding.noise)}


def slug(text: str) -> str:
    """A text as part of an id."""
    return "".join(c if c.isalnum() else "-" for c in text).strip("-").lower()
