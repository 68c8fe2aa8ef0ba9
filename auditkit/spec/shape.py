"""The shape of a typed table: which keys it has, and in which table a key belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from auditkit.errors import KeyPath
from auditkit.spec.paths import value_at

Table = type[BaseModel]


def fields(model: Table) -> dict[str, FieldInfo]:
    """The fields of a table under the names they have in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def tables_in(annotation: Any) -> Iterator[Table]:
    """The tables that a value of this type may be, or may hold as elements."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, RootModel):
            yield annotation
    elif get_origin(annotation) is Annotated:
        yield from tables_in(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType, tuple, list, dict):
        for inner in get_args(annotation):
            yield from tables_in(inner)


def every_table(model: Table) -> list[Table]:
    """A table and all that may be inside of it, each once."""
    found = [model]
    for table in found:  # grows while it is gone through
        inner = (one for field in fields(table).values() for one in tables_in(field.annotation))
        found += [one for one in dict.fromkeys(inner) if one not in found]
    return found


def keys_at(model: Table, path: KeyPath, values: Any) -> tuple[str, ...]:
    """The keys that the table at a path may have, given the values found there."""
    return tuple(dict.fromkeys(key for found in _at(model, path, values) for key in fields(found)))


def fields_at(model: Table, path: KeyPath, key: str, values: Any) -> tuple[FieldInfo, ...]:
    """What a key of the table at a path may be, given the values found there."""
    return tuple(fields(found)[key] for found in _at(model, path, values) if key in fields(found))


def takes_any_key(model: Table, path: KeyPath, values: Any) -> bool:
    """Whether the table at a path is a component's, whose keys only the component knows."""
    return any(found.model_config.get("extra") == "allow" for found in _at(model, path, values))


def uses_with(model: Table, path: KeyPath, key: str, values: Any) -> tuple[str, ...]:
    """The words of `use` with which the table at a path would have a key."""
    alternatives = [inner for outer in _at(model, path[:-1], values) for inner in _tables_of(outer, str(path[-1]))]
    return tuple(use for table in alternatives if key in fields(table) for use in _uses(table))


def is_required(model: Table, path: KeyPath, values: Any) -> bool:
    """Whether the key at the end of a path must be there."""
    known = [fields(found).get(str(path[-1])) for found in _at(model, path[:-1], values)]
    return any(field is not None and field.is_required() for field in known)


def homes(model: Table, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every (table, key) of a model, outer tables first."""
    for key in fields(model):
        yield path, key
    for key in fields(model):
        for inner in _tables_of(model, key):
            if len(path) < 4:
                yield from homes(inner, (*path, key))


def _at(model: Table, path: KeyPath, values: Any) -> list[Table]:
    models, value = [model], values
    for part in path:
        value = value_at(value, (part,))
        if isinstance(part, str):
            models = [inner for outer in models for inner in _tables_of(outer, part)]
        models = _of_use(models, value)
    return models


def _tables_of(model: Table, key: str) -> list[Table]:
    field = fields(model).get(key)
    return list(tables_in(field.annotation)) if field is not None else []


def _of_use(models: list[Table], value: Any) -> list[Table]:
    """Where tables are told apart by `use`, only those that fit it; without one, that which needs none."""
    use = value.get("use") if isinstance(value, Mapping) else None
    fitting = [model for model in models if use in (_uses(model) if use else _default_use(model))]
    return fitting or models


def _uses(model: Table) -> tuple[Any, ...]:
    field = model.model_fields.get("use")
    return get_args(field.annotation) if field is not None and get_origin(field.annotation) is Literal else ()


def _default_use(model: Table) -> tuple[Any, ...]:
    field = model.model_fields.get("use")
    return (None,) if field is not None and not field.is_required() else ()
