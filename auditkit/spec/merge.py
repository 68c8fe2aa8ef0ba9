"""Laying one table over another: profiles over the file, an arm's recipe over the audit's, overrides over all.

Tables merge key by key and arrays replace. Some tables are one value and replace as a whole: a budget (epochs *or*
steps), a condition, and a component, optimizer or schedule that names another `use`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from auditkit.errors import KeyPath
from auditkit.spec.model import Data, Recipe
from auditkit.spec.paths import value_at

COMPONENTS = ("dataset", "model", "objective", "sampler")
_WHOLE = ("budget", "where", "at")
_DEFAULTS: dict[KeyPath, str] = {
    (table, key): model.model_fields[key].default.use
    for table, model, keys in (("data", Data, ("dataset",)), ("recipe", Recipe, ("model", "objective")))
    for key in keys
}
"""The components that are used where the file names none."""
_DEFAULT_USE = {key: Recipe.model_fields[key].default.use for key in ("optimizer", "schedule")}
"""What a table without `use` is."""


@dataclass(frozen=True, slots=True)
class Override:
    """The number, from 1, of the --set that a value came from."""

    number: int


Origin = KeyPath | Override


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The base with another table laid over it; neither is changed."""
    layers = Layers(copied(base))
    layers.overlay((), over, ())
    return layers.values


def origin_of(origins: Mapping[KeyPath, Origin], path: KeyPath) -> Origin:
    """Where the value at a path came from: a path of the file, or an override."""
    for length in range(len(path), -1, -1):
        found = origins.get(path[:length])
        if found is not None:
            return found if isinstance(found, Override) else (*found, *path[length:])
    return path


def copied(value: Any) -> Any:
    """A copy of nested tables and arrays, so that a layer never changes what it was laid over."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [copied(item) for item in value]
    return value


@dataclass(slots=True)
class Layers:
    """Values, and where those came from that do not stand at their own path of the file."""

    values: dict[str, Any]
    origins: dict[KeyPath, Origin] = field(default_factory=dict)

    def origin(self, path: KeyPath) -> Origin:
        """Where the value at a path came from."""
        return origin_of(self.origins, path)

    def get(self, path: KeyPath) -> Any:
        """The value at a path, or None."""
        return value_at(self.values, path)

    def put(self, path: KeyPath, value: Any, origin: Origin) -> None:
        """Set a value whose parent exists."""
        for old in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[old]
        self.get(path[:-1])[path[-1]] = copied(value)
        self.origins[path] = origin

    def drop(self, path: KeyPath) -> None:
        """Take a value out, and forget where it came from."""
        for old in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[old]
        del self.get(path[:-1])[path[-1]]

    def overlay(self, at: KeyPath, table: Mapping[str, Any], origin: KeyPath) -> None:
        """Lay a table that stands at `origin` over the table at `at`."""
        for key, value in table.items():
            here, source = (*at, key), (*origin, key)
            self.open_component(here, value)
            if _merges(key, self.get(here), value):
                self.overlay(here, value, source)
            else:
                self.put_from(here, value, source)

    def put_from(self, path: KeyPath, value: Any, source: KeyPath) -> None:
        """Put what stands at `source`, of which an override may have made some or all."""
        made = self._origins_under(source)
        self.put(path, value, made[()])
        self.origins |= {(*path, *rest): origin for rest, origin in made.items() if rest}

    def open_component(self, path: KeyPath, over: Any) -> None:
        """Write a component given by its bare id, or by none, as a table that another is about to be laid over."""
        value = self.get(path)
        if value is None and path in _DEFAULTS and isinstance(over, Mapping) and "use" not in over:
            self.put(path, {"use": _DEFAULTS[path]}, path)
        if path and path[-1] in COMPONENTS and isinstance(value, str) and isinstance(over, Mapping):
            self.put(path, {"use": value}, self.origin(path))

    def keep(self, path: KeyPath, kept: list[int]) -> None:
        """Keep only some elements of an array, and remember where they stood."""
        before = {index: self._origins_under((*path, index)) for index in kept}
        self.put(path, [self.get(path)[index] for index in kept], self.origin(path))
        for new, old in enumerate(kept):
            for rest, origin in before[old].items():
                self.origins[(*path, new, *rest)] = origin

    def _origins_under(self, path: KeyPath) -> dict[KeyPath, Origin]:
        below = {known[len(path) :]: at for known, at in self.origins.items() if known[: len(path)] == path}
        return {(): self.origin(path)} | below


def _merges(key: str, old: Any, new: Any) -> bool:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)) or key in _WHOLE:
        return False
    use = old.get("use", _DEFAULT_USE.get(key))
    return bool(new.get("use", use) == use)
