"""The file of the user's table: CSV, or Parquet by its suffix."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from auditkit import DataError
from auditkit_plugins.datasets.images import LET_READ

PARQUET = (".parquet", ".pq")
_HEAD_BYTES = 1 << 16


def read_table(place: Path) -> pa.Table:
    """The table, with its categories as the values that they stand for. Raises DataError where it cannot be read."""
    with _reading(place):
        table = _parsed(place)
    _refuse_repeated(table.column_names, place)
    return pa.table({name: _decoded(table[name]) for name in table.column_names})


def _parsed(place: Path) -> pa.Table:
    if _is_parquet(place):
        return pq.ParquetFile(place).read() if place.is_file() else pq.read_table(place)
    return pv.read_csv(place, convert_options=pv.ConvertOptions(strings_can_be_null=True))


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    """Raise DataError where the block cannot read a table."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=str(place), hint="name a CSV or Parquet file") from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"cannot read the table: {_reason(error)}", where=str(place), hint=_remedy(error, place)
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error).split("\n", 1)[0]


def _remedy(error: Exception, place: Path) -> str:
    if isinstance(error, PermissionError):
        return LET_READ
    if _is_parquet(place):
        return "write the Parquet file again, or name a CSV file"
    return "the first line must name the columns, every other line must have as many fields"


def _refuse_repeated(columns: list[str], place: Path) -> None:
    repeated = [name for name, times in Counter(columns).items() if times > 1]
    if repeated:
        named = " and ".join(map(repr, repeated))
        message = f"the header names the column {named} more than once"
        raise DataError(message, where=str(place), hint="give every column a name of its own")


def _is_parquet(place: Path) -> bool:
    return place.suffix.lower() in PARQUET


def header(place: Path) -> list[str]:
    """Column names, without reading the rows where that can be helped."""
    columns = _first_line(place) if place.is_file() else None
    if columns is None:
        return list(read_table(place).column_names)
    _refuse_repeated(columns, place)
    return columns


def _first_line(place: Path) -> list[str] | None:
    """Column names of a file; None where its first line alone does not tell them."""
    with _reading(place):
        if _is_parquet(place):
            return list(pq.read_schema(place).names)
        with place.open("rb") as file:
            first = file.read(_HEAD_BYTES).split(b"\n", 1)[0] + b"\n"
    try:
        return list(pv.read_csv(pa.BufferReader(first)).column_names)
    except pa.ArrowInvalid:
        return None
