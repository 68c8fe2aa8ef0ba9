"""Sections on claims: published figures beside ours, and gates."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence.results import GateRow, PublishedRow
from auditkit.report import cells, conditions
from auditkit.report.blocks import Cell, Section, Table, Tone
from auditkit.report.cells import Footnotes
from auditkit.report.numbers import DIFFERENCES
from auditkit.report.screen import OUTCOMES
from auditkit.report.view import View

JUDGEMENTS: dict[str, Tone] = {"consistent": "good", "not consistent": "bad", "cannot tell": "quiet"}


def published(view: View) -> Section | None:
    """Figures that someone printed, beside ours."""
    footnotes = Footnotes()
    shared = _shared([row.notes for row in view.results.published])
    rows = tuple(_published(view, row, shared, footnotes) for row in view.results.published)
    notes = (*([f"of every row: {shared}"] if shared else []), *footnotes.notes)
    columns = ("where", "what", "published", "ours", "judgement", "note")
    caption = f"Figures in print, and what answers to them here, with plain {view.confidence} intervals"
    table = Table(caption, columns, rows, heads=2, notes=notes)
    return Section("published", "Published beside ours", (table,)) if rows else None


def _shared(notes: Sequence[tuple[str, ...]]) -> str:
    """The note that several rows all end with; "" where there is none."""
    last = {"".join(each[-1:]) for each in notes}
    return last.pop() if len(notes) > 1 and len(last) == 1 else ""


def _published(view: View, row: PublishedRow, shared: str, footnotes: Footnotes) -> tuple[Cell, ...]:
    own = row.notes[:-1] if shared else row.notes
    return (
        Cell(row.where),
        Cell(view.names.in_words(row.what)),
        Cell(_as_printed(view, row)),
        cells.with_unit(view, row.ours, footnotes),
        Cell(row.judgement, tone=JUDGEMENTS.get(row.judgement, "quiet")),
        Cell("; ".join(own)),
    )


def _as_printed(view: View, row: PublishedRow) -> str:
    """The published figure in the units of ours, with the decimals it was printed with."""
    if row.ours is None or row.ours.metric in view.numbers.plain or row.ours.quantity == "ratio":
        return f"{row.value:,g}"
    sign = "+" if row.ours.quantity in DIFFERENCES else ""
    return f"{100 * row.value:{sign}.10g} {view.numbers.unit(row.ours.metric, row.ours.quantity)}"


def gates(view: View) -> Section | None:
    """Conditions on findings, and how they came out."""
    footnotes = Footnotes()
    rows = tuple(_gate(view, row, footnotes) for row in view.results.gates)
    columns = ("gate", "condition", "bound", "ours", "outcome", "because")
    table = Table(
        "Conditions on findings, decided on the intervals shown", columns, rows, heads=2, notes=footnotes.notes
    )
    return Section("gates", "Gates", (table,)) if rows else None


def _gate(view: View, row: GateRow, footnotes: Footnotes) -> tuple[Cell, ...]:
    return (
        Cell(row.title),
        Cell(conditions.condition(view, row)),
        Cell(conditions.bound(view, row)),
        cells.decisive(view, row.finding, footnotes),
        Cell(row.outcome, tone=OUTCOMES[row.outcome]),
        Cell("; ".join(filter(None, (conditions.because(row), row.place)))),
    )
