"""Raw values of an audit file: what stands at a key path, and what an element of an array is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditkit.errors import KeyPath


def value_at(values: Any, path: KeyPath) -> Any:
    """The value that a key path leads to; None where it leads nowhere."""
    for part in path:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def elements(values: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The tables of an array of tables; none where something else stands there."""
    found = values.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def label(element: Any) -> str:
    """What an element of an array of tables is called: its name, or a task's target; "" where it has neither."""
    if not isinstance(element, Mapping):
        return ""
    return str(element.get("name") or element.get("target") or "")
