"""Faults in our own words: what was found, what is allowed, what was probably meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.faults import Fault
from auditkit.spec.merge import COMPONENTS
from auditkit.spec.paths import label
from auditkit.spec.shape import Table, homes, keys_at, uses_with
from auditkit.spec.words import did_you_mean, found, listed, nearest, plural

Describe = Callable[[KeyPath], str]

_TYPES = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text in quotes",
    "tuple_type": "an array",
    "list_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
}
_LIMITS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_TRUTHS = {"true": ("true", "yes", "on"), "false": ("false", "no", "off")}
_WHOLE, _NUMBER = re.compile(r"[+-]?[0-9]+"), re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
MOST_SEEDS = 10
"""A number where seeds are listed is how many there are to be, up to this one."""
CONDITIONS = ("where", "at")
"""Keys whose tables are conditions on attributes."""
_NAMES = "may have letters, digits, '.', '-' and '_', and starts with a letter or digit"
_FIRST = {
    "audit": 'begin with [audit] and a title = "..."',
    "task": 'as in [[task]] and target = "Male"',
    "arm": 'as in [[arm]] and name = "original"',
}


def audit_problem(fault: Fault, model: Table, values: Mapping[str, Any], owner: str = "") -> Problem:
    """The problem that a fault of the audit file is, or of the table in it that is called `owner`."""

    def name(path: KeyPath) -> str:
        return value_name(path, values, owner)

    if fault.kind == "missing":
        return _missing_key(fault, values, owner)
    if fault.kind == "extra_forbidden":
        table, key = fault.path[:-1], str(fault.path[-1])
        uses = uses_with(model, table, key, values) if table else ()
        hint = f'{key!r} goes with use = "{uses[0]}"' if uses else _where(model, table, key, values, owner)
        where = f"key {key!r} in {table_name(table, values, owner)}" if table or owner else f"table {key!r}"
        return Problem(fault.path, f"unknown {where}", hint, at_key=True)
    return _wrong_value(fault, name)


def option_problem(fault: Fault, model: Table, values: Mapping[str, Any], at: KeyPath, component: str) -> Problem:
    """The problem that a fault of a component's options is; `at` is the path of the component's table."""

    def name(path: KeyPath) -> str:
        return f"option {_dotted(path)!r} of {component}"

    if fault.kind == "missing":
        return Problem(at + fault.path[:-1], f"{component} needs the option {_dotted(fault.path)!r}")
    if fault.kind == "extra_forbidden":
        known = keys_at(model, fault.path[:-1], values)
        hint = did_you_mean(str(fault.path[-1]), known) or ("" if known else "it has no options")
        return Problem(at + fault.path, f"unknown {name(fault.path)}", hint, at_key=True)
    if not fault.path:
        return Problem(at, f"the options of {component} are wrong: {_reason(fault)}", whole=True)
    wrong = _wrong_value(fault, name)
    return Problem(at + wrong.path, wrong.message, wrong.hint)


def table_name(path: KeyPath, values: Any, owner: str = "") -> str:
    """How a table is called: "[recipe.budget]", "arm 'oversampled'", "gate 1", "budget of OWNER"."""
    if owner:
        return f"{_dotted(path)} of {owner}" if path else owner
    if not path:
        return "the file"
    if path[0] in ("arm", "task", "gate", "published") and len(path) > 1 and isinstance(path[1], int):
        rest = _dotted(path[2:])
        return f"{_element(path, values)}{f', {rest}' if rest else ''}"
    return f"[{_dotted(path)}]"


def value_name(path: KeyPath, values: Any, owner: str = "") -> str:
    """How a value is called: "'epochs' in [recipe.budget]", "entry 2 of 'seeds' in [recipe]"."""
    if not path:
        return owner or "the file"
    if isinstance(path[-1], int):
        if len(path) == 2 and not owner:
            return f"[[{path[0]}]] {path[-1] + 1}"
        return f"entry {path[-1] + 1} of {value_name(path[:-1], values, owner)}"
    return f"{path[-1]!r} in {table_name(path[:-1], values, owner)}" if len(path) > 1 or owner else f"[{path[0]}]"


def _element(path: KeyPath, values: Any) -> str:
    elements = values.get(path[0], ())
    index = int(path[1])
    called = label(elements[index]) if index < len(elements) else ""
    return f"{path[0]} {called!r}" if called else f"{path[0]} {index + 1}"


def _dotted(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _missing_key(fault: Fault, values: Mapping[str, Any], owner: str) -> Problem:
    table, key = fault.path[:-1], str(fault.path[-1])
    if table or owner:
        return Problem(table, f"{table_name(table, values, owner)} needs the key {key!r}", at_key=True)
    what = "the table [audit]" if key == "audit" else f"at least one [[{key}]]"
    return Problem((), f"the file needs {what}", _FIRST.get(key, ""))


def _where(model: Table, table: KeyPath, key: str, values: Any, owner: str) -> str:
    """What was meant by an unknown key: one of this table, or one that belongs elsewhere."""
    own = keys_at(model, table, values)
    if (meant := nearest(key, own)) is not None:
        return f"did you mean {meant!r}?"
    here = tuple(part for part in table if isinstance(part, str))
    others = sorted((home for home in homes(model) if home[0] != here), key=lambda home: home[0][: len(here)] != here)
    exact = [home for home in others if home[1] == key]
    if exact:
        return f"{key!r} belongs in {_home(exact[0][0], here, owner)}"
    if (meant := nearest(key, [known for _, known in others], cutoff=0.75)) is not None:
        home = next(home for home, known in others if known == meant)
        return f"did you mean {meant!r} (in {_home(home, here, owner)})?"
    return did_you_mean(key, own)


def _home(home: tuple[str, ...], here: tuple[str, ...], owner: str) -> str:
    if home[: len(here)] == here and (here or owner):
        return ".".join(home[len(here) :])
    dotted = ".".join(home)
    return f"[[{dotted}]]" if dotted in ("arm", "task", "gate", "published") else f"[{dotted}]"


def _wrong_value(fault: Fault, name: Describe) -> Problem:
    context = fault.contexts[0]
    if fault.kind == "union_tag_invalid":
        tags = re.findall(r"'([^']*)'", context["expected_tags"])
        said = f"{name((*fault.path, 'use'))} must be {listed(tags)}, found {found(context['tag'])}"
        return Problem((*fault.path, "use"), said, _hint(context["tag"], tags))
    if fault.kind == "union_tag_not_found":
        return Problem(fault.path, f"{name(fault.path)} needs the key 'use'", at_key=True)
    rule, hint = _rule(fault)
    if fault.path == ("evidence", "margin") and fault.kind == "less_than":
        hint = f"margins are shares: {fault.value:g} points are {fault.value / 100:g}"
    return Problem(fault.path, f"{name(fault.path)} {rule}", hint)


def _rule(fault: Fault) -> tuple[str, str]:
    context, seen = fault.contexts[0], found(fault.value)
    if fault.kind in _LIMITS:
        key, words = _LIMITS[fault.kind]
        return f"must be {words} {context[key]:g}, found {seen}", ""
    if fault.kind in ("too_short", "too_long"):
        few = fault.kind == "too_short"
        limit = context["min_length" if few else "max_length"]
        return f"must have at {'least' if few else 'most'} {plural(limit, 'value')}", ""
    if fault.kind == "string_pattern_mismatch":
        return (
            f"{_NAMES}, found {seen}" if "A-Za-z0-9" in context["pattern"] else f"must match {context['pattern']}"
        ), ""
    if fault.kind == "string_too_long":
        return f"must have at most {context['max_length']} characters", ""
    if fault.kind in ("value_error", "assertion_error"):
        return f"is wrong: {_reason(fault)}", ""
    return _alternatives(fault, seen)


def _reason(fault: Fault) -> str:
    return str(fault.contexts[0].get("error", fault.text))


def _alternatives(fault: Fault, seen: str) -> tuple[str, str]:
    """For types and literals, of which a union may allow several."""
    literals: list[str] = []
    types: list[str] = []
    for kind, context in zip(fault.kinds, fault.contexts, strict=True):
        if kind == "literal_error":
            literals += _literals(context["expected"])
        elif kind in _TYPES:
            types.append(_component(fault.path) or _TYPES[kind])
    if not literals and not types:
        return f"is wrong: {fault.text[:1].lower()}{fault.text[1:]}", ""
    allowed = [*literals, *dict.fromkeys(types)]
    words = " or ".join(filter(None, [", ".join(allowed[:-1]), allowed[-1]]))
    hint = _hint(fault.value, [text.strip("'") for text in literals]) or _remedy(fault, {*types})
    return f"must be {words}, found {seen}", hint


def _remedy(fault: Fault, types: Collection[str]) -> str:
    """The value as it was probably meant, where its content is right and its form wrong; "" where none is likely."""
    value, names = fault.value, [part for part in fault.path if isinstance(part, str)]
    last = names[-1] if names else ""
    if last == "seeds":
        return f"as in {[*range(value)]}" if type(value) is int and 0 < value <= MOST_SEEDS else ""
    if isinstance(value, str):
        return _for_text(value, last, types, within=fault.path[-1] != last)
    if types == {"true or false"} and value in (0, 1):
        return f"write {str(bool(value)).lower()}"
    return f"write {json.dumps(str(value))}" if types == {"text in quotes"} and _is_number(value) else ""


def _for_text(text: str, key: str, types: Collection[str], *, within: bool) -> str:
    """`within` says that the text is an element of an array under the key."""
    if key in CONDITIONS and "a table" in types:
        return f"as in {{ {_bare(text)} = 1 }}"
    if "an array" in types:
        array = f"[{json.dumps(text, ensure_ascii=False)}]"
        return f"as in {key} = [{array}]" if within else f"write {array}"
    if types == {"true or false"}:
        return next((f"write {word}" for word, meant in _TRUTHS.items() if text.lower() in meant), "")
    number = _WHOLE if types == {"a whole number"} else _NUMBER if "a number" in types else None
    return f"write {text} without quotes" if number is not None and number.fullmatch(text) else ""


def _bare(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _literals(expected: str) -> list[str]:
    return re.findall(r"'[^']*'|\d+", expected)


def _component(path: KeyPath) -> str:
    is_component = path[-1:] and (path[-1] in COMPONENTS or path[-2:-1] == ("metrics",))
    return "the id of a component in quotes, or a table with 'use'" if is_component else ""


def _hint(value: Any, known: Sequence[str]) -> str:
    meant = nearest(value, known) if isinstance(value, str) else None
    return f"did you mean {meant!r}?" if meant is not None else ""
