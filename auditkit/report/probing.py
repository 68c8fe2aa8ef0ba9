"""The section on other targets: how every arm changed what probes on its frozen features get right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditkit.evidence.probe_names import is_probe, name_of, task_of
from auditkit.evidence.results import Finding
from auditkit.report import heat
from auditkit.report.blocks import Block, Figure, Fold, Section, Text
from auditkit.report.heat import Extra
from auditkit.report.numbers import plural
from auditkit.report.view import View, distinct

WHAT = (
    "Last-layer probes on the frozen features of each arm's network, not networks trained for that attribute. A probe "
    "is a logistic regression with a small ridge on the features of the arm's own training draw (each photo once, "
    "weighted by how often it was drawn, augmented copies included), tested on the same test photos. It tells what "
    "the features of a network that was trained for another question still hold."
)


def other_targets(view: View) -> Section | None:
    """A map of arms by other targets, for everybody and for each gap; gaps within a group are folded tables."""
    found = [f for f in view.results.findings if is_probe(f)]
    changes = [f for f in found if f.quantity != "value"]
    topics = distinct((f.family, f.against, f.quantity, f.over, f.at) for f in changes if f.estimate is not None)
    figures = tuple(
        _figure(view, found, [f for f in changes if (f.family, f.against, f.quantity, f.over, f.at) == topic])
        for topic in topics
    )
    maps = tuple(figure for figure, topic in zip(figures, topics, strict=True) if not topic[-1])
    within = tuple(figure.table for figure, topic in zip(figures, topics, strict=True) if topic[-1])
    folded = (Fold("Changes in gaps within a group", within),) if within else ()
    blocks: tuple[Block, ...] = (Text(WHAT), *_left_out(changes), *maps, *folded)
    return Section("other-targets", "Other targets: probes (exploration)", blocks) if figures else None


def _figure(view: View, found: Sequence[Finding], changes: Sequence[Finding]) -> Figure:
    first = changes[0]
    gap = "" if first.quantity == "change" else f" gap {view.names.pair(first)}"
    task, against = task_of(first), view.names.arm(first.against)
    title = f"{task} networks: change in the accuracy{gap} of probes, against {against}"
    extra = [] if gap else [_accuracy(view, found, first)]
    label = f"probes-{task}-{first.quantity}-{'-'.join(first.over)}-{view.names.group(first.at)}-{first.against}"
    return heat.figure(view, [f for f in changes if f.estimate is not None], title, label, name_of, extra)


def _accuracy(view: View, found: Sequence[Finding], change: Finding) -> Extra:
    """The probes' accuracy in the arm that the changes are measured from."""
    mine = [f for f in found if f.quantity == "value" and (f.family, f.arm) == (change.family, change.against)]
    return Extra(f"{view.names.arm(change.against)} %", {name_of(f): f for f in mine})


def _left_out(changes: Sequence[Finding]) -> Iterator[Text]:
    """Which targets have no row, and why."""
    known = {f.task for f in changes if f.estimate is not None}
    lost = {name_of(f): f.reason for f in changes if f.task not in known}
    if lost:
        name, reason = next(iter(lost.items()))
        yield Text(f"{plural(len(lost), 'target')} not estimable, as {name}: {reason}.")
