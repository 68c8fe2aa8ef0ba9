"""Sections on what the networks were trained on, what they had met before the test, and how training went."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence.results import Composition, Curve, Marginal
from auditkit.report import charts
from auditkit.report.blocks import Block, Cell, Figure, Fold, Section, Table, Tone
from auditkit.report.headline import slug
from auditkit.report.numbers import count, fixed
from auditkit.report.view import View, distinct

MOVED = 0.01
"""Attributes whose share moved by less than this are folded away."""
MOST = 8
"""So many attributes that moved are shown of every arm at once, those that moved most; the others are folded, too."""


def composition(view: View) -> Section | None:
    """What each arm trains on: rows, copies, cells before and after, and the attributes that moved with them."""
    found = _alike(view.results.compositions)
    if not found:
        return None
    blocks: list[Block] = [_sizes(view, found)]
    moved, rest = _marginals(view, found)
    blocks += [table for table in (_cells(view, found), moved) if table.rows]
    blocks += [Fold(rest.caption, (rest,))] if rest.rows else []
    return Section("composition", "What the arms trained on", tuple(blocks))


def _alike(compositions: Sequence[Composition]) -> list[tuple[str, Composition]]:
    """Compositions with the tasks they are of; tasks whose draws are the same are told once."""
    alike: dict[tuple[object, ...], tuple[list[str], Composition]] = {}
    for each in compositions:
        key = (each.arm, each.rows, each.copies, each.distinct_images, each.cells, each.marginals)
        alike.setdefault(key, ([], each))[0].append(each.task)
    several = len({each.task for each in compositions}) > 1
    return [(f" ({', '.join(tasks)})" if several else "", each) for tasks, each in alike.values()]


def _sizes(view: View, found: Sequence[tuple[str, Composition]]) -> Table:
    columns = (
        "arm",
        "rows",
        "originals",
        "copies",
        "distinct images",
        "people",
        "effective images",
        "effective people",
        "most repeats",
    )
    rows = tuple(_size(view, task, each) for task, each in found)
    notes = (
        "An effective number is (sum of copies)² / sum of squared copies: equal to the rows when no image repeats.",
        "Most repeats: how many rows show the image that is shown most often.",
    )
    return Table("Rows that one epoch shows", columns, rows, notes=notes)


def _size(view: View, task: str, each: Composition) -> tuple[Cell, ...]:
    numbers = (each.rows, each.originals, each.copies, each.distinct_images, each.distinct_identities)
    effective = (each.effective_images, each.effective_identities)
    whole = [None if number is None else round(number) for number in effective]
    texts = [count(number) for number in (*numbers, *whole, each.most_copies_of_one)]
    return (Cell(view.names.arm(each.arm) + task), *map(Cell, texts))


def _cells(view: View, found: Sequence[tuple[str, Composition]]) -> Table:
    rows = tuple(
        (
            Cell(view.names.arm(each.arm) + task),
            Cell(view.names.group(cell.at)),
            Cell(count(cell.before)),
            Cell(count(cell.after)),
            Cell(f"{cell.after / cell.before:.2f}" if cell.before else "new" if cell.after else ""),
        )
        for task, each in found
        for cell in each.cells
        if cell.before != cell.after
    )
    columns = ("arm", "group", "before", "after", "times")
    return Table("Rows of every group, before and after", columns, rows, heads=2, notes=(_before(view),))


def _before(view: View) -> str:
    return f"Before: in what {view.names.arm(view.reference)} (reference) trains on. After: in what the arm trains on."


def _marginals(view: View, found: Sequence[tuple[str, Composition]]) -> tuple[Table, Table]:
    """The attributes that moved most with every arm, and the others that moved."""
    most: list[tuple[Cell, ...]] = []
    rest: list[tuple[Cell, ...]] = []
    for task, each in found:
        by_size = sorted(_informative(each.marginals), key=lambda m: -abs(m.after - m.before))
        rows = [(m, _marginal(view, view.names.arm(each.arm) + task, m)) for m in by_size if m.before != m.after]
        shown = [row for m, row in rows if abs(m.after - m.before) >= MOVED][:MOST]
        most += shown
        rest += [row for _, row in rows[len(shown) :]]
    columns = ("arm", "attribute", "before", "after", "points")
    captions = ("Attributes that moved most, share of rows in %", "Attributes that moved less, share of rows in %")
    first, second = (
        Table(caption, columns, tuple(rows), heads=2, notes=notes)
        for caption, rows, notes in zip(captions, (most, rest), ((_before(view),), ()), strict=True)
    )
    return first, second


def _informative(marginals: Sequence[Marginal]) -> list[Marginal]:
    """Of an attribute with two levels one says all."""
    levels: dict[str, list[Marginal]] = {}
    for marginal in marginals:
        levels.setdefault(marginal.attribute, []).append(marginal)
    return [m for each in levels.values() for m in (each[-1:] if len(each) == 2 else each)]


def _marginal(view: View, arm: str, marginal: Marginal) -> tuple[Cell, ...]:
    return (
        Cell(arm),
        Cell(view.names.level(marginal.attribute, marginal.level)),
        Cell(fixed(100 * marginal.before, 1)),
        Cell(fixed(100 * marginal.after, 1)),
        Cell(fixed(100 * (marginal.after - marginal.before), 1, signed=True)),
    )


def leaks(view: View) -> Section | None:
    """Test images that were trained on, or whose person or file was."""
    several = any(leak.test != "plain" for leak in view.results.leaks)
    rows = tuple(
        (
            Cell(leak.task),
            Cell(view.names.arm(leak.arm)),
            *([Cell(leak.test)] if several else []),
            Cell("person" if leak.what == "identity" else leak.what),
            Cell(f"{count(leak.touched)} of {count(leak.total)}"),
            Cell(f"{fixed(100 * leak.touched / leak.total, 1)} %" if leak.total else "", tone=_alarm(leak.touched)),
        )
        for leak in view.results.leaks
    )
    names = ("task", "arm", *(["test set"] if several else []), "shared")
    table = Table("Test images met in training", (*names, "images", "share"), rows, heads=len(names))
    return Section("leaks", "Leaks", (table,), folded=True) if rows else None


def _alarm(touched: int) -> Tone:
    return "bad" if touched else "good"


# -------------------------------------------------------------------------------------------------------------- curves


def curves(view: View) -> Section | None:
    """Loss and validation accuracy per epoch."""
    figures = [figure for task in distinct(c.task for c in view.results.curves) for figure in _figures(view, task)]
    return Section("curves", "Training curves", tuple(figures), folded=True) if figures else None


def _figures(view: View, task: str) -> list[Figure]:
    found = [curve for curve in view.results.curves if curve.task == task]
    losses = [(curve, curve.loss) for curve in found]
    accuracies = [
        (curve, tuple(100 * value for value in curve.accuracy if value is not None))
        for curve in found
        if curve.accuracy and None not in curve.accuracy
    ]
    figures = [_figure(view, task, "training loss", losses, 3)]
    return [*figures, _figure(view, task, "validation accuracy, %", accuracies, 1)] if accuracies else figures


def _figure(view: View, task: str, what: str, series: Sequence[tuple[Curve, Sequence[float]]], digits: int) -> Figure:
    rows = [
        {
            "epoch": epoch,
            "y": round(value, digits + 1),
            "arm": view.names.arm(curve.arm),
            "unit": f"{curve.arm} {curve.seed}",
        }
        for curve, values in series
        for epoch, value in enumerate(values, 1)
    ]
    arms = [view.names.arm(arm) for arm in distinct(curve.arm for curve, _ in series)]
    most = max(len(values) for _, values in series)
    lines = tuple(
        (Cell(view.names.arm(curve.arm)), Cell(str(curve.seed)), *(Cell(fixed(value, digits)) for value in values))
        + (Cell(""),) * (most - len(values))
        for curve, values in series
    )
    title = f"{task}: {what}"
    table = Table(title, ("arm", "seed", *(f"epoch {n}" for n in range(1, most + 1))), lines, heads=2)
    chart = charts.curves(rows, what, arms)
    return Figure(slug(f"curve-{title}"), title, "A line per arm and seed.", chart, table)
