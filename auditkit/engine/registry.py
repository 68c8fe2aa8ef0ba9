"""Discovery: which plugins are installed, what they offer, and how a component is built.

The only room that knows entry points and pluggy. Every plugin is loaded by itself, so that a broken one is a remark in
`Registry.broken` and nothing more, until an audit asks for something that is not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import TYPE_CHECKING, Any, get_args

import pluggy

from auditkit import hooks
from auditkit.contracts import Component, Dataset, Kind, Level, Metric, Model, Objective, Options, Plugin, Sampler
from auditkit.engine import names
from auditkit.engine.components import Broken, Registered, Shelf, choose, offers_of
from auditkit.engine.resolution import Chosen, ResolvedAudit
from auditkit.engine.resolve import Resolution, placed_components, resolve
from auditkit.errors import AuditError, Path, Problem, RunFailed
from auditkit.spec.faults import read_options
from auditkit.spec.model import Audit, Use
from auditkit.spec.words import did_you_mean

if TYPE_CHECKING:
    from auditkit.engine.work import ComponentRef

__all__ = ["GROUP", "Broken", "Registered", "Registry"]

GROUP = "auditkit"
OWN = "auditkit"
AUTOLOAD_OFF = "AUDITKIT_DISABLE_PLUGIN_AUTOLOAD"
HOOKS: dict[str, Kind] = {f"auditkit_{kind}s": kind for kind in get_args(Kind)}
CLASSES: dict[str, type[Plugin]] = {
    "sampler": Sampler,
    "model": Model,
    "objective": Objective,
    "metric": Metric,
    "dataset": Dataset,
}


class _Unfit(Exception):
    """A plugin breaks a rule of the contract."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The components of all installed plugins."""

    shelf: Shelf

    @classmethod
    def load(cls, disabled: Iterable[str] = ()) -> Registry:
        """Load every plugin of the entry-point group except those disabled by name or distribution.

        With the environment variable AUDITKIT_DISABLE_PLUGIN_AUTOLOAD only the built-in components are loaded.
        """
        off = {name.removeprefix("no:") for name in disabled}
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
                broken.append(Broken(point.name, name, version, _told(error)))
            seen.setdefault(point.name, f"{name} {version}")
        return cls(Shelf(tuple(registered), tuple(broken)))

    @property
    def registered(self) -> tuple[Registered, ...]:
        """What there is, in the order of the plugins' names."""
        return self.shelf.registered

    @property
    def broken(self) -> tuple[Broken, ...]:
        """The plugins that did not load."""
        return self.shelf.broken

    def choose(self, kind: Kind, use: Use, path: Path, scale: float = 1.0) -> tuple[Chosen | None, list[Problem]]:
        """The component that the table at `path` names, with its options, or the problems with it."""
        return choose(self.shelf, kind, use, path, scale)

    def resolve(self, audit: Audit, scale: float = 1.0) -> tuple[ResolvedAudit | None, list[Problem]]:
        """The audit with every component chosen and every count scaled, or everything that is wrong with it."""
        found = self.inspect(audit, scale)
        return found.resolved, list(found.problems)

    def inspect(self, audit: Audit, scale: float = 1.0) -> Resolution:
        """As `resolve`, keeping what was found beside what was not."""
        return resolve(self.shelf, self.load_class, audit, scale)

    def check_names(self, resolved: ResolvedAudit, levels: Mapping[str, tuple[Level, ...]]) -> list[Problem]:
        """Names of attributes and levels, in the audit and in every option, that the data set does not have."""
        return names.check_names(resolved.audit, placed_components(resolved), levels)

    def load_class(self, chosen: Chosen) -> type[Any]:
        """The class of a component, imported now.

        Raises:
            RunFailed: the import fails, or what it gives is no class of the right kind.
        """
        return _load_class(chosen.kind, chosen.component, f"{chosen.distribution} {chosen.version}")

    def build(self, chosen: Chosen) -> Any:
        """A component with its options.

        Raises:
            RunFailed: its class cannot be imported, or fails to start.
        """
        return _build(self.load_class(chosen), chosen.options, f"{chosen.kind} {chosen.component.id!r}")

    def build_ref(self, ref: ComponentRef) -> Any:
        """A component from plain data, in a process that has read no audit. The id may be DISTRIBUTION:ID.

        Raises:
            AuditError: there is no such component here, or more than one, or it does not take these options.
            RunFailed: its class cannot be imported, or fails to start.
        """
        name = f"{ref.kind} {ref.id!r}"
        offers = [offer for offer in offers_of(self.shelf, None, ref.id) if offer.kind == ref.kind]
        if len(offers) != 1:
            found = " and ".join(offer.provider for offer in offers) or "no plugin"
            raise AuditError(f"{name} is offered by {found}", hint="; ".join(map(str, self.broken)))
        options, faults = read_options(offers[0].component.options, ref.options)
        if faults:
            raise AuditError(f"{name} does not take these options: {faults[0].text}", where=str(faults[0].path))
        return _build(_load_class(offers[0].kind, offers[0].component, offers[0].provider), options, name)


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


def _load_class(kind: Kind, component: Component, provider: str) -> type[Any]:
    module, _, qualname = component.factory.partition(":")
    name = f"{kind} {component.id!r} of {provider}"
    try:
        found = attrgetter(qualname)(import_module(module))
    except Exception as error:
        raise RunFailed(f"{name} cannot be imported: {_told(error)}", where=component.factory) from error
    if not (isinstance(found, type) and issubclass(found, CLASSES[kind])):
        raise RunFailed(f"{name} is no subclass of auditkit.{CLASSES[kind].__name__}", where=component.factory)
    return found


def _build(found: type[Any], options: Any, name: str) -> Any:
    try:
        return found(options)
    except AuditError:
        raise
    except Exception as error:
        raise RunFailed(f"{name} cannot be built: {_told(error)}") from error


def _told(error: BaseException) -> str:
    """An error in one line, as its author wrote it."""
    text = " ".join(str(error).split())
    return text if isinstance(error, _Unfit) else f"{type(error).__name__}: {text}"
