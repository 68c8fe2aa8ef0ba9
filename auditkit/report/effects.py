"""Sections on the declared question: the metric by group and arm, changes, gaps, other metrics, dose and response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditkit.evidence.results import Finding, Place
from auditkit.report import cells, charts, contrasts, headline, tables
from auditkit.report.blocks import Block, Cell, Figure, Fold, Section, Table
from auditkit.report.cells import Footnotes
from auditkit.report.headline import slug
from auditkit.report.numbers import count, support
from auditkit.report.view import ERROR_SHARE, Topic, View, distinct, in_order
from auditkit.spec.model import Arm

LONG = 6
"""Tables of changes of gaps with more rows are folded."""
OFF = 0.0005
"""What counts may give beside the share that is shown, before a note says why."""
DOSES = 3
"""A numeric option must take so many values to be drawn as a dose."""


def main_topics(view: View) -> tuple[Topic, ...]:
    """The topics of the headline metric; everyone alone only where there are no groups."""
    return tuple(topic for topic in view.topics if topic.metric == view.metric and _leads(view, topic))


def _leads(view: View, topic: Topic) -> bool:
    """Whether a topic is about groups, or there are none that would show everyone beside them."""
    return bool(topic.over) or not any(other.over for other in view.topics if other.whole == topic)


def by_group(view: View) -> Section | None:
    """The headline metric by group and arm."""
    figures = tuple(_values(view, topic) for topic in main_topics(view) if view.find(topic, "value"))
    title = f"{_capital(view.names.metric(view.metric))} by group and arm"
    return Section("groups", title, (*figures, *_supports(view))) if figures else None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _values(view: View, topic: Topic) -> Figure:
    findings = view.find(topic, "value")
    rows = [_point(view, f) for f in findings if f.estimate is not None]
    unit = view.numbers.unit(topic.metric, "value")
    title = f"{view.names.metric(topic.metric)}{f', {unit}' if unit else ''}"
    arms = [view.names.arm(arm) for arm in in_order(view.arms, (f.arm for f in findings))]
    groups = [view.names.group(at) for at in tables.places(findings)]
    chart = charts.values(rows, title, arms, groups, most=100.0 if unit == "%" else None)
    name = tables.heading(view, topic)
    described = f"Dots are means over seeds, bars {view.confidence} intervals, a row per arm, a sign per group."
    label = slug("-".join(("groups", topic.task, topic.test, *topic.over)))
    return Figure(label, name, described, chart, tables.values(view, topic))


def _point(view: View, finding: Finding) -> dict[str, object]:
    interval = finding.interval
    ends = (None, None) if interval is None else (interval.low, interval.high)
    low, high = (None if end is None else view.numbers.scaled(finding.metric, end) for end in ends)
    return {
        "arm": view.names.arm(finding.arm),
        "group": view.names.group(finding.at),
        "x": view.numbers.scaled(finding.metric, finding.estimate or 0),
        "low": low,
        "high": high,
        "text": f"{view.names.arm(finding.arm)}, {view.names.group(finding.at)}: "
        f"{view.numbers.with_interval(finding, interval)}",
    }


def _supports(view: View) -> tuple[Block, ...]:
    found = [table for topic in main_topics(view) if (table := _support(view, topic)) is not None]
    return (Fold("Support: images, people, and the counts behind the shares", tuple(found)),) if found else ()


def _support(view: View, topic: Topic) -> Table | None:
    findings = [f for f in view.find(topic, "value") if f.images]
    rows = tuple(_support_row(view, f) for f in sorted(findings, key=lambda f: view.arms.index(f.arm)))
    columns = ("arm", "group", "support", "counts, mean over seeds", "each seed")
    caption = f"{tables.heading(view, topic)}: support"
    notes = (*_of_means(findings), *_overlap(view, topic, findings))
    return Table(caption, columns, rows, heads=2, notes=notes) if rows else None


def _of_means(findings: Sequence[Finding]) -> Iterator[str]:
    """Why the counts do not give the share that is shown, where they do not."""
    known = ((f.estimate, f.numerator, f.denominator) for f in findings)
    if any(e is not None and n is not None and d and abs(n / d - e) > OFF for e, n, d in known):
        yield "A share is the mean of each seed's own, and not that of mean counts: seeds differ in their denominators."


def _overlap(view: View, topic: Topic, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Why the people of the groups add up to more than there are; nothing where they do not."""
    everyone = {f.arm: f.identities for f in view.find(topic._replace(over=()), "value") if f.identities}
    added = {arm: sum(f.identities or 0 for f in findings if f.arm == arm) for arm in everyone}
    arm = next((arm for arm in added if added[arm] > everyone[arm]), None)
    if arm is None:
        return ()
    return (
        f"The groups have {count(added[arm])} people together and everyone is {count(everyone[arm])}: labels are given "
        "image by image, so that one person can have images in several groups.",
    )


