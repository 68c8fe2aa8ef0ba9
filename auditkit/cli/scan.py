"""``auditkit scan``: every attribute's minority, and the error of the reference arm inside and outside of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from auditkit.cli.console import Console
from auditkit.cli.options import AUDIT, settings, settings_options
from auditkit.cli.outcome import conclude, require_units
from auditkit.engine.prepare import Prepared, prepare
from auditkit.errors import AuditError
from auditkit.evidence.results import Finding, ScanRow
from auditkit.report import archive, exploring, terminal, view

SORTS: dict[str, Callable[[ScanRow], Any]] = {
    "attribute": lambda row: row.attribute,
    "share": lambda row: float("inf") if row.share_train is None else row.share_train,
    "error": lambda row: _descending(row.error_inside),
    "difference": lambda row: _descending(row.difference),
}


@click.command()
@AUDIT
@settings_options
@click.option("--sort", type=click.Choice([*SORTS]), help="By name, rarest first, or largest error first.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, an object per task and attribute.")
def scan(audit: Path, sort: str | None, as_json: bool, **values: Any) -> None:
    """List every attribute of AUDIT's data, from its findings: minority, share, mix, error inside and outside of it.

    The errors are those of the reference arm, on valid, or on test where nothing is held out. Unless sorted, attributes
    stand in the order of the data.
    """
    prepared = prepare(settings(audit, values))
    require_units(prepared)
    results = conclude(prepared)
    if not results.scan:
        raise _no_scan(prepared)
    rows = results.scan if sort is None else tuple(sorted(results.scan, key=SORTS[sort]))
    results = replace(results, scan=rows)
    if as_json:
        click.echo(json.dumps(archive.dump(results)["scan"], indent=1))
        return
    console = Console(highlight=False)
    if prepared.dataset.synthetic:
        console.print(f"! SYNTHETIC DATA ({prepared.dataset.kind})", style="yellow", markup=False)
    section = exploring.scan(view.of(prepared.read.resolved.audit, results))
    for block in section.blocks if section else ():
        console.print(terminal.block(block, console.width))
        console.print(Text(""))


def _descending(finding: Finding | None) -> float:
    """Largest first; what is not estimable comes last."""
    return float("inf") if finding is None or finding.estimate is None else -finding.estimate


def _no_scan(prepared: Prepared) -> AuditError:
    where = str(prepared.read.settings.path)
    if not prepared.read.resolved.audit.evidence.scan:
        return AuditError("the audit asks for no scan", where=where, hint="set evidence.scan = true")
    hint = f"train it: {prepared.read.settings.command()}"
    return AuditError("the reference arm has no predictions to scan", where=where, hint=hint)
