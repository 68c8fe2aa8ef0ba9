"""The tables that every metric shares: values by group and arm, changes with their verdicts, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditkit.evidence.results import Finding, Place
from auditkit.report import cells, conditions
from auditkit.report.blocks import Cell, Table
from auditkit.report.cells import Footnotes
from auditkit.report.view import Topic, View, distinct, in_order

FEW = 5
"""So many groups fit side by side; more go below each other."""
BOTH_GAPS = (
    "A gap has no sign: a positive change widened it, a negative one narrowed it, whoever is ahead. A signed gap is "
    "one group less the other: it also moves where who is ahead is reversed."
)


def heading(view: View, topic: Topic, quantity: str = "value", words: str = "{}") -> str:
    """What the numbers of a table are: "Male: accuracy in %, by Young"; `words` may say more about the metric."""
    unit = view.numbers.unit(topic.metric, quantity)
    metric = words.format(view.names.metric(topic.metric))
    inside = f"{' in ' if words == '{}' else ', in '}{unit}" if unit else ""
    test = "" if topic.test == "plain" else f", {topic.test} test"
    by = f", by {view.names.groups(topic.over)}" if topic.over else ""
    return f"{topic.task}: {metric}{inside}{by}{test}"


def places(findings: Iterable[Finding]) -> tuple[Place, ...]:
    """The groups that findings are about, in order."""
    return distinct(finding.at for finding in findings)


def values(view: View, topic: Topic, *, all_together: bool = True) -> Table:
    """A metric by group and arm, with the gap, and everyone `all_together`."""
    groups = view.find(topic, "value")
    everyone = view.find(topic.whole, "value") if topic.over and all_together else ()
    columns = [(view.names.group(at), [f for f in groups if f.at == at]) for at in places(groups)]
    columns += [(view.names.pair(found[0]), found) for found in _whole_gaps(view, topic)]
    columns += [("everyone", list(everyone))] if everyone else []
    return _by_arm(view, heading(view, topic) + f", plain {view.confidence} intervals", columns)


def _whole_gaps(view: View, topic: Topic) -> list[list[Finding]]:
    """Gaps over all groups of the topic: signed for two groups, largest minus smallest for more."""
    signed = [f for f in view.find(topic, "signed_gap") if not f.at]
    found = signed or [f for f in view.find(topic, "gap") if not f.at]
    return [found] if found else []


def _by_arm(view: View, caption: str, columns: Sequence[tuple[str, Sequence[Finding]]]) -> Table:
    """Arms against columns, turned around when there are many columns and fewer arms."""
    arms = in_order(view.arms, (f.arm for _, found in columns for f in found))
    footnotes = Footnotes()
    grid = [[_entry(view, found, arm, footnotes) for _, found in columns] for arm in arms]
    labels, names = [label for label, _ in columns], [view.names.arm(arm) for arm in arms]
    if len(labels) > max(FEW, len(names)):
        grid, labels, names = [list(row) for row in zip(*grid, strict=True)], names, labels
    rows = tuple((Cell(name), *row) for name, row in zip(names, grid, strict=True))
    return Table(caption, ("", *labels), rows, notes=footnotes.notes)


def _entry(view: View, found: Sequence[Finding], arm: str, footnotes: Footnotes) -> Cell:
    return cells.estimate(view, next((f for f in found if f.arm == arm), None), footnotes)


def changes(view: View, findings: Sequence[Finding], caption: str) -> Table:
    """Changes by group (or gap) and arm: verdict, simultaneous and plain interval, noise of the seeds, reason.

    The verdict and what it was decided on come first, so that narrow screens show them. Where changes are measured from
    several arms, each line says from which; the reason is left out where none has one.
    """
    footnotes = Footnotes()
    several = len({f.against for f in findings}) > 1
    arms = in_order(view.arms, (f.arm for f in findings))
    what = distinct((f.over, f.quantity, f.at) for f in findings)
    ordered = sorted(findings, key=lambda f: (what.index((f.over, f.quantity, f.at)), arms.index(f.arm)))
    explained = any(f.because for f in findings)
    rows = tuple((*_change(view, f, footnotes, several), *([cells.because(f)] if explained else [])) for f in ordered)
    simultaneous, plain = f"change, simultaneous {view.confidence}", f"plain {view.confidence}"
    columns = ("", "arm", "verdict", simultaneous, plain, "seeds alone (own SD)", *(["because"] if explained else []))
    return Table(caption, columns, rows, heads=2, notes=(*_both_gaps(findings), *footnotes.notes))


def _both_gaps(findings: Sequence[Finding]) -> Iterator[str]:
    """How a gap and a signed gap differ, where a table has changes of both over the same groups."""
    over = {f.over for f in findings if f.quantity == "change_in_gap"}
    if any(f.quantity == "change_in_signed_gap" and f.over in over and not f.at for f in findings):
        yield BOTH_GAPS


def _change(view: View, finding: Finding, footnotes: Footnotes, several: bool) -> tuple[Cell, ...]:
    return (
        Cell(_of(view, finding)),
        Cell(conditions.arms(view, finding) if several else view.names.arm(finding.arm)),
        cells.verdict(view, finding),
        cells.at_once(view, finding, footnotes),
        cells.plain(view, finding),
        cells.noise_and_spread(view, finding),
    )


def _of(view: View, finding: Finding) -> str:
    """The group that changed, or "gap between women and men", or "signed gap men minus women"."""
    if finding.quantity == "change":
        return view.names.group(finding.at)
    return f"{'signed gap' if finding.quantity == 'change_in_signed_gap' else 'gap'} {view.names.pair(finding)}"


def gap_changes(view: View, topic: Topic, against: str) -> list[Finding]:
    """How the gap over all groups changed, and the gaps within groups, signed where two groups face each other."""
    unsigned, signed = view.find(topic, "change_in_gap", against), view.find(topic, "change_in_signed_gap", against)
    facing = {f.at for f in signed if f.at}
    return [*(f for f in unsigned if f.at not in facing), *signed]


def gaps(view: View, topic: Topic) -> Table | None:
    """Every gap of a topic by arm: over all groups and within each, signed where two groups face each other."""
    signed = view.find(topic, "signed_gap")
    facing = {f.at for f in signed}
    unsigned = [f for f in view.find(topic, "gap") if f.at not in facing]
    found = [*unsigned, *signed, *(f for f in view.find(topic, "ratio") if not f.at)]
    labelled: dict[str, list[Finding]] = {}
    for finding in found:
        label = "ratio, smallest / largest" if finding.quantity == "ratio" else view.names.pair(finding)
        labelled.setdefault(label, []).append(finding)
    if not labelled:
        return None
    caption = f"{heading(view, topic, 'gap', 'gaps in {}')}, plain {view.confidence} intervals"
    return _by_arm(view, caption, list(labelled.items()))