def _support_row(view: View, finding: Finding) -> tuple[Cell, ...]:
    return (
        Cell(view.names.arm(finding.arm)),
        Cell(view.names.group(finding.at)),
        Cell(support(finding.images, finding.identities)),
        Cell(cells.counts(finding)),
        Cell(", ".join(cells.seed_values(view, finding))),
    )


def changes(view: View) -> Section | None:
    """Changes against the placebo and against the reference, beyond the headline's."""
    shown = contrasts.contrasts(view)
    blocks: list[Block] = [headline.effect(view, contrast) for contrast in shown[1:]]
    told = {(t, a) for c in shown for a in c.against for t in (c.topic, c.topic.whole)}
    for topic in (topic for topic in view.topics if topic.metric == view.metric):
        blocks += [fold for against in _against(view, topic, told) for fold in _folds(view, topic, against)]
    return Section("changes", "Changes, every contrast", tuple(blocks)) if blocks else None


def _against(view: View, topic: Topic, told: set[tuple[Topic, str]]) -> list[str]:
    arms = distinct(against for other, _, against in view.index if other == topic and against)
    return [against for against in arms if (topic, against) not in told]


def _folds(view: View, topic: Topic, against: str) -> Iterator[Fold]:
    table = _changes(view, topic, against)
    if table is not None:
        yield Fold(table.caption + _changed(_measured(view, topic, against)), (table,))


def _changed(found: Sequence[Finding]) -> str:
    """ ": 2 of 12 changed", so that a fold tells whether to open it; nothing where none did."""
    number = sum(f.verdict == "changed" for f in found)
    return f": {number} of {len(found)} changed" if number else ""


def _measured(view: View, topic: Topic, against: str) -> list[Finding]:
    return [*view.find(topic, "change", against), *tables.gap_changes(view, topic, against)]


def _changes(view: View, topic: Topic, against: str) -> Table | None:
    """None where nothing could ever be known, which the table of values says already."""
    found = _measured(view, topic, against)
    caption = tables.heading(view, topic, "change", f"change in {{}} against {view.names.arm(against)}")
    known = any(f.status != "undefined by definition" for f in found)
    return tables.changes(view, found, caption) if known else None


def gaps(view: View) -> Section | None:
    """Gaps between groups, by arm, and how they changed."""
    blocks: list[Block] = []
    for topic in main_topics(view):
        table, (changed, said) = tables.gaps(view, topic), _gap_changes(view, topic)
        blocks += [table] if table else []
        if changed:
            blocks.append(Fold(changed.caption + said, (changed,)) if len(changed.rows) > LONG else changed)
    return Section("gaps", "Gaps between groups", tuple(blocks)) if blocks else None


