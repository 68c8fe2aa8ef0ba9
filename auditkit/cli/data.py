"""``auditkit data``: check what is there, render faces, download CelebA."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from auditkit.cli.codes import Code
from auditkit.cli.console import Console
from auditkit.cli.proposing import columns as propose
from auditkit.cli.proposing import read
from auditkit.cli.suggesting import Suggesting
from auditkit.cohort import Checkup
from auditkit.contracts import Dataset
from auditkit.engine import data as work
from auditkit.engine.executors import cores
from auditkit.engine.formats import is_parquet
from auditkit.engine.registry import Registry
from auditkit.errors import AuditError, DataError
from auditkit.report.numbers import UNKNOWN


@click.group(cls=Suggesting)
def data() -> None:
    """Check, make or download image data."""


@data.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--dataset", metavar="ID", help="Dataset plugin [celeba for a folder, table for a file].")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Option of the dataset, as in TOML.")
def check(path: Path | None, dataset: str | None, options: tuple[str, ...]) -> int:
    """Say what lies at PATH, what is missing, how large every group is, and which attributes there are.

    Exit code 2 where that tells that a run would refuse the data; of the images a sample is decoded. The columns of a
    table are guessed, as by init, unless --option names them. PATH may be left out where the dataset reads no files,
    as in --dataset faces.
    """
    if path is None and dataset is None:
        raise AuditError("there is no PATH to look at", hint="as in auditkit data check data/celeba")
    name = dataset or ("table" if path is not None and _is_table(path) else "celeba")
    proposed = _proposed(path) if name == "table" and path is not None and not options else {}
    found = work.build(Registry.load(), name, proposed or dict(_option(text) for text in options))
    own = found.check(path) if path is not None else None
    checkup = own or work.examine(found.open(path))
    show(replace(checkup, facts=(*checkup.facts, *_told(proposed))), path or Path(name))
    mistakes = [*(_not_opened(found, path) if own else ()), *(f"{path or name}: {why}" for why in checkup.refused)]
    for mistake in mistakes:
        click.echo(mistake, err=True)
    return Code.BAD_INPUT if mistakes else Code.DONE


@data.command("make-faces")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--n",
    "images",
    type=click.IntRange(50, 999_999),
    default=20_000,
    show_default=True,
    help="How many images, five per person.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Other people for every seed.")
@click.option("--plain", is_flag=True, help="CelebA's own shares, without the enrichment of rare groups.")
@click.option("-j", "--workers", type=click.IntRange(min=1), help="Processes [one per core].")
def make_faces(folder: Path, images: int, seed: int, plain: bool, workers: int | None) -> int:
    """Render faces of nobody into FOLDER, in CelebA's file layout, with CelebA's joint statistics of attributes."""
    found = work.build(Registry.load(), "faces", {"images": images, "seed": seed, "enrich": not plain})
    opened = found.open(None)
    with _bar() as bar:
        task = bar.add_task("faces", total=len(opened))
        work.export(opened, folder, workers or cores(), lambda count: bar.advance(task, count))
    click.echo(f"{folder}: {len(opened):,} rendered images (SYNTHETIC). Next: auditkit run AUDIT --data {folder}")
    return 0


@data.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dataset", metavar="ID", default="celeba", show_default=True, help="Dataset plugin.")
def download(folder: Path, dataset: str) -> int:
    """Download a data set from its publisher into FOLDER (CelebA: non-commercial research only, 1.4 GB)."""
    work.build(Registry.load(), dataset, {}).download(folder)
    click.echo(f"{folder}: downloaded. Next: auditkit data check {folder}")
    return 0


def _is_table(path: Path) -> bool:
    """Whether a place is a file, or, where nothing is there, is called as a table is."""
    return path.is_file() or (not path.exists() and (is_parquet(path) or path.suffix.lower() == ".csv"))


def _proposed(path: Path) -> dict[str, Any]:
    """Options of the dataset `table` as `init` writes them; none where it cannot tell them."""
    try:
        columns = propose(read(path), path)
    except DataError:
        return {}
    names = tuple(name for name, _, _ in columns.attributes)
    told = {"image": columns.image, "identity": columns.identity, "split": columns.split, "attributes": names}
    return {key: value for key, value in told.items() if value is not None}


def _told(proposed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was taken for what, where no option said it."""
    if proposed:
        single = ", ".join(f"{key} {name!r}" for key, name in proposed.items() if key != "attributes")
        yield "columns", f"{single} (guessed; --option names others)"


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise AuditError(f"--option {text!r} is no KEY=VALUE", hint='as in --option image="path"')
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _not_opened(found: Dataset, path: Path | None) -> tuple[str, ...]:
    """What keeps a dataset from being opened, which may be nothing."""
    try:
        found.open(path)
    except AuditError as error:
        return (str(error),)
    return ()


def show(checkup: Checkup, path: Path) -> None:
    """Print what is known of a place."""
    click.echo(f"{path}: {checkup.verdict}")
    width = max((len(label) for label, _ in checkup.facts), default=0)
    for label, text in checkup.facts:
        click.echo(f"  {label:<{width}}  {text}")
    for problem in checkup.problems:
        click.echo(f"  ! {problem}")
    if checkup.groups:
        _print_groups(checkup)
    if checkup.shares:
        click.echo("\n  attributes, and the share of images that have them")
        _print_shares(checkup.shares)


def _print_groups(checkup: Checkup) -> None:
    known = any(count.expected is not None for count in checkup.groups)
    width = max(len(count.group) for count in checkup.groups)
    click.echo(f"\n  {'group':<{width}}  {'here':>9}" + (f"  {'official':>9}" if known else ""))
    for count in checkup.groups:
        official = "" if count.expected is None else f"  {count.expected:>9,}"
        differs = "  differs" if count.expected not in (None, count.found) else ""
        click.echo(f"  {count.group:<{width}}  {count.found:>9,}{official}{differs}")


def _print_shares(shares: Sequence[tuple[str, float | None]]) -> None:
    """In as many columns as the terminal has room for, read downwards."""
    width = max(len(name) for name, _ in shares)
    told = ((name, UNKNOWN if share is None else f"{100 * share:5.1f} %") for name, share in shares)
    cells = [f"{name:<{width}} {share}" for name, share in told]
    columns = max(1, (shutil.get_terminal_size().columns - 2) // (len(cells[0]) + 3))
    rows = -(-len(cells) // columns)
    for row in range(rows):
        click.echo("  " + "   ".join(cells[row::rows]))


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
