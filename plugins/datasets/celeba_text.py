"""CelebA's annotation files, in every form they are passed around in, to arrays.

Text or CSV, CRLF or LF, with or without count line, header or last newline, values -1/1 or 0/1, plain or in a zip.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit import DataError
from auditkit_plugins.counted import counted
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.images import LET_READ

DOWNLOAD_AGAIN = "remove the file and download it again: auditkit data download DIR"
_SEPARATORS = bytes.maketrans(b',"\t', b"   ")
_NEWLINE, _MINUS, _ZERO, _ONE = b"\n-01"


@dataclass(frozen=True, slots=True, eq=False)
class AttributeTable:
    """names: one file name per row; codes: (rows, 40) int8 of 0 and 1, columns in CelebA's order."""

    names: tuple[bytes, ...]
    codes: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class NumberTable:
    """names: one file name per row; values: (rows,) int64."""

    names: tuple[bytes, ...]
    values: NDArray[np.int64]


def read_bytes(path: Path) -> bytes:
    """The contents of an annotation file, or of the only file in a zip; not HTML, not a pointer, not empty."""
    try:
        data = _unzipped(path) if path.suffix == ".zip" else path.read_bytes()
    except (OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"cannot read the file: {reason}", where=str(path), hint=_remedy(error)) from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    _refuse_what_is_no_data(data, path)
    return data


def header_names(path: Path) -> tuple[str, ...]:
    """Attribute names of an attribute file, from its first two lines."""
    start = read_bytes(path) if path.suffix == ".zip" else _start_of(path)
    return _read_header(start, path)[0]


def attribute_table(path: Path) -> AttributeTable:
    """Read an attribute file. Raises DataError with file and line for anything that is not 40 values -1/1 or 0/1."""
    data = read_bytes(path)
    names, declared, skipped = _read_header(data, path)
    _check_names(names, path)
    body = data.split(b"\n", skipped)[skipped] if data.count(b"\n", 0, 10_000) >= skipped else b""
    table = _Body(body, len(names) + 1, skipped + 1, path)
    if declared is not None and declared != table.rows:
        announced, there = counted(declared, "row"), counted(table.rows, "follows", "follow")
        message = f"line 1 announces {announced}, but {there}: the file was cut off or edited"
        hint = f"write {table.rows} in line 1 if you took rows out yourself; otherwise {DOWNLOAD_AGAIN}"
        raise DataError(message, where=str(path), hint=hint)
    order = [names.index(name) for name in ATTRIBUTES]
    return AttributeTable(table.names(), table.binary()[:, order])


def number_table(path: Path, columns: tuple[str, ...]) -> NumberTable:
    """Read a file of one integer per image; of a CSV with more columns, the first that is named in `columns`."""
    data, line = _from_first_row(read_bytes(path).translate(_SEPARATORS))
    first = data.split(b"\n", 1)[0].split()
    header = [token.decode("utf-8", "replace") for token in first] if not _is_number(first[-1]) else []
    if len(first) == 1 and not header:  # a count line
        data, line = _from_first_row(data[len(first[0]) :], line)
        first = data.split(b"\n", 1)[0].split()
    tokens = data.split()[len(header) :]
    if not tokens:
        raise DataError("there are no rows below the first line", where=str(path), hint=DOWNLOAD_AGAIN)
    column = next((header.index(name) for name in columns if name in header), 1)
    width = max(len(first), 2)
    mistake = _bad_line(data, width, line, path) if len(tokens) % width or len(first) < 2 else None
    if mistake is not None:
        raise mistake
    return NumberTable(tuple(tokens[::width]), _integers(tokens[column::width], path, line + bool(header)))


def _from_first_row(data: bytes, line: int = 1) -> tuple[bytes, int]:
    """The data without blank lines before it, and the number of the line it begins with; `line` is that of `data`."""
    row = data.lstrip()
    return row, line + data.count(b"\n", 0, len(data) - len(row))


class _Body:
    """The rows of an attribute file as positions of tokens in one buffer: no Python object per value."""

    def __init__(self, body: bytes, width: int, first_line: int, path: Path) -> None:
        self.path, self.first_line, self.width = path, first_line, width
        self.text = b"\n" + body.translate(_SEPARATORS) + b"\n"
        self.buffer = np.frombuffer(self.text, dtype=np.uint8)
        self.gap = self.buffer <= 32
        starts = np.flatnonzero(self.gap[:-1] & ~self.gap[1:]) + 1
        if not len(starts):
            raise DataError("there are no rows below the header", where=str(path), hint=DOWNLOAD_AGAIN)
        if len(starts) % width or not self._one_row_per_line(starts[::width]):
            mistake = _bad_line(self.text[1:], width, first_line, path)
            if mistake is not None:
                raise mistake
        self.starts = starts.reshape(-1, width)
        self.rows = len(self.starts)

    def _one_row_per_line(self, first: NDArray[np.int64]) -> bool:
        """False also for files with empty or indented lines, which are then looked at one by one."""
        ends = np.count_nonzero(self.buffer == _NEWLINE) - 2
        return bool(ends <= len(first) and (self.buffer[first - 1] == _NEWLINE).all())

    def names(self) -> tuple[bytes, ...]:
        """First token of every row."""
        text = self.text
        ends = self.starts[:, 1].tolist()
        return tuple(text[a:b].rstrip() for a, b in zip(self.starts[:, 0].tolist(), ends, strict=True))

    def binary(self) -> NDArray[np.int8]:
        """(rows, width - 1) int8 of 0 and 1, from values -1/1 or 0/1 but never both."""
        at = self.starts[:, 1:]
        minus = self.buffer[at] == _MINUS
        at = at + minus
        digit = self.buffer[at]
        one, zero = digit == _ONE, digit == _ZERO
        wrong = ~(self.gap[at + 1] & (one | (zero & ~minus)))
        if wrong.any():
            raise self._wrong_value(wrong)
        if minus.any() and zero.any():
            raise self._mixed(minus, zero)
        return np.asarray(one & ~minus, dtype=np.int8)

    def _line(self, row: int) -> int:
        return self.first_line + self.text.count(b"\n", 1, int(self.starts[row, 0]))

    def _wrong_value(self, wrong: NDArray[np.bool_]) -> DataError:
        row, column = (int(i[0]) for i in np.nonzero(wrong))
        value = self.text[self.starts[row, column + 1] :].split(None, 1)[0].decode("utf-8", "replace")
        message = f"value {value!r} in column {column + 2} is neither -1 or 1, nor 0 or 1"
        return DataError(message, where=f"{self.path}:{self._line(row)}", hint=DOWNLOAD_AGAIN)

    def _mixed(self, minus: NDArray[np.bool_], zero: NDArray[np.bool_]) -> DataError:
        first = [self._line(int(np.nonzero(where.any(axis=1))[0][0])) for where in (minus, zero)]
        message = f"mixes -1 (first in line {first[0]}) and 0 (first in line {first[1]}) for 'absent'"
        hint = "two files were joined: write every value as -1/1, or every value as 0/1"
        return DataError(message, where=str(self.path), hint=hint)


