"""``auditkit run``: train what is not done yet, then report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from auditkit.cli.codes import Code
from auditkit.cli.console import Console
from auditkit.cli.options import AUDIT, JUNIT, QUIET, device_option, settings, settings_options
from auditkit.cli.outcome import conclude, gate_code, import_ahead, require_writable, write_reports
from auditkit.cli.progress import progress
from auditkit.cohort import known_people
from auditkit.engine.outlook import outlook
from auditkit.engine.prepare import Prepared, prepare
from auditkit.engine.schedule import undone
from auditkit.errors import Interrupted
from auditkit.report.numbers import plural


@click.command()
@AUDIT
@settings_options
@device_option("auto")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Units at work at once [one per core, or per two; on a GPU one, or up to three small ones].",
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads per unit [cores divided by workers].")
@click.option(
    "--deterministic", is_flag=True, help="On a GPU, the same bits every time; slower. A CPU gives them anyway."
)
@click.option("--keep-weights", is_flag=True, help="Keep every unit's weights, not only those another arm needs.")
@click.option(
    "--progress",
    "drawing",
    type=click.Choice(["auto", "bars", "plain", "none"]),
    default="auto",
    help="How training is shown [auto: bars on a terminal, lines elsewhere, none with --quiet]; failures always are.",
)
@JUNIT
@QUIET
def run(audit: Path, drawing: str, quiet: bool, junit: Path | None, **values: Any) -> int:
    """Train what AUDIT asks for and is not done yet, then report.

    Running again trains nothing that is done. Ctrl-C stops cleanly; the same command goes on from the last checkpoint.
    """
    console = Console(highlight=False)
    prepared = prepare(settings(audit, values))
    if not quiet:
        _announce(console, prepared)
    require_writable(prepared, junit)
    failed = _train(console, prepared, "none" if quiet and drawing == "auto" else drawing)
    results = conclude(prepared)
    write_reports(console, prepared, results, quiet=quiet, junit=junit)
    return Code.RUN_FAILED if failed else gate_code(results)


def _announce(console: Console, prepared: Prepared) -> None:
    read = prepared.read
    console.print(Text.assemble((read.settings.path.stem, "bold"), f" · {read.resolved.audit.audit.title}"))
    if read.stand_in:
        name = read.resolved.dataset.component.id
        text = f'! No data configured: using the stand-in "{name}" (SYNTHETIC). --data PATH runs on your copy.'
        console.print(text, style="yellow", markup=False)
    if read.overruled:
        console.print(f"! {read.overruled}", style="yellow", markup=False)
    view = outlook(prepared)
    people = prepared.dataset.identities
    of = "" if people is None else f" of {plural(known_people(people), 'person', 'people')}"
    going_on = f", {view.started} to be continued from a checkpoint" if view.started else ""
    console.print(f"{len(prepared.dataset):,} images{of} · {_counts(prepared)}{going_on}", markup=False)
    if view.visits_to_run:
        pace = f"{view.pace.images_per_second:,.0f} img/s {view.pace.source}"
        console.print(f"{view.visits_to_run:,} training visits · {view.time} ({pace})", markup=False)


def _counts(prepared: Prepared) -> str:
    resolved, units = prepared.read.resolved, prepared.plan.units
    done = len(units) - len(undone(prepared))
    tasks, arms = plural(len(resolved.audit.task), "task"), plural(len(resolved.arms), "arm")
    seeds = plural(max(len(arm.seeds) for arm in resolved.arms), "seed")
    return f"{tasks} x {arms} x {seeds} = {plural(len(units), 'unit')}, {done} done"


def _train(console: Console, prepared: Prepared, drawing: str) -> bool:
    """Run what is undone; whether a unit failed."""
    left = len(undone(prepared))
    if left == 0:
        return False
    from auditkit.engine.running import train

    import_ahead()
    try:
        with progress(drawing, console, left) as drawn:
            return bool(train(prepared, drawn.send))
    except KeyboardInterrupt:
        command = "the same command goes on from the last checkpoint"
        raise Interrupted(f"interrupted; what is finished is kept, and {command}") from None