def _gap_changes(view: View, topic: Topic) -> tuple[Table | None, str]:
    """Against the arms of the headline; and how many changed."""
    against = next((c.against for c in contrasts.contrasts(view) if c.topic.task == topic.task), (view.reference,))
    found = [finding for arm in against for finding in tables.gap_changes(view, topic, arm)]
    words = contrasts.against_in_words(view, against)
    caption = tables.heading(view, topic, "change", f"change of gaps in {{}} against {words}")
    return (tables.changes(view, found, caption) if found else None, _changed(found))


def other_metrics(view: View) -> Section | None:
    """Every other declared metric, folded."""
    topics = [topic for topic in view.topics if topic.metric not in {view.metric, ERROR_SHARE}]
    metrics = distinct(topic.metric for topic in topics)
    folds = tuple(_fold(view, metric, [t for t in topics if t.metric == metric]) for metric in metrics)
    return Section("metrics", "Other metrics", folds) if folds else None


def _fold(view: View, metric: str, topics: Sequence[Topic]) -> Fold:
    blocks: list[Block] = []
    found: list[Finding] = []
    for topic in topics:
        found += [f for against in _against(view, topic, set()) for f in _measured(view, topic, against)]
        blocks += [tables.values(view, topic)] if _leads(view, topic) and view.find(topic, "value") else []
        blocks += [t for against in _against(view, topic, set()) if (t := _changes(view, topic, against)) is not None]
    return Fold(_capital(view.names.metric(metric)) + _changed(found), tuple(blocks))


# --------------------------------------------------------------------------------------------------- dose and response


def dose(view: View) -> Section | None:
    """The headline metric over the one sampler option that varies between arms."""
    option, doses = _doses(view.audit.arm)
    if len(set(doses.values())) < DOSES:
        return None
    figures = tuple(_dose(view, topic, option, doses) for topic in main_topics(view) if view.find(topic, "value"))
    return Section("dose", "Dose and response", figures) if figures else None


def _doses(arms: Sequence[Arm]) -> tuple[str, Mapping[str, float]]:
    """The numeric option that takes the most values over the arms of one sampler, and its value per arm."""
    values: dict[tuple[str, str], dict[str, float]] = {}
    for arm in arms:
        for option, value in arm.sampler.options.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                values.setdefault((arm.sampler.id, option), {})[arm.name] = float(value)
    best = max(values, key=lambda key: len(set(values[key].values())), default=None)
    return (f"{best[0]}: {best[1]}", values[best]) if best else ("", {})


def _dose(view: View, topic: Topic, option: str, doses: Mapping[str, float]) -> Figure:
    findings = [f for f in view.find(topic, "value") if f.arm in doses]
    rows = [_point(view, f) | {"dose": doses[f.arm]} for f in findings if f.estimate is not None]
    unit = view.numbers.unit(topic.metric, "value")
    metric = view.names.metric(topic.metric)
    groups = tables.places(findings)
    chart = charts.dose(rows, option, f"{metric}{f', {unit}' if unit else ''}", [view.names.group(at) for at in groups])
    footnotes = Footnotes()
    arms = sorted(in_order(doses, (f.arm for f in findings)), key=lambda arm: doses[arm])
    lines = tuple(
        (
            Cell(f"{doses[arm]:g}"),
            Cell(view.names.arm(arm)),
            *_row(view, [f for f in findings if f.arm == arm], groups, footnotes),
        )
        for arm in arms
    )
    caption = f"{tables.heading(view, topic)} over {option}, plain {view.confidence} intervals"
    columns = (option, "arm", *(view.names.group(at) for at in groups))
    table = Table(caption, columns, lines, heads=2, notes=footnotes.notes)
    label = slug("-".join(("dose", topic.task, topic.test, *topic.over)))
    return Figure(label, caption, f"A line per group; bars are {view.confidence} intervals.", chart, table)


def _row(view: View, found: Sequence[Finding], groups: Sequence[Place], footnotes: Footnotes) -> tuple[Cell, ...]:
    by_place = {finding.at: finding for finding in found}
    return tuple(cells.estimate(view, by_place.get(at), footnotes) for at in groups)
