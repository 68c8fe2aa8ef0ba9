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
def report(audit: Path, quiet: bool, junit: Path | None, **values: Any) -> int:
    """Render the reports of AUDIT again from the store; trains nothing."""
    prepared = prepare(settings(audit, values))
    require_units(prepared)
    results = conclude(prepared)
    write_reports(Console(highlight=False), prepared, results, quiet=quiet, junit=junit)
    return gate_code(results)
