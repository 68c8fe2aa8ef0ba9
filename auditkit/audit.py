"""The story: an audit file becomes units, units become predictions, predictions become findings and a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditkit import shelf
from auditkit.engine.conclude import conclude
from auditkit.engine.prepare import Prepared, Settings, prepare
from auditkit.engine.running import train_all
from auditkit.events import Event, Send
from auditkit.evidence.results import GateRow, Results
from auditkit.report import document
from auditkit.report.files import write


@dataclass(frozen=True, slots=True, eq=False)
class AuditResult:
    """What an audit found, and the folder with its reports."""

    prepared: Prepared = field(repr=False)
    results: Results = field(repr=False)
    folder: Path

    @property
    def gates(self) -> tuple[GateRow, ...]:
        """Every gate and how it came out."""
        return self.results.gates

    @property
    def passed(self) -> bool:
        """Whether no gate failed or lacked evidence, as with exit code 0; on stand-in data none is judged."""
        return all(gate.outcome in ("pass", "not judged") for gate in self.gates)


def run(path: str | Path, *, send: Send | None = None, **settings: Any) -> AuditResult:
    """Run an audit as the command line does; `settings` are the fields of `Settings`, places may be given as text.

    Raises:
        AuditError: bad input. RunFailed: a unit failed; the others are kept.
    """
    places = {name: Path(settings[name]) for name in ("data", "store", "reports") if settings.get(name) is not None}
    prepared = prepare(Settings(path=Path(path), **(settings | places)))
    train_all(prepared, send or _silent)
    results = shelf.findings(prepared, conclude)
    folder = prepared.read.settings.reports / prepared.read.name
    write(document.build(prepared.read.resolved.audit, results), results, folder, prepared.store.charts)
    return AuditResult(prepared, results, folder)


def _silent(event: Event) -> None:
    """Draw nothing."""
