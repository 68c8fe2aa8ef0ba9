"""Where decoded images and pretrained weights are kept: the user's cache folder. Imports no torch."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "AUDITKIT_CACHE"


def cache_folder(*parts: str) -> Path:
    """A folder below the cache: AUDITKIT_CACHE when set, else `auditkit` in the platform's cache folder."""
    named = os.environ.get(VARIABLE)
    return (Path(named) if named else _platform_cache() / "auditkit").joinpath(*parts)


def _platform_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    fallback = Path.home() / (".cache" if sys.platform != "win32" else "AppData/Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or fallback)
