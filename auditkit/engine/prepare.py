"""From an audit file to everything a run needs: spec, components, open data, pools, plan. Trains nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from auditkit.cohort import MISSING, OpenDataset
from auditkit.contracts import Metric
from auditkit.engine.checking import check
from auditkit.engine.discovery import told
from auditkit.engine.draws import Pools, pools
from auditkit.engine.places import PLACE_VARIABLE, named_place, overruled
from auditkit.engine.plan import Ingredients, Plan, Unit, make_plan
from auditkit.engine.probes import Probe, probes_of
from auditkit.engine.registry import Registry
from auditkit.engine.resolution import Chosen, ResolvedAudit
from auditkit.engine.resolve import placed_components
from auditkit.engine.store import Store
from auditkit.errors import AuditError, DataError, ImpossibleRequest, RunFailed
from auditkit.spec import reader
from auditkit.spec.marks import counts
from auditkit.spec.model import Task
from auditkit.spec.profiles import unused
from auditkit.spec.scale import has_counts
from auditkit.spec.source import Source
from auditkit.spec.words import plural

STORE_VARIABLE = "AUDITKIT_STORE"
STORE = Path(".auditkit")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says beside the audit file; nothing of it goes into a digest except the overrides."""

    path: Path
    profile: str | None = None
    sets: tuple[str, ...] = ()
    scale: float = 1.0
    data: Path | None = None
    require_data: bool = False
    store: Path = STORE
    reports: Path = Path("reports")
    device: str = "auto"
    workers: int | None = None
    threads: int | None = None
    keep_weights: bool = False
    deterministic: bool = False
    disabled: tuple[str, ...] = ()

    def command(self, *more: str) -> str:
        """The command that runs the same audit on the same data into the same store."""
        named = {"--data": self.data, "--profile": self.profile}
        named["--scale"] = f"{self.scale:g}" if self.scale != 1.0 else None
        named["--store"] = self.store if self.store != STORE else None
        options = [(name, value) for name, value in named.items() if value is not None]
        options += [("--set", text) for text in self.sets] + [("--no-plugin", name) for name in self.disabled]
        words = [str(word) for option in options for word in option]
        return shlex.join(["auditkit", "run", str(self.path), *words, *more])

    def elsewhere(self) -> str:
        """As `command`, for whoever has another store."""
        return replace(self, store=STORE).command()


