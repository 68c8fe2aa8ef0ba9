"""``auditkit compare``: what differs in two audits' files, beside what differs in their findings."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from auditkit.cli.compared import Terminal
from auditkit.cli.console import Console, working
from auditkit.cli.options import settings, settings_options
from auditkit.cli.outcome import conclude
from auditkit.engine.comparing import Comparison, Side
from auditkit.engine.comparing import compare as derive
from auditkit.engine.prepare import prepare
from auditkit.engine.store import read_json
from auditkit.errors import DataError
from auditkit.report import archive

PLACE = click.Path(path_type=Path)


@click.command()
@click.argument("first", type=PLACE, metavar="A")
@click.argument("second", type=PLACE, metavar="B")
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option(
    "--all", "everything", is_flag=True, help="Print every finding, not only those that differ, and every value whole."
)
def compare(first: Path, second: Path, as_json: bool, everything: bool, **values: Any) -> int:
    """Compare A and B: report folders (with their findings.json), or audit files whose units are in the store.

    First how many findings differ, how many do not by more than A's margin, and how many cannot be told; then what
    differs in the files and in the findings. --all shows the rest, too.

    Every difference is B less A, with a plain and a simultaneous interval; verdicts are decided on the latter. Of audit
    files on the same data, values, gaps and changes are compared paired, on the same people; reports as if their people
    were different ones. Different protocols, tasks or confidence levels are refused; different data is a warning.
    """
    sides = [_side(path, dict(values)) for path in (first, second)]
    with working():
        found = derive(*sides)
    if as_json:
        click.echo(json.dumps(_json(sides, found), ensure_ascii=False, allow_nan=False))
    else:
        Terminal(Console(highlight=False), sides, found, everything).print()
    return 0


def _side(path: Path, values: dict[str, Any]) -> Side:
    if path.suffix == ".toml" and path.is_file():
        prepared = prepare(settings(path, values))
        if prepared.missing():
            raise prepared.not_trained()
        return Side(str(path), conclude(prepared), prepared)
    file = path / "findings.json" if path.is_dir() else path
    if not file.is_file() or file.suffix != ".json":
        said = "this is neither an audit file nor a report folder with a findings.json"
        raise DataError(said, where=str(path), hint="as in auditkit compare reports/a reports/b")
    try:
        written = datetime.fromtimestamp(file.stat().st_mtime).astimezone()
        return Side(str(path), archive.load(read_json(file, dict)), written=written)
    except DataError as error:
        whole = error.where in ("", str(file))
        hint = "name a folder of reports, or a findings.json, that auditkit wrote" if whole else error.hint
        raise DataError(error.message, where=str(file) if whole else f"{file}: {error.where}", hint=hint) from error


def _json(sides: list[Side], found: Comparison) -> dict[str, Any]:
    return {
        "kind": "auditkit comparison",
        "schema": 1,
        "first": sides[0].name,
        "second": sides[1].name,
        "sides": [_described(letter, side) for letter, side in zip("AB", sides, strict=True)],
        "warnings": list(found.warnings),
        "files": [asdict(one) for one in found.files],
        "findings": [asdict(one) for one in found.findings],
        "unmatched": list(found.unmatched),
    }


def _described(letter: str, side: Side) -> dict[str, Any]:
    return {
        "side": letter,
        "label": side.label,
        "name": side.name,
        "title": side.title,
        "kind": "report" if side.prepared is None else "audit file",
        "written": None if side.written is None else side.written.isoformat(timespec="seconds"),
    }
