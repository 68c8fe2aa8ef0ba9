"""--set KEY=VALUE: keys such as arm[oversampled].sampler.until, values typed as TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.merge import Layers, Override
from auditkit.spec.paths import label
from auditkit.spec.words import did_you_mean

FLAG = "--set"
_LAID_OVER = re.compile(r"""\s*(['"]?)(?:profile|stand_in)\1\s*[.=\[]""")
"""Keys of tables that are laid over the others."""
_PART = re.compile(r"""\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[A-Za-z0-9_-]+))(?P<picks>(?:\[[^\[\]]*\])*)\s*(?:\.|$)""")


class _Mistake(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def apply(layers: Layers, sets: Sequence[str], *, first: bool = False) -> list[Problem]:
    """Put overrides in place; those that cannot be are problems at ("--set", number).

    `first` puts those of profiles and of the stand-in, which must be there before these are laid over; otherwise all
    the others are put.
    """
    problems = []
    for number, text in enumerate(sets, 1):
        if bool(_LAID_OVER.match(text)) is not first:
            continue
        try:
            _apply(layers, text, Override(number))
        except _Mistake as mistake:
            problems.append(Problem((FLAG, number), mistake.message, mistake.hint))
    return problems


def profile_of(text: str) -> str | None:
    """The profile that an override changes, None where it changes none or all of them."""
    try:
        table, name, *_ = [*_parts(text.partition("=")[0]), None]
    except _Mistake:
        return None
    return name if table == "profile" and isinstance(name, str) else None


def _apply(layers: Layers, text: str, origin: Override) -> None:
    key, equals, value = text.partition("=")
    if not equals:
        raise _Mistake(f"{text!r} has no value", "write --set KEY=VALUE")
    _require_profile(layers, profile_of(text))
    path = _find(layers, _parts(key), origin)
    layers.put(path, _value(value), origin)


def _require_profile(layers: Layers, name: str | None) -> None:
    found = layers.get(("profile",))
    known = found if isinstance(found, Mapping) else {}
    if name is not None and name not in known:
        raise _Mistake(f"there is no profile {name!r}", did_you_mean(name, known) or "the file has no [profile.NAME]")


def _value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        raise _Mistake(f"{text.strip()!r} is not a TOML value", f"text needs quotes: '\"{text.strip()}\"'") from None
    if list(table) != ["value"]:
        raise _Mistake(f"{text.strip()!r} is more than one value")
    return table["value"]


def _parts(key: str) -> list[str | tuple[str]]:
    """Keys as text, picks of array elements as one-tuples."""
    parts: list[str | tuple[str]] = []
    position = 0
    while position < len(key):
        match = _PART.match(key, position)
        if match is None:
            raise _Mistake(
                f"cannot read the key {key.strip()!r}", "keys look like recipe.budget.epochs or arm[NAME].on"
            )
        parts.append(match["quoted"] if match["quoted"] is not None else match["bare"])
        parts += [(pick,) for pick in re.findall(r"\[([^\]]*)\]", match["picks"])]
        position = match.end()
    if not parts:
        raise _Mistake("there is no key before '='", "write --set KEY=VALUE")
    return parts


def _find(layers: Layers, parts: list[str | tuple[str]], origin: Override) -> KeyPath:
    """The path to put the value at; tables on the way are made."""
    path: KeyPath = ()
    for part, following in pairwise(parts):
        path = _step(layers, path, part)
        if isinstance(following, tuple) and layers.get(path) is None:
            known = [key for key, value in layers.get(path[:-1]).items() if isinstance(value, list)]
            raise _Mistake(f"there is no {'.'.join(map(str, path))!r}", did_you_mean(str(path[-1]), known))
        layers.open_component(path, {})
        if layers.get(path) is None:
            layers.put(path, {}, origin)
    return _step(layers, path, parts[-1])


def _step(layers: Layers, path: KeyPath, part: str | tuple[str]) -> KeyPath:
    here = layers.get(path)
    name = ".".join(map(str, path))
    if isinstance(part, tuple):
        return (*path, _pick(here, name, part[0]))
    if isinstance(here, list):
        raise _Mistake(f"{name!r} is an array", f"say which element: {name}[{_example(here)}].{part}")
    if not isinstance(here, dict):
        raise _Mistake(f"{name!r} is a single value and has no {part!r}")
    return (*path, part)


def _pick(elements: Any, name: str, pick: str) -> int:
    if not isinstance(elements, list):
        raise _Mistake(f"{name!r} is not an array and has no element {pick!r}")
    names = [label(element) for element in elements]
    if pick in names:
        return names.index(pick)
    if pick.isdecimal() and int(pick) < len(elements):
        return int(pick)
    raise _Mistake(f"there is no {name} {pick!r}", did_you_mean(pick, names))


def _example(elements: list[Any]) -> str:
    return label(elements[0]) or "0" if elements else "0"
