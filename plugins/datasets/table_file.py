"""The file of the user's table: CSV, or Parquet by its suffix."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from auditkit import DataError
from auditkit_plugins.datasets.images import LET_READ

PARQUET = (".parquet", ".pq")
SAVE_AS_UTF8 = "save it as UTF-8; spreadsheets offer that as 'CSV UTF-8'"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_HEAD_BYTES = 1 << 16


def read_table(place: Path) -> pa.Table:
    """The table, with its categories as the values that they stand for. Raises DataError where it cannot be read."""
    with _reading(place):
        table = _parsed(place)
        names = table.column_names
    _refuse_names(names, place)
    if not _is_parquet(place):
        _refuse_other_bytes(table, place)
    return pa.table({name: _decoded(table[name]) for name in names})


def _parsed(place: Path) -> pa.Table:
    if _is_parquet(place):
        return pq.ParquetFile(place).read() if place.is_file() else pq.read_table(place)
    return pv.read_csv(place, convert_options=pv.ConvertOptions(strings_can_be_null=True))


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories as the values that they stand for, and a number that is none as a missing value."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    """Raise DataError where the block cannot read a table."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=str(place), hint="name a CSV or Parquet file") from error
    except UnicodeDecodeError as error:
        raise DataError("the first line is not UTF-8 text", where=str(place), hint=SAVE_AS_UTF8) from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"cannot read the table: {_reason(error, place)}", where=str(place), hint=_remedy(error, place)
        ) from error


def _reason(error: Exception, place: Path) -> str:
    if place.is_dir() and not _is_parquet(place):
        return "this is a folder"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error).split("\n", 1)[0]


def _remedy(error: Exception, place: Path) -> str:
    if isinstance(error, PermissionError):
        return LET_READ
    if _is_parquet(place):
        return "write the Parquet file again, or name a CSV file"
    if place.is_dir():
        return "name the CSV or Parquet file itself"
    if _first_bytes(place)[:2] in UTF16_MARKS:
        return SAVE_AS_UTF8
    return "the first line must name the columns, every other line must have as many fields"


def _refuse_names(columns: list[str], place: Path) -> None:
    """Raise DataError where a name stands twice, or another separator than the comma has made one name of all."""
    apart = [word for mark, word in OTHER_SEPARATORS.items() if len(columns) == 1 and mark in columns[0]]
    if apart and not _is_parquet(place):
        message = f"the first line has {apart[0]} and no comma, so it names a single column"
        raise DataError(message, where=str(place), hint="save it as CSV with commas between the fields")
    repeated = [name for name, times in Counter(columns).items() if times > 1]
    if repeated:
        named = " and ".join(map(repr, repeated))
        message = f"the header names the column {named} more than once"
        raise DataError(message, where=str(place), hint="give every column a name of its own")


def _refuse_other_bytes(table: pa.Table, place: Path) -> None:
    """Raise DataError where text is in another encoding, which Arrow reads as bytes."""
    for name in table.column_names:
        if pa.types.is_binary(table[name].type):
            row = next(row for row, value in enumerate(table[name]) if not _is_utf8(value.as_py()))
            message = f"column {name!r} is not UTF-8 text in row {row + 1}"
            raise DataError(message, where=str(place), hint=SAVE_AS_UTF8)


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_parquet(place: Path) -> bool:
    return place.suffix.lower() in PARQUET


def header(place: Path) -> list[str]:
    """Column names, without reading the rows where that can be helped."""
    columns = _first_line(place) if place.is_file() else None
    if columns is None:
        return list(read_table(place).column_names)
    _refuse_names(columns, place)
    return columns


def _first_line(place: Path) -> list[str] | None:
    """Column names of a file; None where its first line alone does not tell them."""
    with _reading(place):
        if _is_parquet(place):
            return list(pq.read_schema(place).names)
        first = _first_bytes(place).split(b"\n", 1)[0] + b"\n"
    try:
        return list(pv.read_csv(pa.BufferReader(first)).column_names)
    except (pa.ArrowInvalid, UnicodeDecodeError):  # as of a compressed file
        return None


def _first_bytes(place: Path) -> bytes:
    with place.open("rb") as file:
        return file.read(_HEAD_BYTES)
