"""``auditkit plan``: every unit, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from auditkit.cli.codes import Code
from auditkit.cli.console import Console
from auditkit.cli.foreseen import sentences
from auditkit.cli.options import AUDIT, settings, settings_options
from auditkit.engine.outlook import Claim, Outlook, Row, outlook
from auditkit.engine.prepare import prepare
from auditkit.report.numbers import plural

STATES = ("done", "to run", "stale", "broken")
WIDE = ("arm", "task", "seed", "starts from", "rows", "visits", "state", "digest")
NARROW = ("arm", "task", "seed", "state")
ENOUGH = 72
"""Characters in a line from which on it has room for every column."""


@click.command()
@AUDIT
@settings_options
@click.option("--figures", is_flag=True, help="List every gate, published figure and group without support.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def plan(audit: Path, figures: bool, as_json: bool, **values: Any) -> Code:
    """Show every unit of AUDIT: arm, task, seed, digest, rows, visits; done, to run, or stale and because of what.

    A unit whose sampler cannot draw is "broken", which ends with exit code 3.

    Before anything is trained it tells which groups lack support in the test set, and which gates can never be decided.
    The time that it names is that of training, at the pace of earlier units here or, until there are any, of ResNet-18
    on two CPU cores, with what comes on top: starting, making images, evaluating, reporting.
    """
    prepared = prepare(settings(audit, values))
    view = outlook(prepared, foreseeing=True)
    if as_json:
        click.echo(view.to_json())
        return _code(view)
    console = Console(highlight=False)
    if prepared.read.stand_in:
        console.print(
            "! No data configured: planning on the stand-in (SYNTHETIC). --data PATH plans on your copy.", markup=False
        )
    if prepared.read.overruled:
        console.print(f"! {prepared.read.overruled}", markup=False)
    console.print(_table(view, console.width))
    for line in _reasons(view):
        console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    console.print(_summary(view), markup=False)
    for line in sentences(view, everything=figures):
        console.print(f"! {line}", style="yellow", markup=False)
    for line in _each(view.claims) if figures else _counted(view.claims):
        console.print(line, markup=False)
    return _code(view)


def _code(view: Outlook) -> Code:
    return Code.RUN_FAILED if view.count("broken") else Code.DONE


def _table(view: Outlook, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = WIDE if width >= ENOUGH else NARROW
    for name in columns:
        numbers = name in ("seed", "rows", "visits")
        table.add_column(name, overflow="fold", no_wrap=name != "arm", justify="right" if numbers else "left")
    for row in view.rows:
        table.add_row(*(_cells(row)[name] for name in columns))
    return table


def _cells(row: Row) -> dict[str, str]:
    waits = "" if row.state == "broken" else "after its parent"
    return {
        "arm": row.arm,
        "task": row.task,
        "seed": str(row.seed),
        "starts from": row.starts_from,
        "rows": waits if row.rows is None else f"{row.rows:,}",
        "visits": "" if row.visits is None else f"{row.visits:,}",
        "state": "to continue" if row.started else row.state,
        "digest": row.digest[:6],
    }


def _reasons(view: Outlook) -> Iterator[str]:
    """Because of what units are stale, each reason once with the units it holds for."""
    rows = [row for row in view.rows if row.because]
    for because in dict.fromkeys(row.because for row in rows):
        alike = [row for row in rows if row.because == because]
        arms = ", ".join(dict.fromkeys(row.arm for row in alike))
        every = len(alike) == len(view.rows)
        units = f"all {plural(len(alike), 'unit')}" if every else f"{plural(len(alike), 'unit')} of {arms}"
        yield f"{units} {alike[0].state}, because {'; '.join(because)}"


def _summary(view: Outlook) -> str:
    counts = ", ".join(f"{view.count(state)} {state}" for state in STATES if view.count(state))
    units = f"{plural(len(view.rows), 'unit')}: {counts}"
    if view.started:
        units += f" ({view.started} to be continued from a checkpoint)"
    if view.visits_to_run == 0:
        return units
    pace = f"{view.pace.images_per_second:,.0f} img/s {view.pace.source}"
    return f"{units} · {view.visits_to_run:,} visits to run · {view.time} ({pace})"


def _each(claims: tuple[Claim, ...]) -> Iterator[str]:
    for claim in claims:
        yield f"{claim.judged}: {claim.sentence}"


def _counted(claims: tuple[Claim, ...]) -> Iterator[str]:
    """How many gates and figures are judged, and how; where to see them."""
    kinds = list(dict.fromkeys(claim.judged for claim in claims))
    for judged in kinds:
        alike = [claim for claim in claims if claim.judged == judged]
        gates = sum(claim.gate for claim in alike)
        parts = [(gates, "gate"), (len(alike) - gates, "published figure")]
        listed = " (--figures lists them)" if judged == kinds[-1] else ""
        yield f"{judged}: {', '.join(plural(count, name) for count, name in parts if count)}{listed}"
