"""Arms and tasks whose own names are misspelt, told once instead of wherever something refers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.checks import CHECKPOINT, STARTS
from auditkit.spec.drafts import fits
from auditkit.spec.merge import Layers
from auditkit.spec.model import Arm
from auditkit.spec.paths import elements, label, value_at
from auditkit.spec.source import FILE
from auditkit.spec.words import nearest, plural

_FEW = 2
"""So many places must agree on another spelling: where one place and a definition differ, the place is at fault."""


def mend_names(layers: Layers) -> list[Problem]:
    """Give an arm or task that nothing refers to the name that several places have for it; a problem for each."""
    found = []
    for what, said in (("arm", _arms_said), ("task", _tasks_said)):
        names = [name for name in said(layers.values) if isinstance(name, str)]
        known = [label(element) for element in elements(layers.values, what)]
        for wanted in dict.fromkeys(name for name in names if name not in known):
            own = nearest(wanted, known)
            path: KeyPath = (what, known.index(own), "name") if own is not None else ()
            mentioned = {*names, *_texts([arm.get("sampler") for arm in elements(layers.values, "arm")])}
            if names.count(wanted) < _FEW or own in mentioned or not path or not _may_be(layers.get(path), own):
                continue
            said_so = f"nothing refers to {what} {own!r}, and {plural(names.count(wanted), 'place')} to {wanted!r}"
            origin = layers.origin(path)
            if isinstance(origin, tuple):
                layers.put(path, wanted, path)
                found.append(Problem((FILE, *origin), f"{said_so}, which is no {what}", "write both in one way"))
    return found


def _may_be(written: Any, name: str | None) -> bool:
    """Whether an element is called so by its 'name', and may be: what may not is told by itself."""
    return written == name and fits(Arm.model_fields["name"], name)


def _arms_said(values: Mapping[str, Any]) -> Iterator[Any]:
    """Every name of an arm that the file says, but for options of components."""
    for finding in _findings(values):
        yield from (finding.get("arm"), finding.get("against"))
    placebo = value_at(values, ("evidence", "placebo"))
    yield value_at(values, ("evidence", "reference"))
    yield from (*placebo, *placebo.values()) if isinstance(placebo, Mapping) else (placebo,)
    starts = [init for arm in elements(values, "arm") for init in (arm.get("init"), value_at(arm, ("recipe", "init")))]
    yield from (one for one in starts if one not in STARTS and not str(one).startswith(CHECKPOINT))
    yield from _kept(values, "arms")


def _tasks_said(values: Mapping[str, Any]) -> Iterator[Any]:
    yield from (finding.get("task") for finding in _findings(values))
    yield from _kept(values, "tasks")


def _findings(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entry in [*elements(values, "published"), *elements(values, "gate")]:
        if isinstance(finding := entry.get("finding"), Mapping):
            yield finding


def _kept(values: Mapping[str, Any], key: str) -> Iterator[Any]:
    profiles = values.get("profile")
    for profile in profiles.values() if isinstance(profiles, Mapping) else ():
        wanted = value_at(profile, (key,))
        yield from wanted if isinstance(wanted, list) else ()


def _texts(value: Any) -> Iterator[str]:
    """Every text within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
