"""Predictions made elsewhere, one line per photo, arm and seed of a CSV or Parquet table, as a panel of evidence."""

from __future__ import annotations

import csv
import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.errors import ParserWarning
from scipy.special import logit

from auditkit.contracts import Level
from auditkit.engine.alignment import Alignment, Lines, align
from auditkit.errors import DataError
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.spec.words import did_you_mean, listed

MISSING_TEXT = ("", "NA", "NaN", "nan", "null")
MOST_LEVELS = 50
PARQUET = (".parquet", ".pq")
READ = "a table is CSV, its first line naming every column, or Parquet"
ONLY_ARM = "model"
Codes = NDArray[np.int64]
Levels = tuple[Level, ...]


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
    def used(self) -> tuple[str, ...]:
        """Every column named, once."""
        single = (self.truth, self.score, self.identity, self.row, self.arm, self.seed)
        return tuple(dict.fromkeys([*(name for name in single if name is not None), *self.attributes]))


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

    `arms` are in the order in which they first appear, `names` those of the photos by row number; `notes` say what was
    assumed.
    """

    panel: Panel
    positive: Level
    arms: tuple[str, ...]
    names: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...]
    fingerprint: str


def read(path: Path, columns: Columns, reading: Reading) -> Given:
    """Read a table and check it.

    Raises:
        DataError: the table cannot be read, lacks a column, or holds what cannot be judged.
    """
    table = _Table(path, _frame(path))
    table.require(columns.used)
    margin = _margin(table, columns.score, reading)
    truth, positive = _truth(table, columns.truth, reading)
    attributes = {name: table.attribute(name) for name in columns.attributes}
    identity = None if columns.identity is None else table.codes(columns.identity)[0]
    arm, arms = _arms(table, columns.arm)
    seed, seeds = _seeds(table, columns.seed)
    row, names = (None, ()) if columns.row is None else table.codes(columns.row, complete=True)
    same = {columns.truth: truth, **{name: codes for name, (codes, _) in attributes.items()}}
    same |= {} if identity is None or columns.identity is None else {columns.identity: identity}
    aligned = align(Lines(path, arm, seed, arms, seeds, same, row, tuple(map(str, names))))
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
        threshold=float(np.float32(logit(reading.threshold))),
    )
    appearing = tuple(arms[code] for code in dict.fromkeys(arm.tolist()))
    return Given(panel, positive, appearing, aligned.names, aligned.notes, _fingerprint(panel, aligned.names))


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    path: Path
    frame: pd.DataFrame

    def error(self, message: str, hint: str = "") -> DataError:
        return DataError(message, where=str(self.path), hint=hint)

    def require(self, names: tuple[str, ...]) -> None:
        known = [str(name) for name in self.frame.columns]
        missing = [name for name in names if name not in known]
        twice = [name for name in names if known.count(name) > 1]
        if missing:
            raise self.error(*_no_columns(missing, known))
        if twice:
            raise self.error(f"there are several columns {twice[0]!r}", "give every column a name of its own")
        if self.frame.empty:
            raise self.error("the table has no rows")

    def complete(self, name: str) -> pd.Series[Any]:
        """A column without missing values."""
        column = self.frame[name]
        missing = np.flatnonzero(column.isna())
        if len(missing):
            number = f"{len(missing)} missing value{'s' if len(missing) > 1 else ''}"
            said = f"column {name!r} has {number}, the first in {self.place_of(int(missing[0]))}"
            raise self.error(said, "fill them in, or leave these rows out")
        return column

    def place_of(self, row: int) -> str:
        """Where a row stands: its line in a text file, where records may span lines and blank ones are skipped."""
        if self.path.suffix.lower() in PARQUET:
            return f"row {row + 1}"
        with self.path.open(encoding="utf-8", errors="replace", newline="") as file:
            reader = csv.reader(file)
            lines = (reader.line_num for record in reader if record)
            return f"line {next(islice(lines, row + 1, None), row + 2)}"

    def codes(self, name: str, *, complete: bool = False) -> tuple[Codes, Levels]:
        """Number the levels of a column in their order; -1 where missing."""
        column = self.complete(name) if complete else self.frame[name]
        codes, levels = pd.factorize(_comparable(column), sort=True)
        return codes.astype(np.int64), tuple(_level(value) for value in levels.tolist())

    def attribute(self, name: str) -> tuple[Codes, Levels]:
        """As `codes`, for a column whose levels make groups."""
        codes, levels = self.codes(name)
        if len(levels) > MOST_LEVELS:
            said = f"column {name!r} has {len(levels):,} levels, and groups can be made of {MOST_LEVELS}"
            raise self.error(said, "cut it into a few ranges first")
        return codes, levels


def _no_columns(missing: list[str], known: list[str]) -> tuple[str, str]:
    """What is said of columns that are not there, and what helps."""
    apart = [name for name in known if "," in name or "*" in name]
    if len(missing) == 1:
        said, hint = f"there is no column {missing[0]!r}", did_you_mean(missing[0], known)
    else:
        said = f"there are no columns {listed(missing, 'and')}"
        hint = "its columns are " + ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    rename = "a name with a comma or * cannot be asked for as a group: rename the column" if apart else ""
    return said, "; ".join(filter(None, (hint, rename)))


def _frame(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() in PARQUET:
            return pd.read_parquet(path)
        return _csv(path)
    except FileNotFoundError:
        raise DataError("there is no such table", where=str(path)) from None
    except (OSError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise DataError(f"cannot read the table: {said}", where=str(path), hint=READ) from error


def _csv(path: Path) -> pd.DataFrame:
    """Columns under the names that the first line gives them, where pandas would number those that stand twice.

    Raises:
        ValueError: lines have more fields than there are names, of which pandas would make row labels.
    """
    names = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ParserWarning)
        try:
            frame = pd.read_csv(
                path, index_col=False, keep_default_na=False, na_values=list(MISSING_TEXT), low_memory=False
            )
        except ParserWarning:
            said = f"the first line names {names.shape[1]} columns, and lines have more fields"
            raise ValueError(said) from None
    frame.columns = pd.Index(names.iloc[0])
    return frame


def _comparable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Whole numbers as such even where some are missing; what is neither number nor truth value as text."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_integer_dtype(column):
        return column
    if pd.api.types.is_float_dtype(column) and bool((column.dropna() % 1 == 0).all()):
        return column.astype("Int64")
    return column.astype(object).map(str, na_action="ignore")


def _level(value: Any) -> Level:
    return value if isinstance(value, bool | int) else str(value)


def _margin(table: _Table, name: str, reading: Reading) -> NDArray[np.float32]:
    """(lines,) logit margins."""
    column = table.complete(name)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(values))
    if len(wrong):
        said = f"column {name!r} is not numeric: {str(column.iloc[wrong[0]])!r} in {table.place_of(int(wrong[0]))}"
        raise table.error(said, "the score is the probability of the positive level, or with --logit its logit")
    if reading.logit:
        return values.astype(np.float32)
    outside = np.flatnonzero((values < 0) | (values > 1))
    if len(outside):
        first = int(outside[0])
        place = table.place_of(first)
        said = f"column {name!r} is no probability: {values[first]:g} in {place} is outside of 0 to 1"
        raise table.error(said, "--logit reads logits; the score is the probability of the positive level")
    return np.asarray(logit(values), dtype=np.float32)


def _truth(table: _Table, name: str, reading: Reading) -> tuple[Codes, Level]:
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
        count = f"{len(levels)} level{'s' if len(levels) > 1 else ''}"
        said = f"truth has two levels, and column {name!r} has {count}: {shown}"
        remedy = "--positive LEVEL judges one level against all others"
        raise table.error(said, remedy if len(levels) > 2 else "a table to be judged has photos of both levels")
    if levels != (0, 1):
        said = f"column {name!r} has the levels {listed(levels, 'and')}, and which is positive is not said"
        raise table.error(said, f"as in --positive {levels[1]}")
    return codes, levels[1]


def _arms(table: _Table, name: str | None) -> tuple[Codes, tuple[str, ...]]:
    """Arms in the order of their names."""
    if name is None:
        return np.zeros(len(table.frame), dtype=np.int64), (ONLY_ARM,)
    codes, levels = table.codes(name, complete=True)
    return codes, tuple(map(str, levels))


def _seeds(table: _Table, name: str | None) -> tuple[Codes, tuple[int, ...]]:
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


def _fingerprint(panel: Panel, names: tuple[str, ...]) -> str:
    """Of the test set alone, so that models tested on the same photos have the same."""
    digest = hashlib.sha256(repr((panel.target, names, dict(panel.levels))).encode())
    for column in (panel.truth, panel.identity, *panel.attributes.values()):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
