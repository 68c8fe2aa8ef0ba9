"""The answer where nothing is compared: how the groups of each arm stand on the headline metric."""

from __future__ import annotations

from auditkit.evidence.results import Finding
from auditkit.report import cells
from auditkit.report.view import Topic, View, distinct

SAID = 4
"""Up to so many gaps are all told; of more only those over the first declared groups."""


def answer(view: View) -> tuple[str, ...]:
    """A sentence per task, arm and declared groups; none where there is no gap."""
    topics = [t for t in view.topics if t.metric == view.metric and t.test == "plain" and t.over]
    gaps = {topic: _gaps(view, topic) for topic in topics}
    firsts = [next(t for t in topics if t.task == task) for task in distinct(topic.task for topic in topics)]
    few = sum(map(len, gaps.values())) <= SAID
    return tuple(_sentence(view, f) for topic in (topics if few else firsts) for f in gaps[topic])


def _gaps(view: View, topic: Topic) -> list[Finding]:
    """Over all groups, of every arm; those within a group have a sign where the gap over all has none."""
    signed = [f for f in view.find(topic, "signed_gap") if not f.at]
    return signed or [f for f in view.find(topic, "gap") if not f.at]


def _sentence(view: View, finding: Finding) -> str:
    where = f"{finding.task}, {view.names.arm(finding.arm)}" if len(view.arms) > 1 else finding.task
    return f"{where}: {view.names.metric(finding.metric)}, {view.names.pair(finding)}: {_outcome(view, finding)}."


def _outcome(view: View, finding: Finding) -> str:
    if finding.estimate is None:
        return f"{cells.absent(finding)} ({view.names.in_words(finding.reason)})"
    return view.numbers.in_words(finding)
