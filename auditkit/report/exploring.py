"""Sections that look beyond the declared question: spillover, scan, shares of errors, flips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from auditkit.evidence.results import SPILLOVER, Finding, Flip, FlipCount, ScanRow
from auditkit.report import cells, heat, tables
from auditkit.report.blocks import Block, Cell, Fold, Section, Table, Text
from auditkit.report.cells import Footnotes
from auditkit.report.numbers import UNKNOWN, count, fixed, support
from auditkit.report.view import ERROR_SHARE, View, distinct
from auditkit.spec.words import plural

FLIPS = (
    "An arm turns an image right where most of its seeds have it right and most of the other arm's have it wrong. "
    "These are counts without intervals: they show which images differ, and are no evidence of a change."
)
LISTED = 60
"""So many flipped images are listed per group and direction; all of them are in flips.csv."""


def spillover(view: View) -> Section | None:
    """How each arm changed the metric inside less outside of every attribute."""
    found = [f for f in view.results.findings if f.family.startswith(SPILLOVER)]
    topics = distinct((f.task, f.test, f.metric, f.quantity, f.against) for f in found)
    blocks: list[Block] = []
    for topic in topics:
        blocks += _heat(view, [f for f in found if (f.task, f.test, f.metric, f.quantity, f.against) == topic])
    return Section("spillover", "Spillover to every attribute (exploration)", tuple(blocks)) if blocks else None


def _heat(view: View, found: Sequence[Finding]) -> tuple[Block, ...]:
    first = found[0]
    metric, against = view.names.metric(first.metric), view.names.arm(first.against)
    task = f"{first.task}{'' if first.test == 'plain' else f', {first.test} test'}"
    inside = " inside less outside of an attribute" if first.quantity != "change" else " inside an attribute"
    unit = view.numbers.unit(first.metric, first.quantity)
    title = f"{task}: change in {metric}{inside}{f', in {unit}' if unit else ''}, against {against}"
    label = f"spillover-{task}-{first.metric}-{first.quantity}-{first.against}"
    return heat.blocks(view, found, heat.Map(title, label, lambda finding: view.names.group(finding.at)))


# ---------------------------------------------------------------------------------------------------------------- scan


def scan(view: View) -> Section | None:
    """Every attribute's minority, its share and mix, and the reference's error inside and outside of it."""
    found = tuple(
        _scan(view, task, [row for row in view.results.scan if row.task == task])
        for task in distinct(row.task for row in view.results.scan)
    )
    lead = Text(
        f"For every attribute its rarer level, how rare it is, whom it is made of, and the error of the arm "
        f"'{view.names.arm(view.reference)}' inside and outside of it, measured on {_splits(view.results.scan)}."
    )
    return Section("scan", "Scan of attributes (exploration)", (lead, *found), folded=True) if found else None


def _splits(rows: Sequence[ScanRow]) -> str:
    return " and ".join({"valid": "the validation images", "test": "the test images"}[s] for s in _measured(rows))


def _measured(rows: Sequence[ScanRow]) -> tuple[str, ...]:
    """On which splits the errors were measured."""
    return distinct(row.split for row in rows)


def _scan(view: View, task: str, rows: Sequence[ScanRow]) -> Table:
    footnotes = Footnotes()
    mixes = distinct(name for row in rows for name, _ in row.share_by)
    differ = any(row.difference is not None for row in rows)
    body = tuple(_scan_row(view, row, mixes, footnotes, differ=differ) for row in rows)
    mixed = [f"% {view.names.in_words(name)} in it" for name in mixes]
    columns = ("minority", "% of train", "% of valid", *mixed, "inside", "error inside %", "error outside %")
    columns = (*columns, "inside minus outside, points") if differ else columns
    caption = f"{task}: attributes, and errors in {' and '.join(_measured(rows))}, plain {view.confidence} intervals"
    return Table(caption, columns, body, notes=(*_scan_notes(view, rows), *footnotes.notes))


def _scan_notes(view: View, rows: Sequence[ScanRow]) -> Iterator[str]:
    """What the shares are of, what an error needs, and what a star says, where there is one."""
    yield (
        "% of train, of valid: of all images there. In it: of the minority's training images. Inside: the images on "
        "which the error inside was measured, and their people."
    )
    few = [f for row in rows for f in (row.error_inside, row.error_outside) if _too_few(f)]
    if few:
        evidence = view.audit.evidence
        people = None if all(f.identities is None for f in few) else evidence.minimum_identities
        yield f"Not estimable: needs {support(evidence.minimum_images, people)}, unless another reason stands there."
    if any(heat.star(row.difference) for row in rows):
        yield heat.NOTE


def _scan_row(
    view: View, row: ScanRow, mixes: Sequence[str], footnotes: Footnotes, *, differ: bool
) -> tuple[Cell, ...]:
    shares = dict(row.share_by)
    difference = (_difference(view, row, footnotes),) if differ else ()
    return (
        Cell(view.names.level(row.attribute, row.minority)),
        _share(row.share_train),
        _share(row.share_valid) if row.split == "valid" else Cell(""),
        *(_share(shares[name]) if name in shares else Cell("") for name in mixes),
        Cell(support(row.error_inside.images, row.error_inside.identities)),
        _error(view, row.error_inside, footnotes),
        _error(view, row.error_outside, footnotes),
        *difference,
    )


def _error(view: View, finding: Finding, footnotes: Footnotes) -> Cell:
    """With the reason in place: every row has one of its own, and a note for each would be longer than the table.

    That there are too few images is told by their number and a note.
    """
    cell = cells.estimate(view, finding, Footnotes())
    if finding.estimate is not None or not finding.reason:
        return cells.estimate(view, finding, footnotes)
    if _too_few(finding):
        return replace(cell, text="not estimable")
    return replace(cell, text=f"not estimable: {view.names.in_words(finding.reason)}")


def _too_few(finding: Finding) -> bool:
    """Whether a finding lacks images or people, and nothing else."""
    return finding.estimate is None and finding.reason.startswith(support(finding.images, finding.identities))


def _difference(view: View, row: ScanRow, footnotes: Footnotes) -> Cell:
    """Without a reason where one of the two errors beside it has it."""
    if row.error_inside.estimate is None or row.error_outside.estimate is None:
        return Cell("not estimable", tone="quiet")
    return heat.starred(view, row.difference, footnotes)


def _share(share: float | None) -> Cell:
    return Cell(UNKNOWN, tone="quiet") if share is None else Cell(fixed(100 * share, 1))


def error_shares(view: View) -> Section | None:
    """Each group's share of all errors."""
    topics = [topic for topic in view.topics if topic.metric == ERROR_SHARE and topic.over]
    blocks: list[Block] = [tables.values(view, topic) for topic in topics if view.find(topic, "value")]
    lead = Text("Of all errors of an arm, how many fall on each group; large groups have large shares.")
    return Section("errors", "Shares of all errors", (lead, *blocks)) if blocks else None


