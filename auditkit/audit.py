"""The story: an audit file becomes units, units become predictions, predictions become findings and a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

from auditkit import shelf
from auditkit.engine.conclude import conclude
from auditkit.engine.prepare import Prepared, Settings, prepare, store_place
from auditkit.engine.running import require_none, train
from auditkit.events import Send, silent
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


class Choices(TypedDict, total=False):
    """The fields of `Settings` beside the audit file; places may be given as text."""

    profile: str | None
    sets: tuple[str, ...]
    scale: float
    data: str | Path | None
    require_data: bool
    store: str | Path
    reports: str | Path
    device: str
    workers: int | None
    threads: int | None
    keep_weights: bool
    deterministic: bool
    disabled: tuple[str, ...]


def run(path: str | Path, *, send: Send = silent, **choices: Unpack[Choices]) -> AuditResult:
    """Run an audit as the command line does.

    Raises:
        AuditError: bad input.
        RunFailed: a unit failed; the others are kept, and the report of them is written.
        KeyboardInterrupt: on Ctrl-C; what is finished is kept, and the same call goes on from the last checkpoint.
    """
    prepared = prepare(_settings(path, choices))
    failed = train(prepared, send)
    results = shelf.findings(prepared, conclude)
    folder = prepared.read.settings.reports / prepared.read.name
    write(document.build(prepared.read.resolved.audit, results), results, folder, prepared.store.charts)
    require_none(failed)
    return AuditResult(prepared, results, folder)


def _settings(path: str | Path, choices: Choices) -> Settings:
    given: dict[str, Any] = {**choices}
    places = {name: Path(given[name]) for name in ("data", "reports") if given.get(name) is not None}
    return Settings(path=Path(path), **(given | places | {"store": store_place(given.get("store"))}))
