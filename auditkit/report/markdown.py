"""A document as GitHub-flavoured Markdown; charts are pictures in a folder beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatch

from auditkit.report.blocks import SIGNS, Block, Document, Figure, Fold, Item, Items, Section, Table, Text


def render(document: Document, *, pictures: str = "") -> str:
    """The report; `pictures` is the folder of its charts, relative to it, and no picture is shown without one."""
    lines = [line for part in (_first_screen(document, pictures), _rest(document, pictures)) for line in part]
    return "\n".join(lines).rstrip() + "\n"


def _first_screen(document: Document, pictures: str) -> Iterator[str]:
    for warning in document.banner:
        yield f"> **{escape(warning)}**"
    if document.banner:
        yield ""
    yield from (f"# {escape(document.title)}", "")
    if document.question:
        yield from (f"**{escape(document.question)}**", "")
    for sentence in document.answer:
        yield from (escape(sentence), "")
    yield from (f"- **{name}**: {escape(text)}" for name, text in document.strip)
    yield ""
    if document.gates:
        yield from _items(tuple(Item(f"Gate {gate.label}", gate.text, gate.tone) for gate in document.gates))
    for figure in document.effect:
        yield from block(figure, pictures)
    if document.trust:
        yield from ("## Can I trust this?", "")
        yield from _items(document.trust)


def _rest(document: Document, pictures: str) -> Iterator[str]:
    for section in document.sections:
        yield from _section(section, pictures)
    if document.footer:
        yield from ("---", "", escape(document.footer))


def _section(section: Section, pictures: str) -> Iterator[str]:
    yield from (f"## {escape(section.title)}", "")
    inside = [line for part in section.blocks for line in block(part, pictures)]
    yield from _folded("Show", inside) if section.folded else inside


def _folded(summary: str, inside: list[str]) -> Iterator[str]:
    yield from (f"<details><summary>{_html(summary)}</summary>", "", *inside, "</details>", "")


@singledispatch
def block(part: Block, pictures: str) -> Iterator[str]:
    """The lines of one block, an empty one at the end."""
    raise TypeError(f"no rendering for {type(part).__name__}")


@block.register
def _(part: Text, pictures: str) -> Iterator[str]:
    yield from (escape(part.text), "")


@block.register
def _(part: Items, pictures: str) -> Iterator[str]:
    yield from _items(part.items)


@block.register
def _(part: Fold, pictures: str) -> Iterator[str]:
    yield from _folded(part.summary, [line for each in part.blocks for line in block(each, pictures)])


@block.register
def _(part: Figure, pictures: str) -> Iterator[str]:
    if pictures:
        yield from (f"![{escape(part.title)}]({pictures}/{part.id}.svg)", "", escape(part.description), "")
    yield from block(part.table, pictures)


@block.register
def _(part: Table, pictures: str) -> Iterator[str]:
    yield from (f"*{escape(part.caption)}*", "", _row([escape(column) for column in part.columns]))
    yield _row(["---:" if right else ":---" for right in part.right])
    yield from (_row([escape(cell.text) for cell in row]) for row in part.rows)
    yield ""
    for note in part.notes:
        yield from (f"<sub>{escape(note)}</sub>", "")


def _items(items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        sign = f"{SIGNS[item.tone]} " if SIGNS[item.tone] else ""
        yield f"- **{escape(item.label)}**: {sign}{escape(item.text)}"
    yield ""


def _row(entries: list[str]) -> str:
    return f"| {' | '.join(entries)} |"


def escape(text: str) -> str:
    """Text that Markdown shows as it is; underscores within words need nothing."""
    plain = re.sub(r"([\\`*|~$<>])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", plain)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
