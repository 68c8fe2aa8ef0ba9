"""What a report is made of: frozen blocks whose text is final, so that renderings cannot disagree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BARE = re.compile(r"([±+-]?[\d,.]+( %)?)?")
Tone = Literal["", "strong", "good", "bad", "warn", "quiet"]
SIGNS: Mapping[Tone, str] = {"good": "✓", "bad": "✗", "warn": "!", "strong": "", "quiet": "", "": ""}
"""What stands before a text of a tone, so that no colour says it alone."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A formatted entry of a table. `detail` is its support, shown where there is room; `tone` never says it alone."""

    text: str
    detail: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the first `heads` columns name the row, `notes` explain the letters in brackets behind entries."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    heads: int = 1
    notes: tuple[str, ...] = ()

    @property
    def right(self) -> tuple[bool, ...]:
        """Which columns hold bare numbers, to be aligned to the right."""
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.columns)
        return tuple(
            position >= self.heads and all(BARE.fullmatch(cell.text) for cell in column)
            for position, column in enumerate(columns)
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list: a label, what is said of it, and how good or bad that is."""

    label: str
    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of labelled statements."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart (a Vega-Lite description, see `charts`) with the table that says the same."""

    id: str
    title: str
    description: str
    chart: Mapping[str, Any]
    table: Table


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that are shown on request, under a summary."""

    summary: str
    blocks: tuple[Block, ...]


Block = Table | Text | Items | Figure | Fold


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report below its first screen; `folded` parts are closed at first."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A report, laid out: the first screen (banner to trust), then the sections.

    `banner` warns of synthetic or partial data and leads every rendering. `effect` is the headline chart, `glance` the
    headline metric by group and arm, which the terminal shows at once.
    """

    title: str
    banner: tuple[str, ...]
    question: str
    answer: tuple[str, ...]
    strip: tuple[tuple[str, str], ...]
    effect: tuple[Figure, ...]
    glance: tuple[Table, ...]
    trust: tuple[Item, ...]
    gates: tuple[Item, ...]
    sections: tuple[Section, ...] = field(default=())
    footer: str = ""
