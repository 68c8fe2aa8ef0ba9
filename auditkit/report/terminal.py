"""A document on a terminal: the first screen, or everything; right at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import singledispatch

from rich.cells import cell_len
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Line

from auditkit.report.blocks import Block, Cell, Document, Figure, Fold, Item, Items, Table, Text

WRAPPED = 26
"""Columns with longer entries are wrapped to this width where room is short."""
GAP = 2
STYLES = {"strong": "bold", "good": "green", "bad": "bold red", "warn": "yellow", "quiet": "dim", "": ""}


def render(document: Document, console: Console, *, everything: bool = False) -> None:
    """Print the first screen; with `everything` also what is folded in other renderings."""
    for part in _first_screen(document, console.width):
        console.print(part)
    if everything:
        for part in _rest(document, console.width):
            console.print(part)


def _first_screen(document: Document, width: int) -> Iterator[RenderableType]:
    for warning in document.banner:
        yield Line(warning, style="bold yellow")
    if document.banner:
        yield Line("")
    yield Line(document.question or document.title, style="bold")
    yield Group(*(Padding(Line(sentence), (0, 0, 0, 2), expand=False) for sentence in document.answer))
    yield Line("")
    for table in document.glance:
        yield _table(table, width)
        yield Line("")
    yield _items([*(Item(name.lower(), text) for name, text in document.strip if name != "Gates"), *document.trust])
    if document.gates:
        yield Line("")
        yield _items([Item(f"gate {gate.label}", gate.text, gate.tone) for gate in document.gates])


def _rest(document: Document, width: int) -> Iterator[RenderableType]:
    for figure in document.effect:
        yield Line("")
        yield block(figure, width)
    for section in document.sections:
        yield Line("")
        yield Line(section.title.upper(), style="bold")
        for part in section.blocks:
            yield Line("")
            yield block(part, width)
    yield Line(f"\n{document.footer}", style="dim")


@singledispatch
def block(part: Block, width: int) -> RenderableType:
    """One block at a width."""
    raise TypeError(f"no rendering for {type(part).__name__}")


@block.register
def _(part: Text, width: int) -> RenderableType:
    return Line(part.text)


@block.register
def _(part: Items, width: int) -> RenderableType:
    return _items(part.items)


@block.register
def _(part: Figure, width: int) -> RenderableType:
    return _table(part.table, width)


@block.register
def _(part: Fold, width: int) -> RenderableType:
    inside = [line for each in part.blocks for line in (Line(""), block(each, width))]
    return Group(Line(part.summary, style="bold"), *inside)


@block.register
def _table(part: Table, width: int) -> RenderableType:
    parts = [_grid(part, columns) for columns in _fitting(part, width)]
    notes = [Padding(Line(note, style="dim"), (0, 0, 0, 2), expand=False) for note in part.notes]
    return Group(Line(part.caption, style="italic"), *parts, *notes)


def _items(items: Sequence[Item]) -> Grid:
    grid = Grid.grid(padding=(0, GAP, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for item in items:
        grid.add_row(Line(f"  {item.label}", style=STYLES[item.tone] or "dim"), Line(item.text))
    return grid


def _widths(table: Table) -> list[int]:
    """What each column needs at least: its longest entry, or less where it may be wrapped."""
    columns = zip(table.columns, *(tuple(cell.text for cell in row) for row in table.rows), strict=True)
    natural = [max(map(cell_len, (max(head.split() or [""], key=len), *texts))) for head, *texts in columns]
    return [min(each, WRAPPED) for each in natural]


def _fitting(table: Table, width: int) -> list[list[int]]:
    """Columns in groups that fit below each other, each led by the columns that name the row."""
    needs = _widths(table)
    heads = list(range(table.heads))
    room = width - GAP - sum(needs[column] + GAP for column in heads)
    groups: list[list[int]] = [[]]
    left = room
    for column in range(table.heads, len(needs)):
        if needs[column] + GAP > left and groups[-1]:
            groups.append([])
            left = room
        groups[-1].append(column)
        left -= needs[column] + GAP
    return [heads + group for group in groups]


def _grid(table: Table, columns: Sequence[int]) -> Padding:
    grid = Grid(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
    for column in columns:
        short = max((cell_len(row[column].text) for row in table.rows), default=0) <= WRAPPED
        side: JustifyMethod = "right" if table.right[column] else "left"
        grid.add_column(Line(table.columns[column]), justify=side, no_wrap=short and bool(table.rows), overflow="fold")
    for row in table.rows:
        grid.add_row(*(_entry(row[column]) for column in columns))
    return Padding(grid, (0, 0, 0, 2), expand=False)


def _entry(cell: Cell) -> Line:
    return Line(cell.text, style=STYLES[cell.tone])
