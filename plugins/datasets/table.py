"""The user's own data: a CSV or Parquet table with one row per image."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from auditkit import MISSING, SPLIT_WORDS, SPLITS, Attributes, DataError, Dataset, Level, OpenDataset
from auditkit_plugins.counted import counted
from auditkit_plugins.datasets.images import FolderImages
from auditkit_plugins.datasets.records import TableOptions
from auditkit_plugins.datasets.table_file import header, read_table

MOST_LEVELS_CODED = 64


class Table(Dataset):
    """A table of images: a column of paths, columns of attributes, and, if there are any, of splits and identities."""

    Options = TableOptions

    @classmethod
    def attribute_levels(cls, options: Any, place: Path | None) -> Mapping[str, tuple[Level, ...]] | None:
        """Attribute columns by the header; their levels are known only when all rows are read."""
        if place is None:
            return dict.fromkeys(options.attributes, ()) or None
        return dict.fromkeys(_attribute_columns(options, header(place), place), ())

    @classmethod
    def default_place(cls, options: Any) -> Path | None:
        """data/table.csv in the working directory."""
        return Path("data/table.csv")

    def open(self, place: Path | None) -> OpenDataset:
        """Read the table and look whether its images are there."""
        if place is None:
            raise DataError("this dataset needs a table", hint="name a CSV or Parquet file with --data PATH")
        options: TableOptions = self.options
        table = read_table(place)
        names = _attribute_columns(options, table.column_names, place)
        _refuse_nested(table, (*names, *filter(None, [options.identity])), place)
        files = _paths(table, options.image, place)
        root = place.parent if options.root is None else place.parent / options.root
        sizes = _sizes(files, root, place)
        constant = _constant(table, tuple(name for name in names if name not in options.attributes))
        attributes = _attributes(table, tuple(name for name in names if name not in constant), place)
        splits = None if options.split is None else _splits(table[options.split], options.split, place)
        people = None if options.identity is None else _identities(table[options.identity], options.identity, place)
        return OpenDataset(
            file_names=files,
            attributes=attributes,
            identities=people,
            splits=splits,
            images=FolderImages(str(root), files),
            fingerprint=_fingerprint(attributes, files, sizes, splits, people),
            kind=f"own data, {place.name}",
            place=str(place),
            notes=(*_left_out(constant), *_notes(attributes, splits, people)),
        )


def _attribute_columns(options: TableOptions, columns: list[str], place: Path) -> tuple[str, ...]:
    """The attributes that are named, or every column that is nothing else."""
    named = [("image", options.image), ("split", options.split), ("identity", options.identity)]
    wanted = [(key, name) for key, name in named if name is not None]
    wanted += [("attributes", name) for name in options.attributes]
    for key, name in wanted:
        if name not in columns:
            raise DataError(f"no column {name!r} (option {key!r})", where=str(place), hint=_columns_hint(columns))
    twice = [name for name, times in Counter(options.attributes).items() if times > 1]
    if twice:
        raise DataError(
            f"option 'attributes' names the column {twice[0]!r} twice", where=str(place), hint="name it once"
        )
    others = {name for _, name in named}
    return options.attributes or tuple(name for name in columns if name not in others)


def _columns_hint(columns: list[str]) -> str:
    return "its columns are " + ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")


def _paths(table: pa.Table, column: str, place: Path) -> tuple[str, ...]:
    files: list[Any] = table[column].to_pylist()
    if not files:
        raise DataError("the table has no rows", where=str(place))
    empty = [row for row, file in enumerate(files) if not isinstance(file, str) or not file]
    if empty:
        rows = counted(len(empty), "row has", "rows have")
        message = f"{rows} no path in column {column!r} (first: row {empty[0] + 1})"
        raise DataError(message, where=str(place), hint="every row must name an image file")
    _refuse_repeated(files, column, place)
    return tuple(files)


def _refuse_repeated(files: list[str], column: str, place: Path) -> None:
    first: dict[str, int] = {}
    again = [(row, file) for row, file in enumerate(files) if first.setdefault(file, row) != row]
    if again:
        row, file = again[0]
        repeated = counted(len(again), f"image path of column {column!r} is", f"image paths of column {column!r} are")
        message = f"{repeated} repeated (first: {file} in rows {first[file] + 1:,} and {row + 1:,})"
        hint = "one row per image; an image on both sides of a split would flatter the test"
        raise DataError(message, where=str(place), hint=hint)


def _sizes(files: tuple[str, ...], root: Path, place: Path) -> NDArray[np.int64]:
    """(images,) int64 file sizes in bytes."""
    sizes = np.array([_size(root / file) for file in files], dtype=np.int64)
    missing = np.flatnonzero(sizes < 0)
    if len(missing):
        first = ", ".join(files[i] for i in missing[:3].tolist()) + (", ..." if len(missing) > 3 else "")
        are = "is" if len(missing) == 1 else "are"
        message = f"{len(missing):,} of {counted(len(files), 'image')} {are} missing ({first})"
        other = "write / for \\ in paths" if "\\" in first else "option 'root' names another folder"
        hint = f"paths are relative to {root}; {other}; rows without an image can be left out"
        raise DataError(message, where=str(place), hint=hint)
    return sizes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _refuse_nested(table: pa.Table, names: Iterable[str], place: Path) -> None:
    """Raise DataError where a column of a Parquet file holds lists or records."""
    nested = [name for name in names if pa.types.is_nested(table[name].type)]
    if nested:
        message = f"column {nested[0]!r} holds {table[nested[0]].type}, which is neither a level nor a name"
        hint = "name the attributes with option 'attributes'; levels and identities are numbers or texts"
        raise DataError(message, where=str(place), hint=hint)


def _constant(table: pa.Table, names: tuple[str, ...]) -> dict[str, str]:
    """Columns that tell no two images apart, and what each has."""
    values = {name: pc.unique(table[name]).drop_null().to_pylist() for name in names}
    return {name: _only(found) for name, found in values.items() if len(found) < 2}


def _only(values: list[Any]) -> str:
    return f"only the level {values[0]!r}" if values else "no value at all"


def _left_out(constant: Mapping[str, str]) -> list[str]:
    return [f"column {name!r} has {what} and is left out of the attributes" for name, what in constant.items()]


def _attributes(table: pa.Table, names: tuple[str, ...], place: Path) -> Attributes:
    coded = [_coded(table[name], name, place) for name in names]
    nothing = np.zeros((len(table), 0), dtype=np.int8)
    codes = np.stack([column for column, _ in coded], axis=1) if coded else nothing
    return Attributes(names, tuple(levels for _, levels in coded), codes)


def _coded(column: pa.ChunkedArray, name: str, place: Path) -> tuple[NDArray[np.int8], tuple[Level, ...]]:
    """Codes of one attribute and its levels in order; -1 where the value is missing."""
    levels: list[Any] = sorted(pc.unique(column).drop_null().to_pylist(), key=lambda level: (str(type(level)), level))
    levels = [_level(level, name, place) for level in levels]
    if len(levels) < 2:
        hint = "an attribute needs two levels or more: leave the column out of option 'attributes'"
        raise DataError(f"attribute {name!r} has {_only(levels)}", where=str(place), hint=hint)
    if len(levels) > MOST_LEVELS_CODED:
        hint = f"at most {MOST_LEVELS_CODED}; name the attributes with option 'attributes', or group the values"
        raise DataError(f"attribute {name!r} has {len(levels):,} levels", where=str(place), hint=hint)
    known = pa.array(levels, type=column.type if not pa.types.is_floating(column.type) else pa.int64())
    whole = column.cast(known.type)
    codes = pc.fill_null(pc.index_in(whole, value_set=known), MISSING)
    return codes.to_numpy().astype(np.int8), tuple(levels)


def _level(value: Any, name: str, place: Path) -> Level:
    """A level as it is written in an audit file; a column of whole numbers with gaps is read as floating point."""
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    hint = "levels are whole numbers, words or true and false: group the values, or leave the column out"
    raise DataError(f"attribute {name!r} has the value {value!r}", where=str(place), hint=hint)


def _splits(column: pa.ChunkedArray, name: str, place: Path) -> NDArray[np.int8]:
    values = [str(value).lower() for value in column.to_pylist()]
    wrong = [row for row, value in enumerate(values) if value not in SPLIT_WORDS]
    if wrong:
        row = wrong[0]
        message = f"value {column[row].as_py()!r} in column {name!r}, row {row + 1}, is no split"
        raise DataError(message, where=str(place), hint=f"splits are {', '.join(SPLITS)}, or 0, 1, 2")
    return np.array([SPLIT_WORDS[value] for value in values], dtype=np.int8)


def _identities(column: pa.ChunkedArray, name: str, place: Path) -> NDArray[np.int64]:
    """(rows,) int64: a number for each person; -1 where the field is empty."""
    numbers: NDArray[Any] = column.combine_chunks().dictionary_encode().indices.fill_null(MISSING).to_numpy()
    unknown = pc.is_null(column, nan_is_null=True).to_numpy()
    if unknown.all():
        hint = "name another column, or leave the option 'identity' out"
        raise DataError(f"column {name!r} says of no image whose it is", where=str(place), hint=hint)
    return np.where(unknown, MISSING, numbers.astype(np.int64))


def _fingerprint(
    attributes: Attributes,
    files: tuple[str, ...],
    sizes: NDArray[np.int64],
    splits: NDArray[np.int8] | None,
    people: NDArray[np.int64] | None,
) -> str:
    digest = hashlib.sha256(repr((attributes.names, attributes.levels, files)).encode())
    for array in (attributes.codes, sizes, splits, people):
        digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _notes(
    attributes: Attributes, splits: NDArray[np.int8] | None, people: NDArray[np.int64] | None
) -> tuple[str, ...]:
    lines = []
    if splits is None:
        lines.append("no split column: train, valid and test are drawn by the audit")
    if people is None:
        lines.append("no identity column: intervals treat every image as another person and may come out too narrow")
    elif (people == MISSING).any():
        unknown = counted(int((people == MISSING).sum()), "image")
        lines.append(f"the identity is missing in {unknown}: each counts as a person of its own")
    gaps = {name: int((attributes.column(name) == MISSING).sum()) for name in attributes.names}
    lines += [f"attribute {name!r} is missing in {counted(count, 'image')}" for name, count in gaps.items() if count]
    return tuple(lines)
