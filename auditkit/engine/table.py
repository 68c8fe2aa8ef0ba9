"""A CSV or Parquet table of predictions: its columns, their levels, and where in it a mistake stands."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from auditkit.contracts import Level
from auditkit.engine.formats import is_parquet
from auditkit.errors import DataError
from auditkit.spec.words import did_you_mean, listed, plural

MOST_LEVELS_GROUPED = 50
COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
Codes = NDArray[np.int64]
Levels = tuple[Level, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table of predictions and where it lies."""

    path: Path
    frame: pd.DataFrame

    def error(self, message: str, hint: str = "") -> DataError:
        """A mistake in this table."""
        return DataError(message, where=str(self.path), hint=hint)

    def require(self, names: tuple[str, ...]) -> None:
        """Raise DataError unless every name is that of one column, and there are rows."""
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
            number = plural(len(missing), "missing value")
            said = f"column {name!r} has {number}, the first in {self.place_of(int(missing[0]))}"
            raise self.error(said, "fill them in, or leave these rows out")
        return column

    def place_of(self, row: int) -> str:
        """Where a row stands: its line in a text file, where records may span lines and blank ones are skipped."""
        if is_parquet(self.path) or self.path.suffix.lower() in COMPRESSED:
            return f"row {row + 1}"
        with self.path.open(encoding="utf-8", errors="replace", newline="") as file:
            reader = csv.reader(file)
            lines = (reader.line_num for record in reader if record)
            return f"line {next(islice(lines, row + 1, None), row + 2)}"

    def codes(self, name: str, *, complete: bool = False) -> tuple[Codes, Levels]:
        """Number the levels of a column in their order; -1 where missing."""
        column = self.complete(name) if complete else self.frame[name]
        self._told_apart(name, column)
        codes, levels = pd.factorize(_comparable(column), sort=True)
        return codes.astype(np.int64), tuple(_level(value) for value in levels.tolist())

    def _told_apart(self, name: str, column: pd.Series[Any]) -> None:
        """Raise DataError where floating point has made one number of several whole ones."""
        if not pd.api.types.is_float_dtype(column):
            return
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        large = np.flatnonzero(np.isfinite(values) & (np.abs(values) >= _all_whole_below(column)))
        if len(large):
            value, place = values[large[0]], self.place_of(int(large[0]))
            said = f"column {name!r} holds floating point, which tells no whole numbers apart that are as large as"
            raise self.error(f"{said} {value:.16g} in {place}", "write integers, or text that is no number")

    def attribute(self, name: str) -> tuple[Codes, Levels]:
        """As `codes`, for a column whose levels make groups."""
        codes, levels = self.codes(name)
        if len(levels) > MOST_LEVELS_GROUPED:
            said = f"column {name!r} has {len(levels):,} levels, and groups can be made of {MOST_LEVELS_GROUPED}"
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


def _all_whole_below(column: pd.Series[Any]) -> int:
    """Below this a column of floating point holds every whole number."""
    return int(2 ** (np.finfo(column.dtype.type).nmant + 1))


def _comparable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Whole numbers as such even where some are missing; what is neither number nor truth value as text."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_integer_dtype(column):
        return column
    if pd.api.types.is_float_dtype(column) and bool((column.dropna() % 1 == 0).all()):
        return column.astype("Int64")
    return column.astype(object).map(str, na_action="ignore")


def _level(value: Any) -> Level:
    return value if isinstance(value, bool | int) else str(value)
