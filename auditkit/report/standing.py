"""The answer where nothing is compared: how the groups of each arm stand on the headline metric."""

from __future__ import annotations

from auditkit.evidence.results import Finding
from auditkit.report.view import View, distinct


def answer(view: View) -> tuple[str, ...]:
    """A sentence per task and arm on the first declared groups; none where there is no gap."""
    topics = [t for t in view.topics if t.metric == view.metric and t.test == "plain" and t.over]
    sentences = []
    for task in distinct(topic.task for topic in topics):
        topic = next(t for t in topics if t.task == task)
        gaps = view.find(topic, "signed_gap") or view.find(topic, "gap")
        for finding in gaps:
            if not finding.at:
                where = f"{task}, {view.names.arm(finding.arm)}" if len(view.arms) > 1 else task
                what = f"{view.names.metric(topic.metric)}, {view.names.pair(finding)}"
                sentences.append(f"{where}: {what}: {_outcome(view, finding)}.")
    return tuple(sentences)


def _outcome(view: View, finding: Finding) -> str:
    if finding.estimate is None:
        return f"{finding.status} ({view.names.in_words(finding.reason)})"
    return view.numbers.in_words(finding)
