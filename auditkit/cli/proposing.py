"""What `init --from` makes of a table: columns by what they hold, rows to train on, levels too rare to test."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from auditkit.cohort import SPLIT_WORDS, SPLITS
from auditkit.contracts import Level
from auditkit.engine.draws import SHARES_WITHOUT_SPLITS
from auditkit.engine.formats import COMMAS, SAVE_AS_UTF8, is_parquet, other_separator
from auditkit.errors import DataError
from auditkit.evidence.support import too_little
from auditkit.spec.model import Evidence
from auditkit.spec.starter import TableColumns
from auditkit.spec.words import listed, plural

IMAGES = (".jpg", ".jpeg", ".png", ".webp")
IDENTITY_COLUMNS = ("identity", "person", "subject", "patient", "people", "who")
SPLIT_COLUMNS = ("split", "partition", "fold", "set", "subset")
NUMBERED = ("", "id", "name", "nr", "no", "number", "key", "code")
"""What may follow in the name of such a column, as in "Person Nr."."""
MOST_LEVELS_PROPOSED = 12
Splits = NDArray[np.int8]


def read(path: Path) -> pa.Table:
    """The table at a path, as the dataset `table` reads it. Raises DataError where it cannot be read."""
    try:
        table = _parsed(path)
        names = table.column_names
    except FileNotFoundError:
        raise DataError("there is no such table", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise DataError("the first line is not UTF-8 text", where=str(path), hint=SAVE_AS_UTF8) from error
    except (OSError, pa.ArrowException) as error:
        said = str(error).splitlines()[0]
        raise DataError(f"cannot read the table: {said}", where=str(path), hint=_remedy(path)) from error
    _refuse_repeated(names, path)
    if not is_parquet(path):
        _refuse_other_forms(table, path)
    return pa.table({name: _decoded(table[name]) for name in names})


def _remedy(path: Path) -> str:
    return "name the CSV or Parquet file itself" if path.is_dir() else "a CSV file in UTF-8, or a Parquet file, is read"


def _parsed(path: Path) -> pa.Table:
    if is_parquet(path):
        return pyarrow.parquet.ParquetFile(path).read() if path.is_file() else pyarrow.parquet.read_table(path)
    return pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories as the values that they stand for, and a number that is none as a missing value."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column


def _refuse_repeated(names: list[str], path: Path) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        said = f"the header names the column {listed(repeated, 'and')} more than once"
        raise DataError(said, where=str(path), hint="give every column a name of its own")


def _refuse_other_forms(table: pa.Table, path: Path) -> None:
    """Raise DataError where a CSV has another separator or encoding, of whose text Arrow makes bytes."""
    if wrong := other_separator(table.column_names):
        raise DataError(wrong, where=str(path), hint=COMMAS)
    for name in table.column_names:
        if pa.types.is_binary(table[name].type):
            raise DataError(f"column {name!r} is not UTF-8 text", where=str(path), hint=SAVE_AS_UTF8)


def columns(table: pa.Table, path: Path) -> TableColumns:
    """Propose columns by what they hold.

    Raises DataError where no audit can be made of them.
    """
    image = next((name for name in table.column_names if _holds_images(table[name])), None)
    if image is None:
        hint = f"one must hold file names that end in {', '.join(IMAGES)}; there are: {', '.join(table.column_names)}"
        raise DataError("no column holds image files", where=str(path), hint=hint)
    rest = [name for name in table.column_names if name != image]
    split = next((name for name in rest if _is_called(name, SPLIT_COLUMNS) or _tells_splits(table[name])), None)
    identity = next((name for name in rest if name != split and _identifies(name, table[name])), None)
    attributes = [_attribute(name, table[name]) for name in rest if name not in (split, identity)]
    found = tuple(attribute for attribute in attributes if attribute is not None)
    if len(found) < 2:
        have = plural(len(found), "column has", "columns have")
        said = f"an audit needs two attributes, and {have} two to {MOST_LEVELS_PROPOSED} levels"
        raise DataError(said, where=str(path), hint=f"there are: {', '.join(table.column_names)}")
    splits = None if split is None else _splits(table[split])
    return TableColumns(
        image=image,
        attributes=found,
        training=_training(table, splits),
        identity=identity,
        split=split,
        has_valid=splits is not None and bool((splits == SPLITS.index("valid")).any()),
        lacking={name: tuple(_lacking(table, name, levels, identity, splits)) for name, levels, _ in found},
    )


def _holds_images(column: pa.ChunkedArray) -> bool:
    if not _is_text(column) or len(column) == 0:
        return False
    names = [str(name).lower() for name in column.slice(0, 200).to_pylist()]
    return sum(name.endswith(IMAGES) for name in names) >= 0.9 * len(names)


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _is_called(name: str, words: tuple[str, ...]) -> bool:
    plain = re.sub(r"[\W_]", "", name.lower())
    return any(plain == word + ending for word in words for ending in NUMBERED)


def _tells_splits(column: pa.ChunkedArray) -> bool:
    """Whether all that a column says is train, valid or test in words, which no attribute does."""
    values = pc.unique(column).to_pylist() if _is_text(column) else []
    known = {SPLIT_WORDS.get(str(value).lower()) for value in values}
    return None not in known and len(known) > 1 and not any(str(value).isdigit() for value in values)


def _identifies(name: str, column: pa.ChunkedArray) -> bool:
    return _is_called(name, IDENTITY_COLUMNS) and column.null_count < len(column)


def tell_missing_images(column: pa.ChunkedArray, path: Path) -> None:
    """Warn where files that a column names are not there."""
    named = [name for name in column.to_pylist() if name]
    missing = [name for name in named if not (path.parent / name).is_file()]
    if missing:
        there = f"{len(missing):,} of {plural(len(named), 'image')} {'is' if len(missing) == 1 else 'are'} missing"
        other = (
            "write / for \\ in paths" if "\\" in missing[0] else "option 'root' in [data.dataset] names another folder"
        )
        remedy = f"paths are relative to the table; {other}"
        click.echo(f"{path}: {there}, the first at {path.parent / missing[0]}\n  {remedy}", err=True)


def _attribute(name: str, column: pa.ChunkedArray) -> tuple[str, tuple[Level, ...], Level] | None:
    """A column's levels, and the rarest of them; None where it is no attribute."""
    kinds = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    if not (_is_text(column) or any(kind(column.type) for kind in kinds)):
        return None
    counts = {one["values"]: one["counts"] for one in pc.value_counts(column).to_pylist() if one["values"] is not None}
    if not 2 <= len(counts) <= MOST_LEVELS_PROPOSED:
        return None
    if pa.types.is_floating(column.type):  # as whole numbers are written where some are missing
        if not all(value.is_integer() for value in counts):
            return None
        counts = {int(value): count for value, count in counts.items()}
    levels: tuple[Level, ...] = tuple(sorted(counts))
    return name, levels, min(levels, key=lambda level: (counts[level], str(level)))


