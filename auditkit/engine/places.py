"""Where the user said that the data of an audit is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditkit.spec.paths import value_at

PLACE_VARIABLE = "AUDITKIT_DATA"


def named_place(file: Path, values: Mapping[str, Any], flag: Path | None) -> Path | None:
    """Where the user said the data of an audit file is: flag, then environment, then file; None where nowhere.

    `values` are the file's raw ones, which need not be right.
    """
    if flag is not None:
        return flag
    if os.environ.get(PLACE_VARIABLE):
        return Path(os.environ[PLACE_VARIABLE])
    return _written_place(file, values)


def overruled(file: Path, values: Mapping[str, Any], flag: Path | None) -> str:
    """What is told where the environment goes before the place in an audit file; "" where it does not."""
    named, written = os.environ.get(PLACE_VARIABLE), _written_place(file, values)
    if flag is not None or not named or written is None or Path(named).resolve() == written.resolve():
        return ""
    return f"{PLACE_VARIABLE} goes before 'place' in [data]: the data is taken from {named}, not from {written}"


def _written_place(file: Path, values: Mapping[str, Any]) -> Path | None:
    """Where an audit file says that its data is; None where it does not."""
    written = value_at(values, ("data", "place"))
    return file.parent / written if isinstance(written, str) and written else None
