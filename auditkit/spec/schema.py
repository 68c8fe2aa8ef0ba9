"""The audit file as JSON Schema, draft 7 (which TOML editors read), with the options of every component.

Pydantic writes 2020-12; what differs is translated here. Each kind of component becomes a choice between a bare id and
one table per component; profiles and an arm's recipe are the same tables with nothing required.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from pydantic.json_schema import GenerateJsonSchema

from auditkit.contracts import Component, Kind
from auditkit.spec.meanings import meaning_of
from auditkit.spec.model import Audit
from auditkit.spec.shape import every_table

DRAFT = "http://json-schema.org/draft-07/schema#"
_HERE = "#/definitions/"
KINDS: dict[tuple[str, str], Kind] = {
    ("Data", "dataset"): "dataset",
    ("StandIn", "dataset"): "dataset",
    ("Recipe", "model"): "model",
    ("Recipe", "objective"): "objective",
    ("Arm", "objective"): "objective",
    ("Arm", "sampler"): "sampler",
    ("Evidence", "metrics"): "metric",
}
"""Where the file names a component, and of which kind."""
Schema = dict[str, Any]


class Offer(NamedTuple):
    """A component and the distribution that offers it."""

    kind: Kind
    component: Component
    distribution: str


class _Untitled(GenerateJsonSchema):
    """Without a title on every key, which only repeats the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def audit_schema(offers: Iterable[Offer]) -> Schema:
    """The schema of audit files that use these components."""
    known = list(offers)
    root = _translated(Audit.model_json_schema(schema_generator=_Untitled, ref_template=f"{_HERE}{{model}}"))
    definitions: Schema = root.pop("definitions")
    definitions["Audit"] = {key: root[key] for key in ("type", "properties", "required", "additionalProperties")}
    for (table, key), kind in KINDS.items():
        definitions[table]["properties"][key] = _naming(definitions[table]["properties"][key], kind)
    del definitions["Use"]
    definitions["Arm"]["properties"]["recipe"] = {"$ref": f"{_HERE}partial.Recipe"}
    profiles = {"type": "object", "additionalProperties": {"$ref": f"{_HERE}profile"}}
    definitions["Audit"]["properties"]["profile"] = profiles
    _describe(definitions)
    partial = _partial(definitions)
    partial["profile"] = _profile(partial["partial.Audit"])
    for kind in sorted(set(KINDS.values())):
        definitions |= _kind(kind, [offer for offer in known if offer.kind == kind])
    return {
        "$schema": DRAFT,
        "title": "auditkit audit file",
        "$ref": f"{_HERE}Audit",
        "definitions": definitions | partial,
    }


def _describe(definitions: dict[str, Schema]) -> None:
    """Say of every key what it means; a reference is wrapped, since draft 7 reads nothing that stands beside one."""
    for table in every_table(Audit):
        properties = definitions.get(table.__name__, {}).get("properties", {})
        for key, schema in properties.items():
            wrapped = {"allOf": [schema]} if "$ref" in schema else schema
            properties[key] = {"description": meaning_of(table, key), **wrapped}


def _profile(audit: Schema) -> Schema:
    """A partial audit, and the two keys of its own."""
    names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    keep = {
        "arms": {**names, "description": "keep only these arms, and the gates and figures that name no other"},
        "tasks": {**names, "description": "keep only these tasks, and the gates and figures that name no other"},
    }
    return {**audit, "properties": {**audit["properties"], **keep}, "description": "changes that --profile lays over"}


def _kind(kind: Kind, offers: list[Offer]) -> Schema:
    """The definition of a kind of component, and one for each component's table."""
    tables = {f"{kind}.{offer.distribution}.{offer.component.id}": offer for offer in offers}
    found: Schema = {}
    for name, offer in tables.items():
        found |= _component(name, offer)
    ids = sorted({word for offer in offers for word in _ids(offer)})
    choices = [{"type": "string", "enum": ids}, *({"$ref": f"{_HERE}{name}"} for name in tables)]
    return {f"kind.{kind}": {"description": f"a {kind}, by id or as a table with options", "anyOf": choices}, **found}


def _ids(offer: Offer) -> tuple[str, str]:
    return offer.component.id, f"{offer.distribution}:{offer.component.id}"


def _component(name: str, offer: Offer) -> Schema:
    """The table of one component; tables inside its options get names of their own."""
    options = offer.component.options
    schema = _translated(options.model_json_schema(schema_generator=_Untitled, ref_template=f"{_HERE}{name}.{{model}}"))
    inner = {f"{name}.{key}": value for key, value in schema.pop("definitions", {}).items()}
    schema["properties"] = {
        "use": {"enum": list(_ids(offer)), "description": offer.component.summary},
        **schema.get("properties", {}),
    }
    schema["required"] = ["use", *schema.get("required", [])]
    schema["description"] = offer.component.summary
    return {name: schema, **inner}


def _naming(schema: Schema, kind: Kind) -> Schema:
    """A key that names a component (or several) with the reference to `Use` replaced by the kind."""

    def renamed(value: str) -> str:
        return f"{_HERE}kind.{kind}" if value == f"{_HERE}Use" else value

    return {key: value for key, value in _with_references(schema, renamed).items() if key != "default"}


def _partial(definitions: Mapping[str, Schema]) -> Schema:
    """Copies of all tables in which nothing is required."""

    def renamed(value: str) -> str:
        name = value.removeprefix(_HERE)
        return f"{_HERE}partial.{name}" if name in definitions else value

    found: Schema = {}
    for name, schema in definitions.items():
        known = _with_references(schema, renamed)
        found[f"partial.{name}"] = {key: _any(value) for key, value in known.items() if key != "required"}
    return found


def _any(value: Any) -> Any:
    """Without what tells alternatives apart, a table may fit more than one."""
    if isinstance(value, dict):
        return {"anyOf" if key == "oneOf" else key: _any(item) for key, item in value.items()}
    return [_any(item) for item in value] if isinstance(value, list) else value


def _with_references(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: change(item) if key == "$ref" else _with_references(item, change) for key, item in value.items()}
    return [_with_references(item, change) for item in value] if isinstance(value, list) else deepcopy(value)


def _translated(value: Any) -> Any:
    """From 2020-12 to draft 7: definitions, fixed arrays, and no key beside a reference."""
    if isinstance(value, list):
        return [_translated(item) for item in value]
    if not isinstance(value, dict):
        return value
    words = {"$defs": "definitions", "prefixItems": "items"}
    schema = {words.get(key, key): _translated(item) for key, item in value.items() if key != "discriminator"}
    if "$ref" in schema and len(schema) > 1:
        return {"allOf": [{"$ref": schema.pop("$ref")}], **schema}
    return schema
