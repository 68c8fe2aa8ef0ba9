"""The options of a component as rows for reading: name, type in the words of TOML, default, meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from auditkit.contracts import ArmName, AttributeName, Condition
from auditkit.spec.shape import fields, tables_in

_WORDS = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Condition: "condition",
    Any: "anything",
}
_NAMES = {AttributeName: "attribute", ArmName: "arm"}


class OptionRow(NamedTuple):
    """One option; those of a nested table have dotted names. `default` is as it would stand in TOML."""

    name: str
    type: str
    required: bool
    default: str
    meaning: str


def option_rows(model: type[BaseModel]) -> list[OptionRow]:
    """The options of a component, those of nested tables after their table."""
    return list(_rows(model))


def _rows(model: type[BaseModel], prefix: str = "") -> Iterator[OptionRow]:
    for key, field in fields(model).items():
        name = f"{prefix}{key}"
        required = field.is_required()
        default = "" if required else toml_value(field.get_default(call_default_factory=True))
        yield OptionRow(name, _type(field), required, default, field.description or "")
        for inner in tables_in(field.annotation):
            yield from _rows(inner, f"{name}.")


def toml_value(value: Any) -> str:
    """A value as it would stand in a file; "unset" for None."""
    if value is None:
        return "unset"
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _type(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    for metadata in field.metadata:
        annotation = Annotated[annotation, metadata]
    return ", ".join([type_words(annotation), *_limits(annotation)])


def type_words(annotation: Any) -> str:
    """A type in the words of TOML: "whole number", "array of attributes", "'duplicate' or 'augmented'"."""
    for named, word in _NAMES.items():
        if annotation == named:
            return word
    if annotation in _WORDS:
        return _WORDS[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(annotation)
    if origin is Literal:
        return " or ".join(map(toml_value, inner))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(type_words(one) for one in inner if one is not NoneType))
    if origin in (tuple, list):
        kinds = dict.fromkeys(type_words(one) for one in inner if one is not Ellipsis)
        return f"array of {' or '.join(kinds)}" if kinds else "array"
    return "table"


def _annotated(annotation: Any) -> str:
    marks = get_args(annotation)[1:]
    for named, word in _NAMES.items():
        if get_args(named)[1] in marks:
            return word
    return type_words(get_args(annotation)[0])


def _limits(annotation: Any) -> Iterator[str]:
    """The limits of a number, also of one that may be left unset."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        marks = [one for mark in inner[1:] for one in (mark.metadata if isinstance(mark, FieldInfo) else (mark,))]
        yield from filter(None, map(_limit, marks))
        yield from _limits(inner[0])
    elif origin in (Union, UnionType) and NoneType in inner and len(inner) == 2:
        yield from _limits(next(one for one in inner if one is not NoneType))


def _limit(metadata: Any) -> str:
    for name, words in (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most")):
        if getattr(metadata, name, None) is not None:
            return f"{words} {getattr(metadata, name)}"
    return ""
