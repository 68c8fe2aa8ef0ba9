"""Changes as a heat map with its table: something in a row, arms side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from auditkit.evidence.results import Finding
from auditkit.report import cells, charts
from auditkit.report.blocks import Cell, Figure, Table
from auditkit.report.cells import Footnotes
from auditkit.report.headline import slug
from auditkit.report.view import View, in_order

Row = Callable[[Finding], str]


@dataclass(frozen=True, slots=True)
class Extra:
    """A column of the table that the map does not have: its head, and a finding by the name of the row."""

    head: str
    findings: Mapping[str, Finding]


def figure(
    view: View, found: Sequence[Finding], title: str, label: str, row: Row, extra: Sequence[Extra] = ()
) -> Figure:
    """Findings of one metric and quantity against one arm, by `row` and arm; `label` becomes the figure's id."""
    first = found[0]
    arms = in_order(view.arms, (f.arm for f in found))
    rows = _by_size(found, row)
    by_place = {(row(f), f.arm): f for f in found}
    chart = charts.heat_map(
        [_tile(view, f, row(f)) for f in found if f.estimate is not None],
        view.numbers.scaled(first.metric, view.margin),
        rows,
        [view.names.arm(arm) for arm in arms],
    )
    footnotes = Footnotes()
    body = tuple(
        (
            Cell(name),
            *(cells.estimate(view, each.findings.get(name), footnotes) for each in extra),
            *(starred(view, by_place.get((name, arm)), footnotes) for arm in arms),
        )
        for name in rows
    )
    note = "* excludes 0 simultaneously over the whole exploratory family."
    columns = ("", *(each.head for each in extra), *map(view.names.arm, arms))
    table = Table(title, columns, body, notes=(note, *footnotes.notes))
    described = (
        "A row per attribute, the largest changes first. Blue tiles are above, orange ones below zero, in steps of "
        f"0.5, 1.5 and 3 margins of {view.numbers.margin(view.margin)}. {note}"
    )
    return Figure(slug(label), title, described, chart, table)


def starred(view: View, finding: Finding | None, footnotes: Footnotes) -> Cell:
    """A finding's entry, with a star where its simultaneous interval excludes 0."""
    cell = cells.estimate(view, finding, footnotes)
    return Cell(cell.text + _star(finding), cell.detail, cell.tone) if finding else cell


def _by_size(found: Sequence[Finding], row: Row) -> list[str]:
    """Rows, those with the largest change in any arm first."""
    largest: dict[str, float] = {}
    for finding in found:
        largest[row(finding)] = max(largest.get(row(finding), 0.0), abs(finding.estimate or 0.0))
    return sorted(largest, key=lambda name: (-largest[name], name))


def _star(finding: Finding) -> str:
    known = finding.simultaneous
    return " *" if known and (known.low > 0 or known.high < 0) else ""


def _tile(view: View, finding: Finding, name: str) -> dict[str, object]:
    shown = view.numbers.estimate(finding) + _star(finding)
    arm = view.names.arm(finding.arm)
    value = view.numbers.scaled(finding.metric, finding.estimate or 0.0)
    return {"row": name, "column": arm, "value": value, "shown": shown, "text": f"{name}, {arm}: {shown}"}
