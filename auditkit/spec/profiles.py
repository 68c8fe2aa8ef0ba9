"""[profile.NAME] and [stand_in]: changes to the audit that are asked for by name, or by missing data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.merge import Layers
from auditkit.spec.overrides import FLAG, profile_of
from auditkit.spec.paths import label
from auditkit.spec.words import did_you_mean, nearest

KEEP = {"arms": "arm", "tasks": "task"}
"""Keys of a profile that keep some of the arms or tasks, and the arrays they are kept of."""


def put_stand_in(layers: Layers) -> list[str]:
    """Put the stand-in's dataset in place; return the profile it asks for."""
    stand_in = layers.get(("stand_in",))
    if not isinstance(stand_in, Mapping):
        return []
    if "dataset" in stand_in:
        if not isinstance(layers.values.setdefault("data", {}), dict):
            return []
        layers.put_from(("data", "dataset"), stand_in["dataset"], ("stand_in", "dataset"))
    named = stand_in.get("profile")
    known = layers.get(("profile",))
    return [named] if isinstance(known, Mapping) and isinstance(named, str) and named in known else []


def unused(sets: Sequence[str], applied: Sequence[str]) -> list[Problem]:
    """A problem for every override of a profile that is not applied, and so changes nothing."""
    named = [(number, profile_of(text)) for number, text in enumerate(sets, 1)]
    return [
        Problem((FLAG, number), f"profile {name!r} is not applied, so this changes nothing", f"add --profile {name}")
        for number, name in named
        if name is not None and name not in applied
    ]


def put_profile(layers: Layers, name: str) -> list[Problem]:
    """Lay a profile over everything, then keep only the arms and tasks it names."""
    profile = layers.get(("profile", name))
    if not isinstance(profile, Mapping):
        return []
    changes = {key: value for key, value in profile.items() if key not in KEEP}
    layers.overlay((), changes, ("profile", name))
    problems = []
    for key in [key for key in KEEP if key in profile]:
        problems += _keep(layers, ("profile", name, key), profile[key], KEEP[key])
    return problems


def _keep(layers: Layers, path: KeyPath, wanted: Any, what: str) -> list[Problem]:
    """Keep the arms or tasks that a profile names or, misspelt, means, and drop what names the others."""
    elements = layers.get((what,))
    if not isinstance(wanted, list) or not wanted or not all(isinstance(name, str) for name in wanted):
        return [Problem(path, f"'{what}s' of a profile must be an array of names")]
    if not isinstance(elements, list):
        return []
    known = [label(element) for element in elements]
    kept = {*wanted, *(nearest(name, known) for name in wanted if name not in known)}
    layers.keep((what,), [index for index, name in enumerate(known) if name in kept])
    _drop(layers, what, {name for name in known if name not in kept})
    return [
        Problem((*path, index), f"there is no {what} {name!r}", did_you_mean(name, known))
        for index, name in enumerate(wanted)
        if name not in known
    ]


def _drop(layers: Layers, what: str, names: set[str]) -> None:
    """Drop the gates, published figures and placebos that name a dropped arm or task."""
    for array in ("published", "gate"):
        entries = layers.get((array,))
        if isinstance(entries, list):
            kept = [index for index, entry in enumerate(entries) if not _names(entry, what, names)]
            layers.keep((array,), kept)
    evidence = layers.get(("evidence",))
    if what == "arm" and isinstance(evidence, dict):
        _drop_placebos(evidence, names)


def _drop_placebos(evidence: dict[str, Any], names: set[str]) -> None:
    placebo = evidence.get("placebo")
    if isinstance(placebo, dict):
        for arm in [arm for arm, other in placebo.items() if {arm, *_text(other)} & names]:
            del placebo[arm]
    elif {*_text(placebo)} & names:
        del evidence["placebo"]


def _text(value: Any) -> tuple[str, ...]:
    """A name; nothing where something else stands in its place, which is told elsewhere."""
    return (value,) if isinstance(value, str) else ()


def _names(entry: Any, what: str, names: set[str]) -> bool:
    finding = entry.get("finding") if isinstance(entry, Mapping) else None
    if not isinstance(finding, Mapping):
        return False
    said = [finding.get(what), finding.get("against") if what == "arm" else None]
    return any(isinstance(name, str) and name in names for name in said)
