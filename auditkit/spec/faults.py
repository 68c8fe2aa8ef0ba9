"""What pydantic found wrong, brought down to paths of the file: alternatives joined, names of types left out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from auditkit.errors import KeyPath

Table = TypeVar("Table", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """A wrong, unknown or missing value. The path of a missing value ends in the missing key."""

    path: KeyPath
    kinds: tuple[str, ...]
    contexts: tuple[Mapping[str, Any], ...]
    value: Any
    text: str

    @property
    def kind(self) -> str:
        """The kind that pydantic named first."""
        return self.kinds[0]


def faults(model: type[BaseModel], values: Mapping[str, Any]) -> list[Fault]:
    """Everything wrong with the values, in the order of the model."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return _faults(error, values)
    return []


def read_options(model: type[Table], values: Mapping[str, Any]) -> tuple[Table | None, list[Fault]]:
    """Options of a component, read as JSON: what arrives in another process is read by the same rules."""
    try:
        return model.model_validate_json(json.dumps(values, default=str)), []
    except ValidationError as error:
        return None, _faults(error, values)


def _faults(error: ValidationError, values: Mapping[str, Any]) -> list[Fault]:
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        by_path.setdefault(_path(detail, values), []).append(detail)
    deepest = [path for path in by_path if not any(_inside(other, path) for other in by_path)]
    return [_fault(path, by_path[path]) for path in deepest]


def _fault(path: KeyPath, details: Iterable[ErrorDetails]) -> Fault:
    known = list(details)
    return Fault(
        path=path,
        kinds=tuple(detail["type"] for detail in known),
        contexts=tuple(detail.get("ctx", {}) for detail in known),
        value=known[0]["input"],
        text=known[0]["msg"],
    )


def _path(detail: ErrorDetails, values: Any) -> KeyPath:
    """The location without the names of union alternatives, which are no part of the file."""
    missing = detail["type"] == "missing"
    location = detail["loc"][:-1] if missing else detail["loc"]
    path: KeyPath = ()
    value = values
    for part in location:
        if (isinstance(value, Mapping) and part in value) or _is_element(value, part):
            path, value = (*path, part), value[part]
    return (*path, detail["loc"][-1]) if missing else path


def _is_element(value: Any, part: str | int) -> bool:
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)


def _inside(path: KeyPath, other: KeyPath) -> bool:
    return len(path) > len(other) and path[: len(other)] == other
