"""Predictions made elsewhere, one line per image, arm and seed of a CSV or Parquet table, as a panel of evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from auditkit.contracts import Level
from auditkit.engine.alignment import Alignment, Lines, align
from auditkit.engine.frames import read_frame
from auditkit.engine.repeated import require_once
from auditkit.engine.table import Codes, Levels, Table
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.spec.words import did_you_mean, likely_positive, listed, plural

ONLY_ARM = "model"
MOST_GROUPS = 100
NAMED = 6
"""So many columns that were not looked at are named."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what. `groups` are as in [evidence]; `explore` are further attributes for spillover."""

    truth: str
    score: str
    groups: tuple[tuple[str, ...], ...] = ()
    identity: str | None = None
    row: str | None = None
    arm: str | None = None
    seed: str | None = None
    explore: tuple[str, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute named, once."""
        return tuple(dict.fromkeys([*(name for over in self.groups for name in over), *self.explore]))

    @property
    def shown(self) -> tuple[str, ...]:
        """Columns whose texts a report shows as names."""
        return tuple(name for name in (self.row, self.arm) if name is not None)

    @property
    def numbered(self) -> tuple[str, ...]:
        """Columns whose texts are only told apart and numbered."""
        return tuple(name for name in (self.identity, self.seed) if name is not None)

    @property
    def used(self) -> tuple[str, ...]:
        """Every column named, once."""
        single = (self.truth, self.score, self.identity, self.row, self.arm, self.seed)
        return tuple(dict.fromkeys([*(name for name in single if name is not None), *self.attributes]))

    @property
    def telling(self) -> tuple[str, ...]:
        """Which of "arm" and "seed" have a column."""
        return tuple(name for name in ("arm", "seed") if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class Reading:
    """How truth and score are read: the positive level, whether scores are logits, and above which probability a
    prediction is positive."""

    positive: str | None = None
    threshold: float = 0.5
    logit: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A panel of what was given, its arms in the order of their names, so that nothing depends on the order of lines.

    `arms` are in the order in which they first appear, `names` those of the images by row number; `notes` say what was
    assumed, `warnings` what of it is probably wrong.
    """

    panel: Panel
    positive: Level
    arms: tuple[str, ...]
    names: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...]
    fingerprint: str
    reading: Reading
    warnings: tuple[str, ...] = ()


def read(path: Path, columns: Columns, reading: Reading) -> Given:
    """Read a table and check it.

    Raises:
        DataError: the table cannot be read, lacks a column, or holds what cannot be judged.
    """
    table = Table(path, read_frame(path, columns.shown, columns.numbered))
    _require(table, columns)
    margin = _margin(table, columns.score, reading)
    truth, positive = _truth(table, columns.truth, reading)
    attributes = {name: table.attribute(name) for name in columns.attributes}
    _refuse_too_many(table, columns, attributes)
    identity = _identity(table, columns.identity)
    arm, arms = _arms(table, columns.arm)
    seed, seeds = _seeds(table, columns.seed)
    row, names = (None, ()) if columns.row is None else table.codes(columns.row, complete=True)
    same = {columns.truth: truth, **{name: codes for name, (codes, _) in attributes.items()}}
    same |= {} if identity is None or columns.identity is None else {columns.identity: identity}
    lines = Lines(path, arm, seed, arms, seeds, same, row, tuple(map(str, names)), people=identity is not None)
    warnings = (*_hardly_logits(table, columns.score, reading), *_repeated(table, columns, lines))
    aligned = align(lines)
    panel = Panel(
        task=columns.truth,
        target=columns.truth,
        test="plain",
        row=np.arange(aligned.rows),
        copy=np.zeros(aligned.rows, dtype=np.int64),
        identity=np.arange(aligned.rows) if identity is None else identity[aligned.first],
        truth=truth[aligned.first].astype(np.int8),
        attributes={name: codes[aligned.first].astype(np.int8) for name, (codes, _) in attributes.items()},
        levels={name: levels for name, (_, levels) in attributes.items()},
        arms=tuple(_scores(aligned, margin, arm, seed, arms, seeds)),
        identities_known=identity is not None,
        rows_known=row is not None,
        threshold=float(_single(logit(reading.threshold))),
    )
    appearing = tuple(arms[code] for code in dict.fromkeys(arm.tolist()))
    notes = (*warnings, *aligned.notes, *_empty(columns.identity, identity), *_not_looked_at(table, columns))
    named = row is not None or identity is not None
    return Given(
        panel, positive, appearing, aligned.names, notes, _fingerprint(panel, aligned.names, named), reading, warnings
    )


