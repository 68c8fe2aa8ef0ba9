"""What can be read of options in which there are mistakes, so that one pass finds as many as can be told for sure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError, create_model
from pydantic.fields import FieldInfo

from auditkit.contracts import Condition
from auditkit.errors import KeyPath
from auditkit.spec.faults import Fault, read_options
from auditkit.spec.repair import without
from auditkit.spec.shape import fields, tables_in
from auditkit.spec.words import nearest

Table = TypeVar("Table", bound=BaseModel)


@dataclass(frozen=True, slots=True, eq=False)
class Draft(Generic[Table]):
    """Mistaken options.

    whole: those that remain without the mistaken ones, None where they are no options; readable: all that can be read,
    to look for names in and for nothing else; written: key that was meant -> unknown key under which it stands; faults:
    the mistakes, also those that only show once unknown keys are mended.
    """

    whole: Table | None
    readable: Table
    written: Mapping[str, str]
    faults: tuple[Fault, ...]

    def place(self, path: KeyPath) -> KeyPath:
        """Where in the file a path of the readable options is."""
        return (self.written.get(str(path[0]), path[0]), *path[1:]) if path else path


def drafted(model: type[Table], values: Mapping[str, Any], found: Sequence[Fault]) -> Draft[Table]:
    """What can be read of options of which pydantic found these faults."""
    unknown = [str(fault.path[0]) for fault in found if fault.kind == "extra_forbidden" and len(fault.path) == 1]
    written = _meant(model, values, unknown)
    mended = {key: value for key, value in values.items() if key not in unknown}
    mended |= {meant: values[key] for meant, key in written.items()}
    whole, left = read_options(model, mended)
    if left:
        whole, _ = read_options(model, without(mended, [fault.path for fault in left]))
    draft = Draft(whole, _readable(model, mended), written, ())
    first = [fault for fault in found if not (fault.kind == "missing" and fault.path[0] in written)]
    known = [fault.path for fault in found]
    more = [replace(fault, path=draft.place(fault.path)) for fault in left if fault.path not in known]
    return replace(draft, faults=(*first, *more))


def fits(field: FieldInfo, value: Any) -> bool:
    """Whether a value is what a field takes; where that is tables, whether it is one or some, mistaken ones or not."""
    elements = value if isinstance(value, list) else [value]
    if any(True for _ in tables_in(field.annotation)) and all(isinstance(one, Mapping) for one in elements):
        return True
    try:
        _checked(Annotated[field.annotation, *(field.metadata or [None])], value)
    except ValidationError:
        return False
    return True


def _meant(model: type[BaseModel], values: Mapping[str, Any], unknown: Sequence[str]) -> dict[str, str]:
    """The keys that unknown ones were meant for: near, not there themselves, and of the value's type."""
    meant: dict[str, str] = {}
    for key in unknown:
        name = nearest(key, fields(model))
        if name is not None and name not in values and fits(fields(model)[name], values[key]):
            meant.setdefault(name, key)
    return meant


def _readable(model: type[Table], values: Mapping[str, Any]) -> Table:
    """A table of whatever can be read, unchecked; None stands for a required value that is not there."""
    known = fields(model)
    read = {key: _read(field.annotation, values[key]) for key, field in known.items() if key in values}
    missing = {key: None for key, field in known.items() if field.is_required() and key not in values}
    return model.model_construct(**read, **missing)


def _read(annotation: Any, value: Any) -> Any:
    """A value, or those parts of it that can be read, with None in the place of others."""
    try:
        return _checked(annotation, value)
    except ValidationError:
        pass
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _read(inner[0], value)
    if origin in (Union, UnionType):
        return next((part for one in inner if (part := _read(one, value)) is not None), None)
    if origin in (tuple, list) and isinstance(value, tuple | list):
        kinds = [kind for kind in inner if kind is not Ellipsis]
        return tuple(_read(kinds[min(place, len(kinds) - 1)], item) for place, item in enumerate(value))
    return _table(annotation, value) if isinstance(annotation, type) and isinstance(value, Mapping) else None


def _table(kind: type, value: Mapping[str, Any]) -> Any:
    if issubclass(kind, Condition):
        return kind.model_construct(root=dict.fromkeys(value, ()))  # names, of which levels are mistaken
    return _readable(kind, value) if issubclass(kind, BaseModel) and not issubclass(kind, RootModel) else None


def _checked(annotation: Any, value: Any) -> Any:
    one = create_model("One", __config__=ConfigDict(strict=True, allow_inf_nan=False), value=(annotation, ...))
    read: Any = one.model_validate_json(json.dumps({"value": value}, default=str))
    return read.value
