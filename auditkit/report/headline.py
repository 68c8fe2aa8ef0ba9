"""The answer: the headline contrast of every task, in sentences and as one chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditkit.evidence.results import NOT_MEASURED, Finding
from auditkit.report import charts, tables
from auditkit.report.blocks import Figure
from auditkit.report.numbers import plural
from auditkit.report.view import Topic, View, distinct, in_order

SAID = 4
"""Up to so many changes are told one by one; more are counted."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """What the headline is drawn from: changes of groups, of the gap and of everyone, against the arms named."""

    topic: Topic
    against: tuple[str, ...]
    changes: tuple[Finding, ...]
    gaps: tuple[Finding, ...]
    whole: tuple[Finding, ...]


def contrasts(view: View) -> tuple[Contrast, ...]:
    """The headline contrast of every task, on the first groups that have one: against the placebos where there are
    any, else against the reference."""
    topics = [t for t in view.topics if t.metric == view.metric and t.test == "plain"]
    found = [contrast for contrast in (_contrast(view, topic) for topic in topics) if contrast.changes]
    firsts = {contrast.topic.task: contrast for contrast in reversed(found)}
    return tuple(firsts[task] for task in distinct(topic.task for topic in topics) if task in firsts)


def _contrast(view: View, topic: Topic) -> Contrast:
    placebos = view.audit.evidence.placebos
    known = any(view.role(f.arm) == "arm" for f in _found(view, topic, "change", placebos))
    against = placebos if known else (view.reference,)
    changes = _found(view, topic, "change", against)
    against = in_order(against, (f.against for f in changes))
    whole = _found(view, topic.whole, "change", against) if topic.over else ()
    return Contrast(
        topic,
        against,
        tuple(f for f in changes if view.role(f.arm) != "baseline") or changes,
        tuple(f for f in _found(view, topic, "change_in_gap", against) if not f.at),
        tuple(f for f in whole if view.role(f.arm) != "baseline") or whole,
    )


def _found(view: View, topic: Topic, quantity: str, against: Iterable[str]) -> tuple[Finding, ...]:
    return tuple(finding for arm in against for finding in view.find(topic, quantity, arm))


def against_in_words(view: View, against: Sequence[str]) -> str:
    """The arm that changes are measured from; "their placebos" where there are several."""
    return view.names.arm(against[0]) if len(against) == 1 else "their placebos"


# ---------------------------------------------------------------------------------------------------------- sentences


def answer(view: View, found: Sequence[Contrast]) -> tuple[str, ...]:
    """A sentence on the changes and one on the gap, per task."""
    several = len({contrast.topic.task for contrast in found}) > 1
    return tuple(
        sentence
        for contrast in found
        for sentence in _sentences(view, contrast, f"Predicting {contrast.topic.task}: " if several else "")
    )


def _sentences(view: View, contrast: Contrast, lead: str) -> list[str]:
    treated = [f for f in contrast.changes if view.role(f.arm) == "arm"] or list(contrast.changes)
    arms = {f.arm for f in treated}
    gaps = [f for f in contrast.gaps if f.arm in arms]
    few = len(treated) <= SAID
    each = [lead + sentence for sentence in _each(view, contrast, treated)] if few else []
    counted = [] if few else _counted(view, contrast, treated)
    return [*each, *(_opened(lead, sentence) for sentence in (*counted, *_gap_sentence(view, gaps)))]


def _opened(lead: str, sentence: str) -> str:
    return lead + sentence if lead else sentence[:1].upper() + sentence[1:]


def _each(view: View, contrast: Contrast, changes: Sequence[Finding]) -> list[str]:
    """A sentence per pair of arms, which begins with an arm's name and leaves that as it is."""
    metric = view.names.metric(contrast.topic.metric)
    return [
        f"{view.names.arm(arm)} against {view.names.arm(against)}, {metric} of "
        + _of_pair(view, [f for f in changes if (f.arm, f.against) == (arm, against)])
        for arm, against in distinct((f.arm, f.against) for f in changes)
    ]


def _of_pair(view: View, changes: Sequence[Finding]) -> str:
    outcomes = [f"{view.names.group(f.at)}: {_outcome(view, f)}" for f in changes]
    why = [NOT_MEASURED] if any(f.because == NOT_MEASURED for f in changes) else []
    return "; ".join([*outcomes, *why]) + "."


def _outcome(view: View, finding: Finding) -> str:
    """ "changed by -1.9 points [-2.6, -1.2]"."""
    if finding.estimate is None:
        return f"not estimable ({view.names.in_words(finding.reason)})"
    number = view.numbers.in_words(finding)
    if finding.verdict == "changed":
        return f"changed by {number}"
    if finding.verdict == "cannot tell":
        return f"cannot tell ({number})"
    return f"no change larger than {view.numbers.margin(view.margin)} ({number})" if finding.verdict else number