def _require(table: Table, columns: Columns) -> None:
    """Raise DataError unless every column named is there, and predictions are not the truth."""
    table.require(columns.used)
    if columns.score == columns.truth:
        raise table.error(f"truth and score are the same column {columns.score!r}", "name the column of predictions")


def _repeated(table: Table, columns: Columns, lines: Lines) -> tuple[str, ...]:
    """Warnings of images that may count several times, where no column names them."""
    return require_once(table, columns.used, lines, columns.telling) if columns.row is None else ()


def _refuse_too_many(table: Table, columns: Columns, attributes: dict[str, tuple[Codes, Levels]]) -> None:
    """Every pair of groups is compared, so that the time grows with the square of their number."""
    for over in columns.groups:
        codes = np.stack([attributes[name][0] for name in over]) if over else np.zeros((0, 0), dtype=np.int64)
        there = len(np.unique(codes[:, (codes >= 0).all(axis=0)], axis=1).T) if over else 0
        if there > MOST_GROUPS:
            said = f"{' * '.join(over)} makes {there:,} groups, all pairs of which are compared: at most {MOST_GROUPS}"
            raise table.error(said, "name fewer columns together, or cut one into a few ranges first")


def _identity(table: Table, name: str | None) -> Codes | None:
    """(lines,) whose image each is, -1 where unknown; None where nobody is known."""
    if name is None:
        return None
    codes = table.codes(name)[0]
    return codes if (codes >= 0).any() else None


def _empty(name: str | None, identity: Codes | None) -> Iterator[str]:
    if name is not None and identity is None:
        yield f"column {name!r}, named by --identity, is empty"


def _not_looked_at(table: Table, columns: Columns) -> Iterator[str]:
    """One note on all columns that nothing is made of."""
    left = [str(name) for name in table.frame.columns if name not in columns.used]
    if left:
        named = ", ".join(map(repr, left[:NAMED])) + (f" and {len(left) - NAMED} more" if len(left) > NAMED else "")
        were = plural(len(left), "column was", "columns were")
        yield f"{were} not looked at: {named}; an option such as --groups, --explore or --identity names a column"


def _margin(table: Table, name: str, reading: Reading) -> NDArray[np.float32]:
    """(lines,) logit margins, each on that side of the threshold on which its score is as it was given."""
    column, values = _values(table, name, reading)
    given = np.float64 if not pd.api.types.is_float_dtype(column) else column.dtype.type
    threshold = logit(reading.threshold)
    above = values > given(threshold if reading.logit else reading.threshold)
    margin, limit = _single(values if reading.logit else logit(values)), _single(threshold)
    least = np.nextafter(limit, np.float32(np.inf))
    return np.asarray(np.where(above, np.maximum(margin, least), np.minimum(margin, limit)))


def _single(values: Any) -> Any:
    """In single precision, infinite where that holds no such number."""
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(np.float32)


