"""``auditkit report``: render again from what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditkit.cli.console import Console
from auditkit.cli.options import AUDIT, JUNIT, QUIET, settings, settings_options
from auditkit.cli.outcome import conclude, gate_code, require_units, write_reports
from auditkit.engine.prepare import prepare


@click.command()
@AUDIT
@settings_options
@JUNIT
@QUIET
@click.option("--all", "everything", is_flag=True, help="Print the whole report, not only its first screen.")
def report(audit: Path, quiet: bool, everything: bool, junit: Path | None, **values: Any) -> int:
    """Render the reports of AUDIT again from the store; trains nothing."""
    if quiet and everything:
        raise click.UsageError("--all and --quiet contradict each other")
    prepared = prepare(settings(audit, values))
    require_units(prepared)
    results = conclude(prepared)
    write_reports(Console(highlight=False), prepared, results, quiet=quiet, everything=everything, junit=junit)
    return gate_code(results)