def _counted(view: View, contrast: Contrast, changes: Sequence[Finding]) -> list[str]:
    arms = plural(len({f.arm for f in changes}), "arm")
    groups = plural(len({f.at for f in changes}), "group")
    tally = ", ".join(f"{count} {words}" for words, count in _tally(view, changes) if count)
    against, metric = against_in_words(view, contrast.against), view.names.metric(contrast.topic.metric)
    sentences = [f"of {plural(len(changes), 'change')} in {metric} against {against} ({arms}, {groups}): {tally}."]
    largest = _largest(changes)
    if largest is not None:
        who = f"{view.names.group(largest.at)} in {view.names.arm(largest.arm)}"
        sentences.append(f"The largest is of {who}: {_outcome(view, largest)}.")
    return sentences


def _tally(view: View, changes: Sequence[Finding]) -> list[tuple[str, int]]:
    return [
        ("changed", sum(f.verdict == "changed" for f in changes)),
        (
            f"no larger than {view.numbers.margin(view.margin)}",
            sum(f.verdict.startswith("no change") for f in changes),
        ),
        ("cannot be told", sum(f.verdict == "cannot tell" and f.because != NOT_MEASURED for f in changes)),
        (f"cannot be told ({NOT_MEASURED})", sum(f.because == NOT_MEASURED for f in changes)),
        ("without a verdict", sum(not f.verdict and f.estimate is not None for f in changes)),
        ("not estimable", sum(f.estimate is None for f in changes)),
    ]


def _largest(findings: Iterable[Finding]) -> Finding | None:
    """The largest change among those that changed; else among all."""
    known = [f for f in findings if f.estimate is not None]
    changed = [f for f in known if f.verdict == "changed"]
    return max(changed or known, key=lambda f: abs(f.estimate or 0), default=None)


def _gap_sentence(view: View, gaps: Sequence[Finding]) -> list[str]:
    finding = _largest(gaps)
    if finding is None or finding.estimate is None:
        return []
    gap = f"the gap {view.names.pair(finding)}"
    where = f" in {view.names.arm(finding.arm)}" if len(gaps) > 1 else ""
    number = view.numbers.in_words(finding)
    if finding.verdict == "changed":
        moved = "widened" if finding.estimate > 0 else "narrowed"
        return [f"{gap}{where} {moved} by {view.numbers.magnitude(finding)}."]
    if finding.verdict == "cannot tell":
        why = f"; {NOT_MEASURED}" if finding.because == NOT_MEASURED else ""
        return [f"whether {gap}{where} changed cannot be told ({number}{why})."]
    if finding.verdict:
        return [f"{gap}{where} changed by no more than {view.numbers.margin(view.margin)} ({number})."]
    return [f"{gap}{where} changed by {number}."]


# -------------------------------------------------------------------------------------------------------------- chart


def effect(view: View, contrast: Contrast) -> Figure:
    """The change per group and arm, with both intervals, the margin and the noise of the seeds."""
    topic = contrast.topic
    metric, against = view.names.metric(topic.metric), against_in_words(view, contrast.against)
    unit = view.numbers.unit(topic.metric, "change")
    title = f"{topic.task}: change in {metric} against {against}{f', in {unit}' if unit else ''}"
    findings = (*contrast.changes, *contrast.whole, *contrast.gaps)
    chart = charts.effects(
        [_point(view, f) for f in contrast.changes if f.estimate is not None],
        f"change in {metric}{f', {unit}' if unit else ''}",
        view.numbers.scaled(topic.metric, view.margin),
        [view.names.arm(arm) for arm in in_order(view.arms, (f.arm for f in contrast.changes))],
        [view.names.group(at) for at in tables.places(contrast.changes)],
    )
    return Figure(f"effect-{slug(topic.task)}", title, _legend(view), chart, tables.changes(view, findings, title))


def _legend(view: View) -> str:
    return (
        f"Dots are changes per group, by arm; thick bars {view.confidence} intervals, thin bars simultaneous ones. "
        f"The light band is the declared margin of {view.numbers.margin(view.margin)}, the grey band what seeds alone "
        "do, the line no change."
    )


def _point(view: View, finding: Finding) -> dict[str, object]:
    """A row of the chart, in the units of its axis."""
    wide = finding.simultaneous or finding.interval
    ends = {"low": finding.interval, "wide_low": wide}
    row: dict[str, object] = {
        "group": view.names.group(finding.at),
        "arm": view.names.arm(finding.arm),
        "x": view.numbers.scaled(finding.metric, finding.estimate or 0),
        "text": f"{view.names.arm(finding.arm)}, {view.names.group(finding.at)}: {_outcome(view, finding)}",
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