def _values(table: Table, name: str, reading: Reading) -> tuple[pd.Series[Any], NDArray[np.float64]]:
    """A column of scores, and (lines,) what it holds."""
    column = table.complete(name)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(values))
    if len(wrong):
        said = f"column {name!r} is not numeric: {str(column.iloc[wrong[0]])!r} in {table.place_of(int(wrong[0]))}"
        raise table.error(said, "the score is the probability of the positive level, or with --logit its logit")
    outside = np.flatnonzero((values < 0) | (values > 1))
    if len(outside) and not reading.logit:
        first = int(outside[0])
        place = table.place_of(first)
        said = f"column {name!r} is no probability: {values[first]:g} in {place} is outside of 0 to 1"
        raise table.error(said, "--logit reads logits; the score is the probability of the positive level")
    return column, values


def _hardly_logits(table: Table, name: str, reading: Reading) -> Iterator[str]:
    """Logits of which none is negative call every image positive, as probabilities that are read as logits do."""
    if reading.logit and table.frame[name].astype(float).between(0, 1).all():
        yield f"column {name!r} is read as logits, and all of it lies in 0 to 1: probabilities are read without --logit"


def _truth(table: Table, name: str, reading: Reading) -> tuple[Codes, Level]:
    """(lines,) 1 where the truth is the positive level, which comes with it."""
    codes, levels = table.codes(name, complete=True)
    if reading.positive is not None:
        found = [code for code, level in enumerate(levels) if str(level) == reading.positive]
        if not found:
            raise table.error(
                f"column {name!r} has no level {reading.positive!r}", did_you_mean(reading.positive, map(str, levels))
            )
        return (codes == found[0]).astype(np.int64), levels[found[0]]
    if len(levels) != 2:
        shown = ", ".join(map(repr, levels[:6])) + (", ..." if len(levels) > 6 else "")
        count = plural(len(levels), "level")
        said = f"truth has two levels, and column {name!r} has {count}: {shown}"
        remedy = "--positive LEVEL judges one level against all others"
        raise table.error(said, remedy if len(levels) > 2 else "a table to be judged has images of both levels")
    if levels != (0, 1):
        said = f"column {name!r} has the levels {listed(levels, 'and')}, and which is positive is not said"
        raise table.error(said, f"as in --positive {likely_positive(levels)}")
    return codes, levels[1]


def _arms(table: Table, name: str | None) -> tuple[Codes, tuple[str, ...]]:
    """Arms in the order of their names."""
    if name is None:
        return np.zeros(len(table.frame), dtype=np.int64), (ONLY_ARM,)
    codes, levels = table.codes(name, complete=True)
    return codes, tuple(map(str, levels))


def _seeds(table: Table, name: str | None) -> tuple[Codes, tuple[int, ...]]:
    """Seeds in ascending order; those that are no whole numbers are numbered in the order of their names."""
    if name is None:
        return np.zeros(len(table.frame), dtype=np.int64), (0,)
    codes, levels = table.codes(name, complete=True)
    whole = [level for level in levels if isinstance(level, int)]
    return codes, tuple(map(int, whole)) if len(whole) == len(levels) else tuple(range(len(levels)))


def _scores(
    aligned: Alignment,
    margin: NDArray[np.float32],
    arm: Codes,
    seed: Codes,
    arms: tuple[str, ...],
    seeds: tuple[int, ...],
) -> Iterator[ArmScores]:
    for number, name in enumerate(arms):
        mine = np.flatnonzero(arm == number)
        present, position = np.unique(seed[mine], return_inverse=True)
        table = np.full((len(present), aligned.rows), np.nan, dtype=np.float32)
        table[position, aligned.row[mine]] = margin[mine]
        yield ArmScores(name, tuple(seeds[code] for code in present), table)


def _fingerprint(panel: Panel, names: tuple[str, ...], named: bool) -> str:
    """Of the test set alone, so that models tested on the same images have the same.

    Where nothing names an image or whose it is, the groups tell test sets apart, too.
    """
    groups = () if named else tuple(panel.attributes.items())
    levels = {name: panel.levels[name] for name, _ in groups}
    digest = hashlib.sha256(repr((panel.target, names, levels)).encode())
    for column in (panel.truth, panel.identity, *(codes for _, codes in groups)):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
