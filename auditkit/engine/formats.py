"""Files of tables that are read: Parquet by its suffix, anything else as CSV."""

from __future__ import annotations

from pathlib import Path

PARQUET = (".parquet", ".pq")


def is_parquet(path: Path) -> bool:
    """Whether a table is Parquet by its name, in letters of either case."""
    return path.suffix.lower() in PARQUET
