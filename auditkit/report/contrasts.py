"""The headline contrast of every task: which changes the first screen tells, and against which arms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditkit.evidence.results import Finding
from auditkit.report.view import Topic, View, distinct, in_order


@dataclass(frozen=True, slots=True)
class Contrast:
    """What the headline is drawn from: changes of groups, of the gap and of everyone, against the arms named.

    The gap is signed where two groups face each other. `beside` are the changes of the same groups and arms against the
    reference, where the headline is against placebos.
    """

    topic: Topic
    against: tuple[str, ...]
    changes: tuple[Finding, ...]
    gaps: tuple[Finding, ...]
    whole: tuple[Finding, ...]
    beside: tuple[Finding, ...]


def contrasts(view: View) -> tuple[Contrast, ...]:
    """The headline contrast of every task, on the first groups of which a change is known, else on the first that have
    one: against the placebos where there are any, else against the reference."""
    topics = [t for t in view.topics if t.metric == view.metric and t.test == "plain"]
    found = [contrast for contrast in (_contrast(view, topic) for topic in topics) if contrast.changes]
    known = [contrast for contrast in found if any(f.estimate is not None for f in contrast.changes)]
    firsts = {contrast.topic.task: contrast for contrast in reversed((*known, *found))}
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
        _gaps(view, topic, against),
        tuple(f for f in whole if view.role(f.arm) != "baseline") or whole,
        () if view.reference in against else view.find(topic, "change", view.reference),
    )


def _gaps(view: View, topic: Topic, against: Iterable[str]) -> tuple[Finding, ...]:
    """How the gap over all groups changed: with its sign where there are two groups."""
    signed = [f for f in _found(view, topic, "change_in_signed_gap", against) if not f.at]
    return tuple(signed or (f for f in _found(view, topic, "change_in_gap", against) if not f.at))


def _found(view: View, topic: Topic, quantity: str, against: Iterable[str]) -> tuple[Finding, ...]:
    return tuple(finding for arm in against for finding in view.find(topic, quantity, arm))


def treated(view: View, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those of arms that are neither baselines nor placebos; all where there are no others."""
    return tuple(f for f in findings if view.role(f.arm) == "arm") or tuple(findings)


def against_in_words(view: View, against: Sequence[str]) -> str:
    """The arm that changes are measured from; "their placebos" where there are several."""
    return view.names.arm(against[0]) if len(against) == 1 else "their placebos"