def store_place(named: str | Path | None) -> Path:
    """Where units are kept: flag, then environment, then `.auditkit` in the working directory."""
    return Path(named or os.environ.get(STORE_VARIABLE) or STORE)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """An audit whose file and components are in order; its data is not open yet."""

    settings: Settings
    source: Source = field(repr=False)
    registry: Registry = field(repr=False)
    resolved: ResolvedAudit = field(repr=False)
    place: Path | None
    stand_in: bool

    @property
    def name(self) -> str:
        """Name of the report: the stand-in, and every profile, scale and override, have one of their own."""
        return f"{self.series}-set-{_sets_digest(self.settings.sets)}" if self.settings.sets else self.series

    @property
    def overruled(self) -> str:
        """What is told where the environment goes before the place in the file; "" where it does not."""
        return "" if self.stand_in else overruled(self.settings.path, self.source.values, self.settings.data)

    @property
    def series(self) -> str:
        """What runs share that differ in overrides only, so that a plan can say what an override made stale."""
        parts = [self.settings.path.stem]
        if self.stand_in:
            parts.append("stand-in")
        if self.settings.profile:
            parts.append(self.settings.profile)
        if self.settings.scale != 1.0:
            parts.append(f"x{self.settings.scale:g}")
        return "-".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that a run, a plan or a report starts from."""

    read: Read
    dataset: OpenDataset
    pools: Pools
    plan: Plan
    store: Store

    def probes(self, task: Task) -> tuple[Probe, ...]:
        """What the networks of a task are asked beside it."""
        return probes_of(self.read.resolved.audit.evidence, task, self.dataset.attributes.by_name)

    def metrics(self) -> dict[str, Metric]:
        """The metrics of the audit, built, by id."""
        return {chosen.component.id: self.read.registry.build(chosen) for chosen in self.read.resolved.metrics}

    def missing(self) -> tuple[Unit, ...]:
        """Units that are not in the store."""
        return tuple(unit for unit in self.plan.units if not self.store.has(unit.digest))

    def not_trained(self) -> AuditError:
        """What is told where units are missing that are asked for; there must be some."""
        missing, total = self.missing(), len(self.plan.units)
        of = f"{len(missing):,} of its {plural(total, 'unit')} {'is' if len(missing) == 1 else 'are'}"
        said = f"{of} not in the store {self.store.root}, such as {missing[0].label}"
        settings = self.read.settings
        return AuditError(said, where=str(settings.path), hint=f"train them: {settings.command()}")


def _sets_digest(sets: tuple[str, ...]) -> str:
    """Six digits for overrides. Their order counts only among those of one key, of which the last one holds."""
    pairs = [tuple(part.strip() for part in text.split("=", 1)) for text in sets]
    ordered = sorted(pairs, key=lambda pair: pair[0])
    return hashlib.sha256(json.dumps(ordered).encode()).hexdigest()[:6]


def read_audit(settings: Settings) -> Read:
    """Read and check file, components and names of attributes. Raises InvalidAudit with all mistakes."""
    read = _read(settings)
    if found := unused(settings.sets, read.source.profiles):
        raise reader.invalid(found, read.source)
    if settings.scale != 1.0 and not _has_counts(read.resolved):
        said = f"{settings.path} names no number of images, so this changes nothing"
        hint = "leave it out, or say how many images to draw, as in train = { draw = 1000 } in [data]"
        raise AuditError(said, where="--scale", hint=hint)
    return read


def _has_counts(resolved: ResolvedAudit) -> bool:
    """Whether there is anything that --scale multiplies, in a pool or in the options of a component."""
    options = (chosen.options for chosen in placed_components(resolved).values())
    return has_counts(resolved.audit) or any(True for one in options for _ in counts(one))


def _read(settings: Settings) -> Read:
    registry = Registry.load(disabled=settings.disabled)
    source = _source(settings, stand_in=False)
    place = named_place(settings.path, source.values, settings.data)
    resolved = _checked(settings, registry, source, place)
    if place is not None or not _wants_a_place(registry, resolved.dataset):
        return Read(settings, source, registry, resolved, place, stand_in=False)
    place = _default_place(registry, resolved.dataset)
    if place is not None:
        return Read(settings, source, registry, resolved, place, stand_in=False)
    if settings.require_data or resolved.audit.stand_in is None:
        raise _no_data(registry, resolved.dataset)
    source = _source(settings, stand_in=True)
    return Read(settings, source, registry, _checked(settings, registry, source, None), None, stand_in=True)


def prepare(settings: Settings) -> Prepared:
    """Read the audit, open its data, draw the pools and lay out the units."""
    read = read_audit(settings)
    dataset = _opened(read)
    names = dataset.attributes.by_name
    found = read.registry.check_names(read.resolved, names, dataset.notes)
    if found:
        raise reader.invalid(found, read.source)
    drawn = _pools(read, dataset)
    audit = read.resolved.audit
    probes = {task.label: tuple(p.key for p in probes_of(audit.evidence, task, names)) for task in audit.task}
    plan = make_plan(read.resolved, Ingredients(dataset.fingerprint, _checkpoints(read.resolved), probes))
    return Prepared(read, dataset, drawn, plan, Store(settings.store))


def _opened(read: Read) -> OpenDataset:
    """The data set of an audit.

    Raises:
        DataError: identities are neither numbers from 0 nor unknown.
        RunFailed: the plugin itself failed.
    """
    chosen = read.resolved.dataset
    try:
        dataset: OpenDataset = read.registry.build(chosen).open(read.place)
    except AuditError:
        raise
    except Exception as error:
        raise RunFailed(f"{chosen.who} cannot be opened: {told(error)}", where=str(read.place or "")) from error
    below = [] if dataset.identities is None else np.flatnonzero(dataset.identities < MISSING).tolist()
    if below:
        images, first = plural(len(below), "image"), dataset.file_names[below[0]]
        said = f"{chosen.who} gives {images} an identity below -1, first {first}"
        hint = "an identity is a number from 0, or -1 where it is unknown"
        raise DataError(said, where=dataset.place, hint=hint)
    return dataset


def _pools(read: Read, dataset: OpenDataset) -> Pools:
    try:
        return pools(read.resolved.audit.data, dataset)
    except ImpossibleRequest as error:
        raise reader.invalid([error.problem], read.source) from error


def _source(settings: Settings, *, stand_in: bool) -> Source:
    return reader.read(settings.path, profile=settings.profile, sets=settings.sets, stand_in=stand_in)


def _checked(settings: Settings, registry: Registry, source: Source, place: Path | None) -> ResolvedAudit:
    checked = check(registry, source, lambda c: registry.attribute_levels(c, place), settings.scale)
    if checked.resolved is None:
        raise reader.invalid(checked.problems, source)
    return checked.resolved


def _default_place(registry: Registry, chosen: Chosen) -> Path | None:
    place = registry.default_place(chosen)
    try:
        return place if place is not None and _holds_something(place) else None
    except OSError as error:
        hint = "let yourself read it, or name another place with --data PATH"
        raise DataError(f"cannot look into the folder: {error.strerror}", where=str(place), hint=hint) from error


def _holds_something(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and any(place.iterdir()))


def _wants_a_place(registry: Registry, chosen: Chosen) -> bool:
    return registry.default_place(chosen) is not None


def _no_data(registry: Registry, chosen: Chosen) -> DataError:
    place = registry.default_place(chosen)
    return DataError(
        f"no data for dataset {chosen.component.id!r}: nothing was named, and {place} is missing or empty",
        hint=f"name the place with --data PATH, the variable {PLACE_VARIABLE} or [data] place",
    )


def _checkpoints(resolved: ResolvedAudit) -> dict[str, str]:
    """SHA-256 of every checkpoint file that an arm starts from."""
    names = {arm.init.partition(":")[2] for arm in resolved.arms if arm.init.startswith("checkpoint:")}
    return {name: _sha256(Path(name)) for name in sorted(names)}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            _require_safetensors(file, path)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read the checkpoint: {error.strerror}", where=str(path)) from error


def _require_safetensors(file: BinaryIO, path: Path) -> None:
    """Raise DataError unless a file begins as safetensors do: with the length of a JSON object, and that; go back."""
    length, first = int.from_bytes(file.read(8), "little"), file.read(1)
    if first != b"{" or length > path.stat().st_size:
        raise DataError("this is no safetensors file", where=str(path), hint="weights are read from those only")
    file.seek(0)
