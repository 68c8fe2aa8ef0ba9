"""Misspelt keys, read as those that were meant once they are told, so that nothing else is said because of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.drafts import fits
from auditkit.spec.faults import Fault
from auditkit.spec.merge import Layers, Override
from auditkit.spec.messages import audit_problem
from auditkit.spec.model import Audit, Recipe
from auditkit.spec.overrides import FLAG
from auditkit.spec.paths import label
from auditkit.spec.shape import Table, fields_at, keys_at, takes_any_key, uses_with
from auditkit.spec.source import FILE
from auditkit.spec.words import nearest


class _Profile(Audit):
    """What a profile may say: a partial audit, and which arms and tasks are kept."""

    arms: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Root:
    """A table that messages name others from: the file, a profile, or the recipe of an arm."""

    path: KeyPath
    model: Table
    owner: str = ""


@dataclass(slots=True)
class _Mending:
    layers: Layers
    found: list[Problem] = field(default_factory=list)

    def table(self, root: _Root, path: KeyPath) -> None:
        """Mend the keys of a table, then those of the tables inside of it."""
        values, table = self.layers.get(root.path), self.layers.get(root.path + path)
        own = keys_at(root.model, path, values)
        if not isinstance(table, dict) or not own:
            return
        if takes_any_key(root.model, path, values) and (root.model is _Profile or "use" in table):
            return  # a profile's may go without
        for key in [key for key in table if key not in own]:
            self.key(root, (*path, key), own)
        for key, value in table.items():
            for inner in _tables(key, value, of_names=(*root.path, *path, key) == ("profile",)):
                self.table(*self.at_home(root, (*path, *inner)))

    def at_home(self, root: _Root, path: KeyPath) -> tuple[_Root, KeyPath]:
        """The root that a table is named from, and its path from there."""
        if not root.path and path[0] == "profile":
            name = str(path[-1])
            return _Root(path, _Profile, f"profile {name!r}"), ()
        if root.model is not Recipe and path[0] == "arm" and path[2:] == ("recipe",):
            arm = label(self.layers.get((*root.path, *path[:2])))
            return _Root((*root.path, *path), Recipe, f"the recipe of arm {arm!r}"), ()
        return root, path

    def key(self, root: _Root, path: KeyPath, own: Sequence[str]) -> None:
        """Move what stands under an unknown key to the one that was meant, if one was."""
        values = self.layers.get(root.path)
        meant = nearest(str(path[-1]), own)
        if meant is None or (path[:-1] and uses_with(root.model, path[:-1], str(path[-1]), values)):
            return
        fault = Fault(path, ("extra_forbidden",), ({},), None, "")
        owner = root.owner if root.model is Recipe or len(path) == 1 else ""
        problem = audit_problem(fault, root.model, values, owner)
        origin = self.layers.origin(root.path + path)
        may_be = fields_at(root.model, path[:-1], meant, values)
        if any(fits(one, self.layers.get(root.path + path)) for one in may_be) and self._move(root.path + path, meant):
            at: KeyPath = (FLAG, origin.number) if isinstance(origin, Override) else (FILE, *origin)
            self.found.append(replace(problem, path=at))

    def _move(self, path: KeyPath, meant: str) -> bool:
        """Whether there is room: where the key is there too, tables with no key in common are joined, and arrays."""
        layers, to = self.layers, (*path[:-1], meant)
        value, there = layers.get(path), layers.get(to)
        if there is None:
            layers.put_from(to, value, path)
        elif isinstance(there, dict) and isinstance(value, Mapping) and not {*there} & {*value}:
            for key, inner in value.items():
                layers.put_from((*to, key), inner, (*path, key))
        elif _are_tables(there) and _are_tables(value):
            for index, element in enumerate(value):
                there.append(None)
                layers.put_from((*to, len(there) - 1), element, (*path, index))
        else:
            return False
        layers.drop(path)
        return True


def mend(layers: Layers) -> list[Problem]:
    """Put what stands under misspelt keys under those that were meant; a problem for each.

    Left where they are: keys that are near to none, or to one that is there too or that the value does not fit.
    """
    work = _Mending(layers)
    work.table(_Root((), Audit), ())
    return work.found


def without_meant(faults: Sequence[Fault], values: Mapping[str, Any]) -> list[Fault]:
    """Faults without those that a key is missing that another in its table is told to have been meant for."""
    unknown = [fault.path for fault in faults if fault.kind == "extra_forbidden"]
    meant = {(*path[:-1], nearest(str(path[-1]), keys_at(Audit, path[:-1], values))) for path in unknown}
    return [fault for fault in faults if fault.kind != "missing" or fault.path not in meant]


def _tables(key: str, value: Any, *, of_names: bool) -> list[KeyPath]:
    """The paths of the tables that a key stands for; `of_names` says that its keys are names, each of a table."""
    if isinstance(value, Mapping):
        return [(key, name) for name in value] if of_names else [(key,)]
    return [(key, index) for index in range(len(value))] if _are_tables(value) else []


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
