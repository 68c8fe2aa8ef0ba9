"""What remains of an audit when its mistakes are left out, so that the rest can be checked in the same pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from auditkit.errors import KeyPath
from auditkit.spec.faults import Fault, faults
from auditkit.spec.merge import copied
from auditkit.spec.model import Audit
from auditkit.spec.paths import value_at
from auditkit.spec.shape import is_required

_UNKNOWN = "unknown"
_FILLING: dict[str, Any] = {
    "audit": {"title": _UNKNOWN},
    "title": _UNKNOWN,
    "target": _UNKNOWN,
    "name": _UNKNOWN,
    "count": 1,
    "value": 0.0,
    "finding": {"task": _UNKNOWN, "arm": _UNKNOWN},
    "task": _UNKNOWN,
    "arm": _UNKNOWN,
}
"""What stands in for a required value; whatever is then said about it is an echo of the first mistake."""
_ROUNDS = 3


def repaired(values: Mapping[str, Any], found: Sequence[Fault]) -> Audit | None:
    """The audit without its mistakes; None when too little remains.

    Leaving out a value can leave a required place empty, so this may take more than one round.
    """
    rest = copied(values)
    for _ in range(_ROUNDS):
        for fault in found:
            _mend(rest, fault.path)
        try:
            return Audit.model_validate(frozen(rest))
        except ValidationError:
            found = faults(Audit, frozen(rest))
    return None


def without(options: Mapping[str, Any], paths: Sequence[KeyPath]) -> dict[str, Any]:
    """Options without those that a path leads to."""
    wrong = {path[0] for path in paths if path}
    return {key: value for key, value in options.items() if key not in wrong}


def frozen(value: Any) -> Any:
    """Arrays as tuples, which is what the strict models take."""
    if isinstance(value, Mapping):
        return {key: frozen(item) for key, item in value.items()}
    return tuple(frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _mend(values: dict[str, Any], path: KeyPath) -> None:
    """Fill a required place, or drop the nearest thing around the mistake that may be left out."""
    while path:
        key, parent = path[-1], value_at(values, path[:-1])
        if isinstance(key, str) and isinstance(parent, dict):
            if path in (("task",), ("arm",)):
                parent[key] = [{"target" if key == "task" else "name": _UNKNOWN}]
                return
            if not is_required(Audit, path, values):
                parent.pop(key, None)
                return
            if key in _FILLING:
                parent[key] = copied(_FILLING[key])
                return
        path = path[:-1]
