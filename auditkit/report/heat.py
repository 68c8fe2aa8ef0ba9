"""Changes as a heat map with its table: something in a row, arms side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from auditkit.evidence.results import Finding
from auditkit.report import cells, charts
from auditkit.report.blocks import Cell, Figure, Table
from auditkit.report.cells import Footnotes
from auditkit.report.headline import slug
from auditkit.report.view import View, distinct, in_order

Row = Callable[[Finding], str]
NOTE = (
    "* excludes 0 simultaneously over the whole exploratory family; for an attribute that was declared, over the "
    "declared one."
)
STEP = 0.005
"""What the steps of colours are measured in where the declared margin is 0."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A column of the table that the map does not have: its head, and a finding by the name of the row."""

    head: str
    findings: Mapping[str, Finding]


@dataclass(frozen=True, slots=True)
class Map:
    """What a map is called, what its rows are of and how they are named, and what a star says.

    `label` becomes the figure's id.
    """

    title: str
    label: str
    row: Row
    rows_of: str = "attribute"
    extra: Sequence[Extra] = ()
    note: str = NOTE


def blocks(view: View, found: Sequence[Finding], what: Map) -> tuple[Figure | Table, ...]:
    """Findings of one metric and quantity against one arm, by row and arm.

    What is estimable in no arm has no row in the figure, but one in a table of reasons.
    """
    rows = _by_size(found, what.row)
    figures = (_figure(view, found, what),) if rows else ()
    lost = _lost(view, [f for f in found if what.row(f) not in rows], what)
    return (*figures, lost) if lost.rows else figures


def _figure(view: View, found: Sequence[Finding], what: Map) -> Figure:
    row = what.row
    arms = in_order(view.arms, (f.arm for f in found))
    rows = _by_size(found, row)
    none = "not estimable" if len(arms) <= charts.UPRIGHT else "\N{EN DASH}"
    step = view.margin or STEP
    chart = charts.heat_map(
        [_tile(view, f, row(f), none) for f in found if row(f) in rows],
        view.numbers.scaled(found[0].metric, step),
        rows,
        [view.names.arm(arm) for arm in arms],
    )
    described = (
        f"A row per {what.rows_of}, the largest changes first, in points. Blue tiles are above, orange ones below "
        f"zero, in steps of 0.5, 1.5 and 3 {'margins of' if view.margin else 'times'} {view.numbers.margin(step)}; "
        f"only tiles with a star go beyond the first. {what.note}"
    )
    return Figure(slug(what.label), what.title, described, chart, _table(view, found, what))


def _table(view: View, found: Sequence[Finding], what: Map) -> Table:
    footnotes, row, extra = Footnotes(), what.row, what.extra
    arms = in_order(view.arms, (f.arm for f in found))
    by_place = {(row(f), f.arm): f for f in found}
    body = tuple(
        (
            Cell(name),
            *(cells.estimate(view, each.findings.get(name), footnotes) for each in extra),
            *(starred(view, by_place.get((name, arm)), footnotes) for arm in arms),
            _noise(view, [f for f in found if row(f) == name]),
        )
        for name in _by_size(found, row)
    )
    columns = ("", *(each.head for each in extra), *map(view.names.arm, arms), "seeds alone")
    return Table(what.title, columns, body, notes=(f"Plain {view.confidence} intervals. {what.note}", *footnotes.notes))


def _noise(view: View, found: Sequence[Finding]) -> Cell:
    """The largest of the arms: the variance between seeds is mostly pooled over them, so they differ little."""
    noisiest = max(found, key=lambda f: f.noise or 0.0)
    return cells.noise(view, noisiest)


def _lost(view: View, lost: Sequence[Finding], what: Map) -> Table:
    """What is estimable in no arm, and why, as of the first; equal reasons are told once."""
    row = what.row
    first = {row(finding): finding.reason for finding in reversed(lost)}
    names: dict[str, list[str]] = {}
    for name in distinct(map(row, lost)):
        names.setdefault(view.names.in_words(first[name]).removeprefix(f"{name}: "), []).append(name)
    body = tuple((Cell(", ".join(those)), Cell(reason)) for reason, those in names.items())
    return Table(f"{what.title}: in no arm", ("", "not estimable because"), body)


def starred(view: View, finding: Finding | None, footnotes: Footnotes) -> Cell:
    """A finding's entry, with a star where its simultaneous interval excludes 0."""
    cell = cells.estimate(view, finding, footnotes)
    return Cell(cell.text + star(finding), cell.detail, cell.tone) if finding else cell


def _by_size(found: Sequence[Finding], row: Row) -> list[str]:
    """Rows that are estimable in an arm, those with the largest change in any first."""
    largest: dict[str, float] = {}
    for finding in found:
        if finding.estimate is not None:
            largest[row(finding)] = max(largest.get(row(finding), 0.0), abs(finding.estimate))
    return sorted(largest, key=lambda name: (-largest[name], name))


def star(finding: Finding | None) -> str:
    """ " *" where a finding's simultaneous interval excludes 0, unless it is a change of arms with one seed."""
    known = None if finding is None or (finding.against and finding.seeds < 2) else finding.simultaneous
    return " *" if known and (known.low > 0 or known.high < 0) else ""


def _tile(view: View, finding: Finding, name: str, none: str) -> dict[str, object]:
    arm = view.names.arm(finding.arm)
    place = {"row": name, "column": arm}
    if finding.estimate is None:
        return place | {"value": None, "shown": none, "text": f"{name}, {arm}: not estimable"}
    marked = star(finding)
    shown = view.numbers.estimate(finding) + marked
    value = view.numbers.scaled(finding.metric, finding.estimate)
    pale = view.numbers.scaled(finding.metric, view.margin or STEP)
    shade = value if marked else max(-pale, min(pale, value))
    return place | {"value": value, "shade": shade, "shown": shown, "text": f"{name}, {arm}: {shown}"}
