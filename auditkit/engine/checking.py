"""Everything that is wrong with an audit file, found in one pass: reader, components, names of attributes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from auditkit.engine.asking import check_asked
from auditkit.engine.names import Levels, check_names
from auditkit.engine.registry import Registry
from auditkit.engine.resolution import Chosen, ResolvedAudit
from auditkit.errors import Problem
from auditkit.spec import reader
from auditkit.spec.consequences import distilled
from auditkit.spec.source import Source

LevelsOf = Callable[[Chosen], Levels | None]


@dataclass(frozen=True, slots=True)
class Checked:
    """An audit file and all its problems; `resolved` is None when there are any."""

    source: Source
    resolved: ResolvedAudit | None
    problems: tuple[Problem, ...]


def check(registry: Registry, source: Source, levels_of: LevelsOf, scale: float = 1.0) -> Checked:
    """Check an audit as far as it goes without data; `levels_of` tells a dataset's attributes, None if unknown."""
    audit, found = reader.parse(source)
    if audit is None:
        return Checked(source, None, tuple(found))
    resolution = registry.inspect(audit, scale)
    later = list(resolution.problems)
    dataset = resolution.placed.get(("data", "dataset"))
    levels = levels_of(dataset) if dataset is not None and dataset.usable else None
    later += check_asked(resolution.audit, resolution.placed, registry.build)
    if levels is not None:
        later += check_names(resolution.audit, resolution.placed, levels)
    problems = distilled([*found, *reader.without_echoes(later, source)], source)
    return Checked(source, None if problems else resolution.resolved, tuple(problems))
