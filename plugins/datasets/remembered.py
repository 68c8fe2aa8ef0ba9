"""Arrays computed once from files and kept in the user's cache folder; the folder may be deleted at any time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit import cache_folder

Arrays = Mapping[str, NDArray[Any]]


def remembered(purpose: str, files: Iterable[Path], compute: Callable[[], Arrays]) -> Arrays:
    """What `compute` returns, from the cache while path, size and time of change of all `files` stay the same.

    `purpose` names the computation and its revision. A cache that cannot be read or written is done without.
    """
    path = cache_folder("annotations") / f"{_key(purpose, files)}.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        arrays = compute()
        _write(path, arrays)
        return arrays


def _key(purpose: str, files: Iterable[Path]) -> str:
    states = [(str(path.resolve()), path.stat()) for path in files]
    text = repr((purpose, [(name, state.st_size, state.st_mtime_ns) for name, state in states]))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _write(path: Path, arrays: Arrays) -> None:
    aside = path.with_name(f"{path.stem}.{os.getpid()}.part")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        aside.replace(path)
