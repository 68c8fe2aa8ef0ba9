"""Discovery: which plugins are installed and what they offer.

The only room that knows entry points and, beside `auditkit.hooks`, pluggy. Every plugin is loaded by itself, so that a
broken one is a remark and nothing more, until an audit asks for something that is not there. Importing this imports
neither the audit file's model nor anything that a component needs to run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args

import pluggy

from auditkit import hooks
from auditkit.contracts import Component, Kind, Options
from auditkit.errors import AuditError
from auditkit.spec.words import did_you_mean

GROUP = "auditkit"
OWN = "auditkit"
AUTOLOAD_OFF = "AUDITKIT_DISABLE_PLUGIN_AUTOLOAD"
HOOKS: dict[str, Kind] = {f"auditkit_{kind}s": kind for kind in get_args(Kind)}


class _Unfit(Exception):
    """A plugin breaks a rule of the contract."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A component and the distribution that offers it."""

    kind: Kind
    component: Component
    distribution: str
    version: str

    @property
    def provider(self) -> str:
        """The distribution with its version."""
        return f"{self.distribution} {self.version}"

    @property
    def address(self) -> str:
        """The id that no other distribution can claim."""
        return f"{self.distribution}:{self.component.id}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that did not load, and why: `error` is the original error in one line."""

    name: str
    distribution: str
    version: str
    error: str

    def __str__(self) -> str:
        return f"plugin {self.name!r} of {self.distribution} {self.version} did not load: {self.error}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """All components that were found, and the plugins that were not."""

    registered: tuple[Registered, ...]
    broken: tuple[Broken, ...] = ()


def discover(disabled: Iterable[str] = ()) -> Shelf:
    """Load every plugin of the entry-point group except those disabled by name or distribution.

    With the environment variable AUDITKIT_DISABLE_PLUGIN_AUTOLOAD only the built-in components are loaded.
    """
    off = {name.removeprefix("no:") for name in disabled}
    _require_known(off)
    registered: list[Registered] = []
    broken: list[Broken] = []
    seen: dict[str, str] = {}
    for point in _entry_points():
        name, version = _distribution(point)
        if point.name in off or name in off or (os.environ.get(AUTOLOAD_OFF) and name != OWN):
            continue
        try:
            if point.name in seen:
                raise _Unfit(f"{seen[point.name]} has an entry point of the name {point.name!r} too")
            registered += [Registered(kind, item, name, version) for kind, item in _components(point)]
        except (Exception, SystemExit) as error:
            broken.append(Broken(point.name, name, version, told(error)))
        seen.setdefault(point.name, f"{name} {version}")
    return Shelf(tuple(registered), tuple(broken))


def offers_of(shelf: Shelf, kind: Kind | None, use: str) -> list[Registered]:
    """The components that an id, or DISTRIBUTION:ID, can mean."""
    distribution, _, name = use.rpartition(":")
    return [
        offer
        for offer in shelf.registered
        if offer.component.id == name
        and kind in (None, offer.kind)
        and distribution.lower() in ("", offer.distribution.lower())
    ]


def _require_known(names: Iterable[str]) -> None:
    """Raise AuditError for a name that is neither an entry point's nor a distribution's."""
    known = [name for point in _entry_points() for name in (point.name, _distribution(point)[0])]
    for name in names:
        if name not in known:
            said = f"there is no plugin {name!r}"
            raise AuditError(said, where="--no-plugin", hint=did_you_mean(name, known) or "see auditkit plugins list")


def _entry_points() -> list[EntryPoint]:
    """Entry points of the group, our own first, then by name and distribution, whatever order the disk has."""
    return sorted(
        entry_points(group=GROUP), key=lambda point: (_distribution(point)[0] != OWN, point.name, _distribution(point))
    )


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist is not None else ("unknown", "")


def _components(point: EntryPoint) -> list[tuple[Kind, Component]]:
    """What one plugin registers; a manager of its own makes its mistakes its own."""
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(point.load(), name=point.name)
    _refuse_unknown_hooks(manager)
    found: list[tuple[Kind, Component]] = []
    for hook, kind in HOOKS.items():
        for answer in getattr(manager.hook, hook)():
            found += [(kind, item) for item in _checked(hook, answer)]
    _refuse_repetitions(found)
    if not found:
        raise _Unfit("it registers nothing; its functions need @auditkit.hookimpl")
    return found


def _refuse_unknown_hooks(manager: pluggy.PluginManager) -> None:
    for name, hook in vars(manager.hook).items():
        if not name.startswith("_") and not hook.has_spec():
            raise _Unfit(f"unknown hook {name!r}; {did_you_mean(name, HOOKS)}")


def _checked(hook: str, answer: Any) -> Sequence[Component]:
    if not isinstance(answer, list | tuple):
        raise _Unfit(f"{hook} must return a list of components, not {type(answer).__name__}")
    for item in answer:
        if not isinstance(item, Component):
            raise _Unfit(f"{hook} must return components made by auditkit.component, not {type(item).__name__}")
        _check_record(hook, item)
    return answer


def _check_record(hook: str, item: Component) -> None:
    if not item.id or ":" in item.id:
        raise _Unfit(f"{hook}: the id {item.id!r} must be a word without ':'")
    if not (isinstance(item.options, type) and issubclass(item.options, Options)):
        raise _Unfit(f"{hook}: the options of {item.id!r} must be a subclass of auditkit.Options")
    if "use" in item.options.model_fields:
        raise _Unfit(f"{hook}: an option of {item.id!r} is called 'use', which names the component itself")
    if not all(item.factory.partition(":")):
        raise _Unfit(f"{hook}: the factory of {item.id!r} must be 'module:Class', not {item.factory!r}")


def _refuse_repetitions(found: Sequence[tuple[Kind, Component]]) -> None:
    ids = [(kind, item.id) for kind, item in found]
    for kind, name in ids:
        if ids.count((kind, name)) > 1:
            raise _Unfit(f"it registers {kind} {name!r} twice")


def told(error: BaseException) -> str:
    """An error in one line, as its author wrote it."""
    text = " ".join(str(error).split())
    return text if isinstance(error, _Unfit) else f"{type(error).__name__}: {text}"
