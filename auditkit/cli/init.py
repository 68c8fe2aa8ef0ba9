"""``auditkit init``: a commented audit file to begin with."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from auditkit.cohort import SPLIT_WORDS, SPLITS
from auditkit.contracts import Level
from auditkit.engine.formats import is_parquet
from auditkit.errors import AuditError, DataError
from auditkit.spec.starter import TableColumns, starter, starter_for_table
from auditkit.spec.words import listed

IMAGES = (".jpg", ".jpeg", ".png", ".webp")
IDENTITY_COLUMNS = ("identity", "person", "subject", "patient", "people", "who")
SPLIT_COLUMNS = ("split", "partition", "fold", "set", "subset")
MOST_LEVELS_PROPOSED = 12


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("audit.toml"))
@click.option("--from", "table", type=click.Path(path_type=Path), metavar="TABLE", help="A CSV or Parquet table.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(file: Path, table: Path | None, force: bool) -> int:
    """Write a commented audit file to FILE [audit.toml].

    With --from, for your own images: a table with a column of image paths and columns of attributes. Columns are
    proposed by what they hold; look at [data.dataset] in the file before you run it.
    """
    if file.is_dir():
        raise AuditError(
            "this is a folder", where=str(file), hint=f"name a file in it: auditkit init {file / 'audit.toml'}"
        )
    if file.exists() and not force:
        raise AuditError("the file exists", where=str(file), hint="--force overwrites it")
    text = starter() if table is None else _for_table(table, file)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AuditError(f"cannot write the file: {error.strerror}", where=str(file)) from error
    click.echo(f"{file}: written. Next: auditkit plan {file}")
    return 0


def _for_table(path: Path, file: Path) -> str:
    place = Path(os.path.relpath(path, file.parent)).as_posix()
    return starter_for_table(_columns(_read(path), path), place)


def _read(path: Path) -> pa.Table:
    try:
        if is_parquet(path):
            return pyarrow.parquet.read_table(path)
        return pyarrow.csv.read_csv(path)
    except FileNotFoundError:
        raise DataError("there is no such table", where=str(path)) from None
    except (OSError, pa.ArrowException) as error:
        said = str(error).splitlines()[0]
        raise DataError(f"cannot read the table: {said}", where=str(path), hint="CSV or Parquet is read") from error


def _columns(table: pa.Table, path: Path) -> TableColumns:
    twice = [name for name, times in Counter(table.column_names).items() if times > 1]
    if twice:
        said = f"the header names the column {listed(twice, 'and')} more than once"
        raise DataError(said, where=str(path), hint="give every column a name of its own")
    image = next((name for name in table.column_names if _holds_images(table[name])), None)
    if image is None:
        hint = f"one must hold file names that end in {', '.join(IMAGES)}; there are: {', '.join(table.column_names)}"
        raise DataError("no column holds image files", where=str(path), hint=hint)
    rest = [name for name in table.column_names if name != image]
    split = next((name for name in rest if _is_called(name, SPLIT_COLUMNS)), None)
    identity = next((name for name in rest if name != split and _is_called(name, IDENTITY_COLUMNS)), None)
    attributes = [_attribute(name, table[name]) for name in rest if name not in (split, identity)]
    found = tuple(attribute for attribute in attributes if attribute is not None)
    if len(found) < 2:
        said = (
            f"an audit needs two attributes, and {len(found)} of the columns has two to {MOST_LEVELS_PROPOSED} levels"
        )
        raise DataError(said, where=str(path), hint=f"there are: {', '.join(table.column_names)}")
    return TableColumns(image, found, identity, split, split is not None and _has_valid(table[split]))


def _holds_images(column: pa.ChunkedArray) -> bool:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)) or len(column) == 0:
        return False
    names = [str(name).lower() for name in column.slice(0, 200).to_pylist()]
    return sum(name.endswith(IMAGES) for name in names) >= 0.9 * len(names)


def _is_called(name: str, words: tuple[str, ...]) -> bool:
    plain = name.lower()
    return any(plain == word or plain in (f"{word}_id", f"{word}id", f"{word}_name") for word in words)


def _attribute(name: str, column: pa.ChunkedArray) -> tuple[str, tuple[Level, ...], Level] | None:
    """A column's levels, and the rarest of them; None where it is no attribute."""
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type):
        return None
    counts: list[dict[str, Any]] = [one for one in pc.value_counts(column).to_pylist() if one["values"] is not None]
    if not 2 <= len(counts) <= MOST_LEVELS_PROPOSED:
        return None
    levels = tuple(sorted(one["values"] for one in counts))
    rarest = min(counts, key=lambda one: (one["counts"], str(one["values"])))
    return name, levels, rarest["values"]


def _has_valid(column: pa.ChunkedArray) -> bool:
    return any(SPLIT_WORDS.get(str(level).lower()) == SPLITS.index("valid") for level in pc.unique(column).to_pylist())
