"""Audit files that have no mistakes, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditkit.spec.consequences import distilled
from auditkit.spec.model import Audit
from auditkit.spec.reader import invalid, parse, read
from auditkit.spec.source import Source


def load_valid(
    path: Path, *, profile: str | None = None, sets: Sequence[str] = (), stand_in: bool = False
) -> tuple[Audit, Source]:
    """Read and parse; raise InvalidAudit with the report of all mistakes unless there are none."""
    source = read(path, profile=profile, sets=sets, stand_in=stand_in)
    audit, found = parse(source)
    problems = distilled(found, source)
    if audit is None or problems:
        raise invalid(problems, source)
    return audit, source