def _unzipped(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inner = [name for name in archive.namelist() if name.endswith((".txt", ".csv")) and "__MACOSX" not in name]
        if len(inner) != 1:
            message = f"holds {len(inner)} text files where one annotation file was expected"
            raise DataError(message, where=str(path), hint="unpack it and leave the annotation files beside it")
        return archive.read(inner[0])


def _remedy(error: Exception) -> str:
    return LET_READ if isinstance(error, PermissionError) else DOWNLOAD_AGAIN


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(4096).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise DataError(f"cannot read the file: {error.strerror}", where=str(path), hint=_remedy(error)) from error
    _refuse_what_is_no_data(start, path)
    return start


def _refuse_what_is_no_data(data: bytes, path: Path) -> None:
    start = data[:512].lstrip().lower()
    if not start:
        raise DataError("the file is empty", where=str(path), hint=DOWNLOAD_AGAIN)
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        quota = b"quota exceeded" in data[:20_000].lower()
        cause = "Google Drive's 'Quota exceeded' page" if quota else "an HTML page"
        raise DataError(f"{cause} was saved under this name instead of data", where=str(path), hint=DOWNLOAD_AGAIN)
    if start.startswith(b"version https://git-lfs"):
        raise DataError("a Git LFS pointer, not the file itself", where=str(path), hint="git lfs pull")


def _read_header(data: bytes, path: Path) -> tuple[tuple[str, ...], int | None, int]:
    """Attribute names, the number of rows that the count line announces, and how many lines both take."""
    lines = [line.split() for line in data[:8192].translate(_SEPARATORS).split(b"\n", 3)[:3]] + [[], []]
    declared = int(lines[0][0]) if len(lines[0]) == 1 and lines[0][0].isdigit() else None
    skipped = 1 if declared is None else 2
    header, row = lines[skipped - 1], lines[skipped]
    if len(header) > 1 and _is_number(header[1]):
        message = "the line with the attribute names is missing"
        raise DataError(message, where=f"{path}:{skipped}", hint=DOWNLOAD_AGAIN)
    names = header[1:] if row and len(header) == len(row) else header  # a CSV also names the column of file names
    return tuple(name.decode("utf-8", "replace") for name in names), declared, skipped


def _check_names(names: Sequence[str], path: Path) -> None:
    missing = [name for name in ATTRIBUTES if name not in names]
    strange = [name for name in names if name not in ATTRIBUTES]
    if not missing and not strange and len(names) == len(ATTRIBUTES):
        return
    parts = [f"lacks {_some(missing)}"] if missing else []
    parts += [f"has {_some(strange)}, unknown to CelebA"] if strange else []
    parts += ["names a column twice"] if not missing and not strange else []
    hint = 'for a table with other columns, use dataset = { use = "table", ... }'
    raise DataError(f"the header {' and '.join(parts)}", where=str(path), hint=hint)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:3]))
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more of the 40 names"


def _is_number(token: bytes) -> bool:
    return token.lstrip(b"-").isdigit()


def _integers(tokens: list[bytes], path: Path, first_line: int) -> NDArray[np.int64]:
    try:
        values: NDArray[Any] = np.array(tokens, dtype="S").astype(np.int64)
    except ValueError:
        row = next(i for i, token in enumerate(tokens) if not _is_number(token))
        message = f"value {tokens[row].decode('utf-8', 'replace')!r} is not a whole number"
        raise DataError(message, where=f"{path}:{first_line + row}", hint=DOWNLOAD_AGAIN) from None
    return values


def _bad_line(text: bytes, width: int, first_line: int, path: Path) -> DataError | None:
    """The first line that has another number of fields than `width`, if there is one."""
    for number, line in enumerate(text.split(b"\n"), start=first_line):
        count = len(line.split())
        if count not in (0, width):
            message = f"{counted(count, 'field')} where {width} were expected: the file was cut off or edited"
            return DataError(message, where=f"{path}:{number}", hint=DOWNLOAD_AGAIN)
    return None
