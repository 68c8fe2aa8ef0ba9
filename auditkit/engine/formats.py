"""Files of tables that are read: Parquet by its suffix, anything else as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PARQUET = (".parquet", ".pq")
SAVE_AS_UTF8 = "save it as UTF-8; spreadsheets offer that as 'CSV UTF-8'"
COMMAS = "save it as CSV with commas between the fields"
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}


def is_parquet(path: Path) -> bool:
    """Whether a table is Parquet by its name, in letters of either case."""
    return path.suffix.lower() in PARQUET


def other_separator(names: Sequence[str]) -> str | None:
    """What is wrong where a CSV has another separator than the comma, which makes one name of all its columns."""
    found = [word for mark, word in _OTHER_SEPARATORS.items() if len(names) == 1 and mark in names[0]]
    return f"the first line has {found[0]} and no comma, so it names a single column" if found else None
