"""The registry: the components of all installed plugins, chosen by id, resolved for an audit, and built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from auditkit.contracts import Component, Dataset, Kind, Level, Metric, Model, Objective, Plugin, Sampler
from auditkit.engine import names
from auditkit.engine.components import choose
from auditkit.engine.discovery import Broken, Registered, Shelf, discover, offers_of, told
from auditkit.engine.resolution import Chosen, ResolvedAudit
from auditkit.engine.resolve import Resolution, placed_components, resolve
from auditkit.errors import AuditError, KeyPath, Problem, RunFailed
from auditkit.spec.faults import read_options
from auditkit.spec.model import Audit, Use

if TYPE_CHECKING:
    from auditkit.engine.work import ComponentRef

__all__ = ["Broken", "Registered", "Registry"]

CLASSES: dict[str, type[Plugin]] = {
    "sampler": Sampler,
    "model": Model,
    "objective": Objective,
    "metric": Metric,
    "dataset": Dataset,
}


@dataclass(frozen=True, slots=True)
class Registry:
    """The components of all installed plugins."""

    shelf: Shelf

    @classmethod
    def load(cls, disabled: Iterable[str] = ()) -> Registry:
        """Load every plugin of the entry-point group except those disabled by name or distribution.

        With the environment variable AUDITKIT_DISABLE_PLUGIN_AUTOLOAD only the built-in components are loaded.
        """
        return cls(discover(disabled))

    @property
    def registered(self) -> tuple[Registered, ...]:
        """What there is, in the order of the plugins' names."""
        return self.shelf.registered

    @property
    def broken(self) -> tuple[Broken, ...]:
        """The plugins that did not load."""
        return self.shelf.broken

    def choose(self, kind: Kind, use: Use, path: KeyPath, scale: float = 1.0) -> tuple[Chosen | None, list[Problem]]:
        """The component that the table at `path` names, with its options, or the problems with it."""
        return choose(self.shelf, kind, use, path, scale)

    def inspect(self, audit: Audit, scale: float = 1.0) -> Resolution:
        """The audit with every component chosen and every count scaled, or everything that is wrong with it."""
        return resolve(self.shelf, self.load_class, audit, scale)

    def check_names(
        self, resolved: ResolvedAudit, levels: Mapping[str, tuple[Level, ...]], notes: tuple[str, ...] = ()
    ) -> list[Problem]:
        """Names of attributes and levels, in the audit and in every option, that the data set does not have."""
        return names.check_names(resolved.audit, placed_components(resolved), levels, notes)

    def load_class(self, chosen: Chosen) -> type[Any]:
        """The class of a component, imported now.

        Raises:
            RunFailed: the import fails, or what it gives is no class of the right kind.
        """
        return _load_class(chosen.kind, chosen.component, f"{chosen.distribution} {chosen.version}")

    def attribute_levels(self, dataset: Chosen, place: Path | None) -> Mapping[str, tuple[Level, ...]] | None:
        """What a data set says of its attributes before it is opened; None where it does not know.

        Raises:
            RunFailed: its plugin fails.
        """
        return cast(
            Mapping[str, tuple[Level, ...]] | None,
            self._asked(dataset, "cannot tell its attributes", lambda c: c.attribute_levels(dataset.options, place)),
        )

    def default_place(self, dataset: Chosen) -> Path | None:
        """Where a data set lies if nobody says; None where it needs no place.

        Raises:
            RunFailed: its plugin fails.
        """
        return cast(
            Path | None, self._asked(dataset, "cannot tell its place", lambda c: c.default_place(dataset.options))
        )

    def _asked(self, dataset: Chosen, failure: str, question: Callable[[type[Dataset]], object]) -> object:
        kind = self.load_class(dataset)
        try:
            return question(kind)
        except AuditError:
            raise
        except Exception as error:
            raise RunFailed(f"{dataset.who} {failure}: {told(error)}") from error

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
        offers = offers_of(self.shelf, ref.kind, ref.id)
        if len(offers) != 1:
            found = " and ".join(offer.provider for offer in offers) or "no plugin"
            raise AuditError(f"{name} is offered by {found}", hint="; ".join(map(str, self.broken)))
        options, faults = read_options(offers[0].component.options, ref.options)
        if faults:
            raise AuditError(f"{name} does not take these options: {faults[0].text}", where=str(faults[0].path))
        return _build(_load_class(offers[0].kind, offers[0].component, offers[0].provider), options, name)


def _load_class(kind: Kind, component: Component, provider: str) -> type[Any]:
    module, _, qualname = component.factory.partition(":")
    name = f"{kind} {component.id!r} of {provider}"
    try:
        found = attrgetter(qualname)(import_module(module))
    except Exception as error:
        raise RunFailed(f"{name} cannot be imported: {told(error)}", where=component.factory) from error
    if not (isinstance(found, type) and issubclass(found, CLASSES[kind])):
        raise RunFailed(f"{name} is no subclass of auditkit.{CLASSES[kind].__name__}", where=component.factory)
    return found


def _build(found: type[Any], options: Any, name: str) -> Any:
    try:
        return found(options)
    except AuditError:
        raise
    except Exception as error:
        raise RunFailed(f"{name} cannot be built: {told(error)}") from error
