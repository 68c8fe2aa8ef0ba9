"""Marked values inside options: names of attributes and arms, conditions, numbers of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from auditkit.contracts import Condition, Counts, Names
from auditkit.errors import KeyPath
from auditkit.spec.shape import fields


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked value, and the path to it from the options. `at_key` says that the name is a key."""

    path: KeyPath
    what: Names | Counts | None
    value: Any
    at_key: bool = False


def marks(options: BaseModel) -> Iterator[Mark]:
    """Every marked value of a table of options, however deep."""
    for key, field in fields(type(options)).items():
        value = getattr(options, _attribute(type(options), key))
        for what in field.metadata:
            yield from _marked(what, value, (key,))
        yield from _inside(field.annotation, value, (key,))


def names(options: BaseModel, what: str) -> Iterator[Mark]:
    """The marked names of attributes or of arms."""
    return (mark for mark in marks(options) if isinstance(mark.what, Names) and mark.what.what == what)


def counts(options: BaseModel) -> Iterator[Mark]:
    """The marked numbers of images."""
    return (mark for mark in marks(options) if isinstance(mark.what, Counts) and type(mark.value) is int)


def conditions(options: BaseModel) -> Iterator[Mark]:
    """The conditions on attributes."""
    return (mark for mark in marks(options) if isinstance(mark.value, Condition))


def _inside(annotation: Any, value: Any, path: KeyPath) -> Iterator[Mark]:
    if isinstance(value, Condition):
        yield Mark(path, None, value)
    elif isinstance(value, BaseModel):
        yield from (Mark(path + mark.path, mark.what, mark.value, mark.at_key) for mark in marks(value))
    elif get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        for what in metadata:
            yield from _marked(what, value, path)
        yield from _inside(inner, value, path)
    elif get_origin(annotation) in (Union, UnionType):
        for alternative in get_args(annotation):
            yield from _inside(alternative, value, path)
    elif isinstance(value, Mapping):
        yield from _in_mapping(annotation, value, path)
    elif isinstance(value, tuple | list):
        yield from _in_array(annotation, value, path)


def _in_mapping(annotation: Any, value: Mapping[Any, Any], path: KeyPath) -> Iterator[Mark]:
    kinds = get_args(annotation)
    if len(kinds) == 2 and get_origin(annotation) is dict:
        for key, item in value.items():
            found = _inside(kinds[0], key, (*path, key))
            yield from (Mark(mark.path, mark.what, mark.value, at_key=True) for mark in found)
            yield from _inside(kinds[1], item, (*path, key))


def _in_array(annotation: Any, value: tuple[Any, ...] | list[Any], path: KeyPath) -> Iterator[Mark]:
    if get_origin(annotation) not in (tuple, list):
        return
    kinds = [kind for kind in get_args(annotation) if kind is not Ellipsis]
    for index, item in enumerate(value):
        if kinds:
            yield from _inside(kinds[min(index, len(kinds) - 1)], item, (*path, index))


def _marked(what: Any, value: Any, path: KeyPath) -> Iterator[Mark]:
    """A mark upon a name or number; upon an array it marks every element."""
    if isinstance(what, Names | Counts):
        if isinstance(value, tuple | list):
            yield from (Mark((*path, index), what, item) for index, item in enumerate(value))
        elif isinstance(value, str | int):
            yield Mark(path, what, value)


def _attribute(model: type[BaseModel], key: str) -> str:
    return next(name for name, field in model.model_fields.items() if (field.alias or name) == key)