# --------------------------------------------------------------------------------------------------------------- flips


def flips(view: View) -> Section | None:
    """Test images that an arm turned right or wrong against another, by majority over seeds."""
    results = view.results
    blocks: list[Block] = [Text(FLIPS), _counts(view, results.flip_counts)] if results.flip_counts else []
    lists: Mapping[tuple[str, str, str], list[Flip]] = _grouped(results.flips)
    blocks += [_names(view, key, flips) for key, flips in lists.items()]
    return Section("flips", "Flips", tuple(blocks), folded=True) if blocks else None


def _grouped(flips: Sequence[Flip]) -> dict[tuple[str, str, str], list[Flip]]:
    lists: dict[tuple[str, str, str], list[Flip]] = {}
    for flip in flips:
        lists.setdefault((flip.task, flip.arm, flip.against), []).append(flip)
    return lists


def _counts(view: View, found: Sequence[FlipCount]) -> Table:
    rows = tuple(
        (
            Cell(each.task),
            Cell(view.names.arm(each.arm)),
            Cell(view.names.arm(each.against)),
            Cell(view.names.group(each.at)),
            Cell(_tested(view, each)),
            Cell(count(each.turned_right)),
            Cell(count(each.turned_wrong)),
        )
        for each in found
    )
    columns = ("task", "arm", "against", "group", "images tested", "turned right", "turned wrong")
    return Table("Images turned right or wrong, by majority over seeds", columns, rows, heads=4)


def _tested(view: View, counted: FlipCount) -> str:
    """How many images of the group the arm was tested on; nothing where no finding says so."""
    topics = (t for t in view.topics if (t.task, t.test) == (counted.task, "plain"))
    known = (f for t in topics for f in view.find(t, "value") if (f.arm, f.at) == (counted.arm, counted.at))
    images = max((f.images for f in known), default=0)
    return count(images) if images else ""


def _names(view: View, key: tuple[str, str, str], found: Sequence[Flip]) -> Fold:
    task, arm, against = key
    caption = f"{task}: {view.names.arm(arm)} against {view.names.arm(against)}"
    kinds = distinct((flip.direction, flip.at) for flip in found)
    rows = tuple(
        (
            Cell(direction),
            Cell(view.names.group(at)),
            Cell(_listed([f.file_name for f in found if (f.direction, f.at) == (direction, at)])),
        )
        for direction, at in sorted(kinds, key=lambda kind: (kind[0], str(kind[1])))
    )
    table = Table(caption, ("turned", "group", "files"), rows, heads=2)
    return Fold(f"{caption}: {plural(len(found), 'file')}", (table,))


def _listed(names: Sequence[str]) -> str:
    more = f" and {count(len(names) - LISTED)} more, in flips.csv" if len(names) > LISTED else ""
    return " ".join(names[:LISTED]) + more
