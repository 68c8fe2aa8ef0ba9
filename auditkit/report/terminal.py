"""A document on a terminal: the first screen, or everything; right at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import singledispatch
from textwrap import wrap

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
    captions = [each.caption for each in part.blocks if isinstance(each, Table)]
    alone = len(captions) == 1 and part.summary.startswith(captions[0])
    return Group(*inside[1:]) if alone else Group(Line(part.summary, style="bold"), *inside)


@block.register
def _table(part: Table, width: int) -> RenderableType:
    parts = [line for columns in _fitting(part, width) for line in (Line(""), _grid(part, columns, width))][1:]
    notes = [Padding(Line(note, style="dim"), (0, 0, 0, 2), expand=False) for note in part.notes]
    return Group(Line(part.caption, style="italic"), *parts, *notes)


def _items(items: Sequence[Item]) -> Grid:
    grid = Grid.grid(padding=(0, GAP, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for item in items:
        sign = "!" if item.tone in {"bad", "warn"} else " "
        grid.add_row(Line(f"{sign} {item.label}", style=STYLES[item.tone] or "dim"), Line(item.text))
    return grid


def _texts(table: Table) -> list[tuple[str, ...]]:
    """Heading and entries of every column."""
    rows = (tuple(cell.text for cell in row) for row in table.rows)
    return list(zip(table.columns, *rows, strict=True))


def _least(table: Table) -> list[int]:
    """What each column needs at least: its longest entry, or less where that may be wrapped; headings wrap at words."""
    words = [max(_glued(head).split(" "), key=cell_len) for head in table.columns]
    columns = zip(words, _texts(table), strict=True)
    return [min(max(map(cell_len, (word, *entries))), WRAPPED) for word, (_, *entries) in columns]


def _fitting(table: Table, width: int) -> list[list[int]]:
    """Columns in groups that fit below each other, each led by the columns that name the row."""
    needs = _least(table)
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


def _widths(table: Table, columns: Sequence[int], width: int) -> dict[int, int]:
    """The room left over goes to the columns that would use it, from the left."""
    least, texts = _least(table), _texts(table)
    widths = {column: least[column] for column in columns}
    left = width - GAP - sum(widths.values()) - GAP * len(columns)
    for column in columns:
        more = min(left, max(map(cell_len, texts[column])) - widths[column])
        widths[column] += max(0, more)
        left -= max(0, more)
    return widths


def _grid(table: Table, columns: Sequence[int], width: int) -> Padding:
    grid = Grid(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
    widths = _widths(table, columns, width)
    for column in columns:
        side: JustifyMethod = "right" if table.right[column] else "left"
        grid.add_column(
            Line(_wrapped(table.columns[column], widths[column])), justify=side, width=widths[column], overflow="fold"
        )
    for row in table.rows:
        grid.add_row(*(_entry(row[column]) for column in columns))
    return Padding(grid, (0, 0, 0, 2), expand=False)


def _wrapped(head: str, width: int) -> str:
    """A heading in lines; rich by itself would break it at any space."""
    lines = wrap(_glued(head), max(width, 1), break_long_words=False)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def _glued(head: str) -> str:
    """A heading whose per cent signs stay beside what they belong to."""
    return head.replace(" %", "\N{NO-BREAK SPACE}%").replace("% ", "%\N{NO-BREAK SPACE}")


def _entry(cell: Cell) -> Line:
    return Line(cell.text, style=STYLES[cell.tone])
