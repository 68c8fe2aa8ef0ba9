"""The tasks of an audit side by side: how every arm changed what its networks get right of each target."""

from __future__ import annotations

from auditkit.report import heat
from auditkit.report.blocks import Block, Section, Text
from auditkit.report.view import Topic, View, distinct

WHAT = "A network for each task, trained on the same arms: what changed one target may leave another as it was."
NOTE = "* excludes 0 simultaneously over the declared changes of its task."


def tasks(view: View) -> Section | None:
    """A map of arms by tasks, for everyone, against each arm that changes are measured from."""
    everyone = [topic for topic in view.topics if (topic.metric, topic.test, topic.over) == (view.metric, "plain", ())]
    keys = [(quantity, against) for topic, quantity, against in view.index if topic in everyone]
    against = distinct(arm for quantity, arm in keys if quantity == "change")
    blocks = [block for arm in against for block in _map(view, everyone, arm)]
    return Section("tasks", "Every task by arm", (Text(WHAT), *blocks)) if blocks else None


def _map(view: View, everyone: list[Topic], against: str) -> tuple[Block, ...]:
    found = [finding for topic in everyone for finding in view.find(topic, "change", against)]
    if len({finding.task for finding in found}) < 2:
        return ()
    unit = view.numbers.unit(view.metric, "change")
    title = f"Change in {view.names.metric(view.metric)} of everyone{f', in {unit}' if unit else ''}, "
    title += f"against {view.names.arm(against)}"
    what = heat.Map(title, f"tasks-{view.metric}-{against}", lambda f: f.task, rows_of="task", note=NOTE)
    return heat.blocks(view, found, what)
