"""Where decoded images and pretrained weights are kept: the user's cache folder. Imports no torch."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from auditkit.errors import AuditError

VARIABLE = "AUDITKIT_CACHE"


def cache_folder(*parts: str) -> Path:
    """A folder below the cache: AUDITKIT_CACHE when set, else `auditkit` in the platform's cache folder."""
    named = os.environ.get(VARIABLE)
    return (Path(named) if named else _platform_cache() / "auditkit").joinpath(*parts)


def make_folder(folder: Path) -> None:
    """Make a folder of the cache, unless it is there. Raises AuditError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error, folder) from error


def unwritable(error: OSError, place: Path) -> AuditError:
    """What is told of a cache that cannot be written to."""
    hint = f"name another folder with the variable {VARIABLE}"
    return AuditError(f"cannot write to the cache: {error.strerror}", where=str(place), hint=hint)


def _platform_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    fallback = Path.home() / (".cache" if sys.platform != "win32" else "AppData/Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or fallback)
