"""Write aside, then rename: a reader meets the old file or the new one, never half of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LEFT = ".*.part"
"""What a process that was killed leaves beside the files that it was writing."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside `path`, this process's own, for a file or folder that replaces it when the block ends.

    Where the block raises, what lies at `path` stays, and the place is cleared.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        aside.replace(path)
    finally:
        _remove(aside)


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink()