def _splits(column: pa.ChunkedArray) -> Splits:
    """(rows,) index into SPLITS, -1 where a word is unknown."""
    known = {level: SPLIT_WORDS.get(str(level).lower(), -1) for level in pc.unique(column).to_pylist()}
    return np.array([known[level] for level in column.to_pylist()], dtype=np.int8)


def _training(table: pa.Table, splits: Splits | None) -> int:
    """Rows that are trained on; without splits all but the share of the test."""
    if splits is None:
        return round((1 - SHARES_WITHOUT_SPLITS[2]) * len(table))
    return int((splits == SPLITS.index("train")).sum())


def _lacking(
    table: pa.Table, name: str, levels: tuple[Level, ...], identity: str | None, splits: Splits | None
) -> Iterator[str]:
    """By the default support rule, every level that is too rare in the test set; a split yet to be drawn is guessed."""
    share = SHARES_WITHOUT_SPLITS[2] if splits is None else 1.0
    test = np.ones(len(table), dtype=bool) if splits is None else splits == SPLITS.index("test")
    for level in levels:
        has = pc.equal(table[name], pa.scalar(level)).fill_null(False).to_numpy() & test
        people = _people(table[identity].filter(pa.array(has))) if identity is not None else 0
        short = too_little(round(share * int(has.sum())), round(share * people), identity is not None, Evidence())
        if short:
            yield f"{name} = {level}: {'about ' if splits is None else ''}{short}"


def _people(column: pa.ChunkedArray) -> int:
    """How many different people; whoever is unknown is one of their own."""
    return int(pc.count_distinct(column)) if not column.null_count else len(pc.unique(column)) - 1 + column.null_count
