"""The gates of an audit file, judged from the store; behind the pytest plugin."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditkit import shelf
from auditkit.engine.conclude import conclude
from auditkit.engine.prepare import Read, Settings, prepare, read_audit, store_place
from auditkit.engine.running import require_none, train
from auditkit.errors import AuditError
from auditkit.events import silent
from auditkit.evidence.results import GateRow, Results
from auditkit.report import view
from auditkit.report.conditions import in_full
from auditkit.spec.sentences import gate_sentence

MISTAKES = (AuditError,)


@dataclass(slots=True, eq=False)
class Judged:
    """An audit whose file is in order; once it is `ready`, `rows` and `told` say how its gates came out."""

    read: Read
    rows: tuple[GateRow, ...] = ()
    told: tuple[str, ...] = ()
    failure: AuditError | None = field(default=None)

    @classmethod
    def of(cls, path: Path, folder: Path, options: Mapping[str, Any]) -> Judged:
        """Read an audit file as commands in `folder` would; raises AuditError with everything that is wrong."""
        named = Path(os.path.relpath(path, folder)) if path.is_relative_to(folder) else path
        settings = Settings(
            path=named,
            store=store_place(options.get("store")),
            data=Path(options["data"]) if "data" in options else None,
            profile=options.get("profile"),
        )
        return cls(read_audit(settings))

    @property
    def gates(self) -> tuple[tuple[str, int], ...]:
        """Name and line of every gate."""
        audit, source = self.read.resolved.audit, self.read.source
        return tuple(
            (gate.name or gate_sentence(gate, audit.evidence.reference), source.locate(("gate", index)).line or 1)
            for index, gate in enumerate(audit.gate)
        )

    def ready(self, *, train: bool) -> None:
        """Judge the gates, once.

        Raises:
            AuditError: units are missing and not to be trained, one failed, or the data cannot be read.
        """
        if self.failure is not None:
            raise self.failure
        if self.rows:
            return
        try:
            found = view.of(self.read.resolved.audit, self._results(may_train=train))
        except AuditError as error:
            self.failure = error
            raise
        self.rows = found.results.gates
        self.told = tuple(in_full(found, row) for row in self.rows)

    def _results(self, *, may_train: bool) -> Results:
        prepared = prepare(self.read.settings)
        if prepared.missing():
            if not may_train:
                raise prepared.not_trained()
            require_none(train(prepared, silent))
        return shelf.findings(prepared, conclude)
