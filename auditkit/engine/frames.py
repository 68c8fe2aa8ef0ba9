"""Reading a CSV or Parquet file of predictions, so that no two names in it become one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.errors import ParserWarning

from auditkit.engine.formats import COMMAS, SAVE_AS_UTF8, is_parquet, other_separator
from auditkit.errors import DataError
from auditkit.spec.words import plural

MISSING_TEXT = ("", "NA", "NaN", "nan", "null")
READ = "a table is CSV, its first line naming every column, or Parquet"
_PLAIN = re.compile(" *(0|-?[1-9][0-9]{0,19}) *")
_WHOLE = re.compile(r" *-?[0-9]{1,20}(\.0*)? *")
_KINDS = ("Int64", "UInt64")


def read_frame(path: Path, shown: Collection[str] = (), numbered: Collection[str] = ()) -> pd.DataFrame:
    """What stands in a file, under names that are text.

    A CSV does not say what is a number. Columns `shown` stay the text that they are unless all of it is whole numbers
    in their plain form; of columns `numbered`, it is enough that no two texts are the same whole number.

    Raises:
        DataError: it cannot be told what stands there.
    """
    try:
        return _parquet(path) if is_parquet(path) else _csv(path, shown, numbered)
    except FileNotFoundError:
        raise DataError("there is no such table", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise DataError("the table is not UTF-8 text", where=str(path), hint=SAVE_AS_UTF8) from error
    except (OSError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise DataError(f"cannot read the table: {said}", where=str(path), hint=READ) from error


def _parquet(path: Path) -> pd.DataFrame:
    """Columns, and among them those that pandas wrote as an index with a name."""
    frame = pd.read_parquet(path)
    named = [level for level, name in enumerate(frame.index.names) if name is not None]
    if named:
        frame = frame.reset_index(level=named, allow_duplicates=True).reset_index(drop=True)
    frame.columns = pd.Index([str(name) for name in frame.columns])
    return frame


def _csv(path: Path, shown: Collection[str], numbered: Collection[str]) -> pd.DataFrame:
    """Columns under the names that the first line gives them, where pandas would number those that stand twice."""
    first = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    names = first.iloc[0].tolist()
    if wrong := other_separator(names):
        raise DataError(wrong, where=str(path), hint=COMMAS)
    as_text = [place for place, name in enumerate(names) if name in shown or name in numbered]
    frame = _lines(path, len(names), as_text)
    for place in as_text:
        frame[place] = _numbers(frame[place], _PLAIN if names[place] in shown else _WHOLE)
    frame.columns = pd.Index(names)
    return frame


def _lines(path: Path, columns: int, as_text: list[int]) -> pd.DataFrame:
    """All lines but the first, under the positions of their columns.

    Raises:
        ValueError: lines have more fields than there are names, of which pandas would make row labels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", ParserWarning)
        try:
            return pd.read_csv(
                path, names=list(range(columns)), header=0, index_col=False, dtype=dict.fromkeys(as_text, str),
                keep_default_na=False, na_values=list(MISSING_TEXT), low_memory=False,
            )  # fmt: skip
        except ParserWarning:
            said = f"the first line names {plural(columns, 'column')}, and lines have more fields"
            raise ValueError(said) from None


def _numbers(texts: pd.Series[Any], form: re.Pattern[str]) -> pd.Series[Any]:
    """Whole numbers, where all texts have the form of one and no two of them are the same; else the texts."""
    codes, written = pd.factorize(texts)
    if not all(map(form.fullmatch, written)):
        return texts
    numbers = [int(text.partition(".")[0]) for text in written]
    kind = _kind(numbers)
    if kind is None or len(set(numbers)) < len(numbers):
        return texts
    return pd.Series(pd.array(numbers, dtype=kind).take(codes, allow_fill=True))


def _kind(numbers: list[int]) -> Any:
    """The first kind of integer that holds all of them, None where there is none."""
    low, high = min(numbers, default=0), max(numbers, default=0)
    limits = ((kind, np.iinfo(kind.lower())) for kind in _KINDS)
    return next((kind for kind, limit in limits if limit.min <= low and high <= limit.max), None)
