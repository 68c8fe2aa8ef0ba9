"""The answer where nothing is compared: how the groups of each arm stand on the headline metric."""

from __future__ import annotations

from auditkit.report.view import View, distinct


def answer(view: View) -> tuple[str, ...]:
    """A sentence per task and arm on the first declared groups; none where no gap can be estimated."""
    topics = [t for t in view.topics if t.metric == view.metric and t.test == "plain" and t.over]
    sentences = []
    for task in distinct(topic.task for topic in topics):
        topic = next(t for t in topics if t.task == task)
        gaps = view.find(topic, "signed_gap") or view.find(topic, "gap")
        for finding in gaps:
            if not finding.at and finding.estimate is not None:
                where = f"{task}, {view.names.arm(finding.arm)}" if len(view.arms) > 1 else task
                pair, number = view.names.pair(finding), view.numbers.in_words(finding)
                sentences.append(f"{where}: {view.names.metric(topic.metric)}, {pair}: {number}.")
    return tuple(sentences)
