"""``auditkit report``: render again from what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from auditkit.cli.options import AUDIT, JUNIT, settings, settings_options
from auditkit.cli.outcome import conclude, gate_code, write_reports
from auditkit.engine.prepare import prepare
from auditkit.errors import AuditError


@click.command()
@AUDIT
@settings_options
@JUNIT
@click.option("--quiet", is_flag=True, help="Do not print the report; only where it is.")
def report(audit: Path, quiet: bool, junit: Path | None, **values: Any) -> int:
    """Render the reports of AUDIT again from the store; trains nothing."""
    prepared = prepare(settings(audit, values))
    if not any(prepared.store.has(unit.digest) for unit in prepared.plan.units):
        message = f"none of the {len(prepared.plan.units)} units of this audit is in the store"
        raise AuditError(message, where=str(prepared.store.root), hint=f"train them: auditkit run {audit}")
    results = conclude(prepared)
    write_reports(Console(highlight=False), prepared, results, quiet=quiet, junit=junit)
    return gate_code(results)
