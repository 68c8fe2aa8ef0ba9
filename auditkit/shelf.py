"""Findings, kept under the digest of all they depend on, so that a report only reads.

Where a gate stands in its file is no part of that, since comments move it, nor is the command: both are looked up
whenever findings are read.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from auditkit.engine.plan import Unit, digest_of
from auditkit.engine.prepare import Prepared
from auditkit.engine.store import read_json, write_json
from auditkit.errors import AuditError
from auditkit.evidence.facts import Facts
from auditkit.evidence.results import REVISION, Results
from auditkit.report import archive


def key(prepared: Prepared) -> str:
    """Digest of the units that are done, the sections that evidence reads, the metrics used and the revision."""
    resolved = prepared.read.resolved
    inputs: dict[str, Any] = {
        "revision": REVISION,
        "name": prepared.read.name,
        "units": [(u.task.label, u.arm.name, u.seed, u.digest, _held(prepared, u)) for u in prepared.plan.units],
        "audit": resolved.audit.model_dump(
            mode="json", by_alias=True, include={"audit", "evidence", "published", "gate", "words", "arm"}
        ),
        "metrics": [metric.record() for metric in resolved.metrics],
    }
    return digest_of(inputs)


def _held(prepared: Prepared, unit: Unit) -> list[str] | None:
    """The probes that the store has of a finished unit, among those asked; None while it is not finished."""
    if not prepared.store.has(unit.digest):
        return None
    return sorted(prepared.store.probed(unit.digest) & set(unit.probes)) if unit.probes else []


def findings(prepared: Prepared, derive: Callable[[Prepared], Results]) -> Results:
    """Findings of exactly these units and sections: those kept, else those that `derive` makes, kept from now on.

    `derive` is `conclude` of `auditkit.engine`, handed in since importing it takes long and is seldom needed.
    """
    path = prepared.store.findings(key(prepared))
    if path.is_file():
        with suppress(AuditError):  # what is damaged is made again
            return _placed(prepared, archive.load(read_json(path, dict)))
    results = derive(prepared)
    write_json(path, archive.dump(results))
    return _placed(prepared, results)


def _placed(prepared: Prepared, results: Results) -> Results:
    """The findings, with the command, and the file and line of every gate, as they are now."""
    source = prepared.read.source
    places = [source.locate(("gate", index)) for index in range(len(results.gates))]
    told = [f"{place.source}:{place.line}" if place.line else place.source for place in places]
    facts: Facts = {**results.facts, "command": prepared.read.settings.elsewhere()}
    gates = tuple(replace(gate, place=place) for gate, place in zip(results.gates, told, strict=True))
    return replace(results, gates=gates, facts=facts)
