"""What every check does: read options as a file gives them, and demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditkit.contracts import Options, Plugin
from auditkit.spec.faults import read_options


def options_of(plugin: type[Plugin], values: Mapping[str, Any]) -> Options:
    """The options as a file gives them, after a round trip through JSON."""
    options, faults = read_options(plugin.Options, values)
    demand(not faults, f"{plugin.__name__} does not take these options: {[(f.path, f.text) for f in faults]}")
    assert options is not None
    written = options.model_dump(mode="json", by_alias=True)
    again, _ = read_options(plugin.Options, written)
    demand(again == options, f"the options change when written as JSON: {options!r} became {again!r}")
    return options


def demand(condition: bool, message: str) -> None:
    """Raise AssertionError with the message unless the condition holds, with or without Python's -O."""
    if not condition:
        raise AssertionError(message)
