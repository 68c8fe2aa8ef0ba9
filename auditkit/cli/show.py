"""``auditkit show``: what every arm says of single images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from auditkit.cli.console import Console
from auditkit.cli.options import AUDIT, device_option, settings, settings_options
from auditkit.engine.executors import Local
from auditkit.engine.prepare import Prepared, prepare
from auditkit.engine.showing import Answer, ArmAnswers, Shown, find
from auditkit.engine.showing import show as look
from auditkit.events import silent
from auditkit.report.names import Names
from auditkit.spec.model import Task
from auditkit.spec.words import plural


@click.command()
@AUDIT
@settings_options
@click.option("--image", "images", multiple=True, required=True, metavar="FILE", help="An image's name; repeatable.")
@device_option("cpu")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, an object per image.")
def show(audit: Path, images: tuple[str, ...], as_json: bool, **values: Any) -> None:
    """Show what every arm of AUDIT, task by task and seed by seed, says of single images.

    Test and valid images were predicted in the run; of others, and of those that were never drawn, the weights are
    asked where they were kept (--keep-weights of run).
    """
    prepared = prepare(settings(audit, values))
    rows = find(prepared, images)
    with Local(1, 1, silent) as executor:
        found = look(prepared, rows, executor, silent)
    if as_json:
        click.echo(json.dumps([_plain(prepared, shown) for shown in found], indent=1))
        return
    console = Console(highlight=False)
    if prepared.dataset.synthetic:
        console.print(f"! SYNTHETIC DATA ({prepared.dataset.kind})", style="yellow", markup=False)
    for shown in found:
        _print(console, prepared, shown)


def _plain(prepared: Prepared, shown: Shown) -> dict[str, Any]:
    """JSON values; what the table tells in words stands as numbers."""
    arms = [{**asdict(arm), "mean": arm.mean, "seeds_wrong": arm.wrong(shown.truth[arm.task])} for arm in shown.arms]
    return {**asdict(shown), "attributes": dict(shown.attributes), "arms": arms, "data": prepared.dataset.kind}


def _print(console: Console, prepared: Prepared, shown: Shown) -> None:
    names = _names(prepared)
    words = {"": "not used by this audit", "resampled": "every arm splits after resampling"}
    place = words.get(shown.split, f"{shown.split} split")
    console.print(f"{shown.file_name} · {place}", style="bold", markup=False)
    said = ", ".join(names.level(name, level) for name, level in shown.attributes)
    console.print(f"  {said or 'no attribute that the audit names is known'}", markup=False)
    for task in prepared.read.resolved.audit.task:
        arms = [arm for arm in shown.arms if arm.task == task.label]
        truth = shown.truth[task.label]
        console.print(f"  {_asked(names, task, truth)}", style="italic", markup=False)
        console.print(_table(names, truth, arms))
    for note in _notes(prepared, shown):
        console.print(f"  {note}", markup=False)


def _names(prepared: Prepared) -> Names:
    audit, table = prepared.read.resolved.audit, prepared.dataset.attributes
    return Names({arm.name: arm.label or arm.name for arm in audit.arm}, audit.words, table.by_name)


def _asked(names: Names, task: Task, truth: bool | None) -> str:
    positive = names.level(task.target, task.positive)
    is_so = {True: f"it is {positive}", False: f"it is not {positive}", None: "the truth is unknown"}[truth]
    return f"{task.label}: probability of {positive}; {is_so}"


def _table(names: Names, truth: bool | None, arms: Sequence[ArmAnswers]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column("arm", overflow="fold")
    table.add_column("mean %", justify="right", no_wrap=True)
    table.add_column("each seed %", no_wrap=True)
    table.add_column("")
    table.add_column("trained on it", overflow="fold")
    for arm in arms:
        each = " ".join("-" if one.probability is None else f"{100 * one.probability:.1f}" for one in arm.answers)
        mean = "" if arm.mean is None else f"{100 * arm.mean:.1f}"
        table.add_row(escape(names.arm(arm.arm)), mean, each, _verdict(arm, truth), _met(arm.answers))
    return table


def _verdict(arm: ArmAnswers, truth: bool | None) -> str:
    """Whether the arm is wrong, in words."""
    wrong, seeds = arm.wrong(truth), len(arm.probabilities)
    if wrong is None:
        return "" if arm.probabilities else arm.answers[0].source
    if wrong in (0, seeds):
        return "[bold red]wrong[/]" if wrong else "right"
    return f"[yellow]wrong in {wrong} of {plural(seeds, 'seed')}[/]"


def _met(answers: Sequence[Answer]) -> str:
    """How often the image is in the training draws; a range where seeds differ."""
    known = [one.trained_on for one in answers if one.trained_on is not None]
    if not known:
        return "unknown yet"
    parts = [
        f"{_span(counts)} {word}"
        for word, counts in (("original", [o for o, _ in known]), ("augmented", [c for _, c in known]))
        if max(counts)
    ]
    return ", ".join(parts) or "no"


def _span(counts: Sequence[int]) -> str:
    return str(counts[0]) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def _notes(prepared: Prepared, shown: Shown) -> list[str]:
    answers = [(arm, one) for arm in shown.arms for one in arm.answers]
    lost = list(dict.fromkeys(arm.arm for arm, one in answers if one.source == "weights not kept"))
    notes = []
    leaky = list(dict.fromkeys(arm.arm for arm, one in answers if one.source == "test" and any(one.trained_on or ())))
    if leaky:
        were = "was" if len(leaky) == 1 else "were"
        notes.append(f"! leak: {', '.join(leaky)} {were} tested on this image and trained on it too")
    if lost:
        command = prepared.read.settings.command("--keep-weights")
        notes.append(f"no weights kept of {', '.join(lost)}: {command} trains them again")
    return notes
