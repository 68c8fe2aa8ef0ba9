"""The section on other targets: how every arm changed what probes on its frozen features get right."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence.results import Finding, Probed
from auditkit.report import heat
from auditkit.report.blocks import Block, Figure, Fold, Section, Table, Text
from auditkit.report.heat import Extra
from auditkit.report.view import View, distinct

WHAT = (
    "Last-layer probes on the frozen features of each arm's network, not networks trained for that attribute. A probe "
    "is a logistic regression with a small ridge on the features of the arm's own training draw (each image once, "
    "weighted by how often it was drawn, augmented copies included), tested on the same test images. It tells what "
    "the features of a network that was trained for another question still hold."
)


def other_targets(view: View) -> Section | None:
    """A map of arms by other targets, for everybody and for each gap; gaps within a group are folded tables."""
    found = [f for f in view.results.findings if f.probe is not None]
    changes = [f for f in found if f.quantity != "value"]
    maps: list[Block] = []
    within: list[Block] = []
    for topic in distinct((f.family, f.against, f.quantity, f.over, f.at) for f in changes):
        about = [f for f in changes if (f.family, f.against, f.quantity, f.over, f.at) == topic]
        blocks = _blocks(view, found, about)
        if about[0].at:
            within += (block.table if isinstance(block, Figure) else block for block in blocks)
        else:
            maps += blocks
    folded = (Fold("Changes in gaps within a group", tuple(within)),) if within else ()
    content = (Text(WHAT), *maps, *folded)
    return Section("other-targets", "Other targets: probes (exploration)", content) if changes else None


def _blocks(view: View, found: Sequence[Finding], changes: Sequence[Finding]) -> tuple[Figure | Table, ...]:
    first = changes[0]
    gap = "" if first.quantity == "change" else f" gap {view.names.pair(first)}"
    task, against = _probe(first).task, view.names.arm(first.against)
    title = f"{task} networks: change in the accuracy{gap} of probes, in points, against {against}"
    extra = [] if gap else [_accuracy(view, found, first)]
    label = f"probes-{task}-{first.quantity}-{'-'.join(first.over)}-{view.names.group(first.at)}-{first.against}"
    return heat.blocks(view, changes, heat.Map(title, label, _name, extra=extra))


def _accuracy(view: View, found: Sequence[Finding], change: Finding) -> Extra:
    """The probes' accuracy in the arm that the changes are measured from."""
    mine = [f for f in found if f.quantity == "value" and (f.family, f.arm) == (change.family, change.against)]
    return Extra(f"{view.names.arm(change.against)} %", {_name(f): f for f in mine})


def _name(finding: Finding) -> str:
    return _probe(finding).name


def _probe(finding: Finding) -> Probed:
    assert finding.probe is not None
    return finding.probe
