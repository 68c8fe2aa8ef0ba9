"""``auditkit plan``: every unit, and what is left to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from auditkit.cli.options import AUDIT, settings, settings_options
from auditkit.engine.outlook import Outlook, Row, outlook
from auditkit.engine.prepare import prepare


@click.command()
@AUDIT
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def plan(audit: Path, as_json: bool, **values: Any) -> None:
    """Show every unit of AUDIT: arm, task, seed, digest, rows, visits; done, to run, or stale and because of what."""
    prepared = prepare(settings(audit, values))
    view = outlook(prepared)
    if as_json:
        click.echo(view.to_json())
        return
    console = Console(highlight=False)
    if prepared.read.stand_in:
        console.print(
            "! No data configured: planning on the stand-in (SYNTHETIC). --data PATH plans on your copy.", markup=False
        )
    console.print(_table(view))
    console.print(_summary(view), markup=False)
    for sentence in view.not_judged:
        console.print(f"not judged yet: {sentence}", markup=False)


def _table(view: Outlook) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("arm", "task", "seed", "starts from"):
        table.add_column(name, justify="right" if name == "seed" else "left", no_wrap=True)
    for name in ("rows", "visits"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("digest", no_wrap=True)
    table.add_column("because")
    for row in view.rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    rows = "after its parent" if row.rows is None else f"{row.rows:,}"
    visits = "" if row.visits is None else f"{row.visits:,}"
    return (
        row.arm,
        row.task,
        str(row.seed),
        row.starts_from,
        rows,
        visits,
        row.state,
        row.digest[:6],
        "; ".join(row.because),
    )


def _summary(view: Outlook) -> str:
    counts = ", ".join(f"{view.count(state)} {state}" for state in ("done", "to run", "stale") if view.count(state))
    visits = view.visits_to_run
    if visits == 0:
        return f"{len(view.rows)} units: {counts}"
    pace = f"{view.images_per_second:,.0f} img/s {view.pace_source}"
    return f"{len(view.rows)} units: {counts} · {visits:,} visits to run · about {view.minutes:.1f} min ({pace})"
