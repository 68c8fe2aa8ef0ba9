"""``auditkit compare``: what differs in two audits' files, beside what differs in their findings."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from auditkit.cli.console import Console
from auditkit.cli.options import settings, settings_options
from auditkit.cli.outcome import conclude
from auditkit.contracts import Condition
from auditkit.engine.comparing import Comparison, FileDifference, Side
from auditkit.engine.comparing import compare as derive
from auditkit.engine.prepare import prepare
from auditkit.engine.store import read_json
from auditkit.errors import DataError
from auditkit.evidence.compare import Difference
from auditkit.evidence.results import Finding
from auditkit.report import archive, numbers
from auditkit.report.numbers import Numbers, plural
from auditkit.spec.model import Selector
from auditkit.spec.sentences import selector_sentence

PLACE = click.Path(path_type=Path)
WHOLE = ("value", "signed_gap", "change")
"""Of findings that do not differ, those of the first metric and of these quantities are shown unasked."""


@click.command()
@click.argument("first", type=PLACE, metavar="A")
@click.argument("second", type=PLACE, metavar="B")
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--all", "everything", is_flag=True, help="Print every finding, not only the first metric's.")
def compare(first: Path, second: Path, as_json: bool, everything: bool, **values: Any) -> int:
    """Compare A and B: report folders (with their findings.json), or audit files whose units are in the store.

    Every difference is B less A, with a plain and a simultaneous interval; verdicts are decided on the latter. Of audit
    files on the same data, values and gaps are compared paired, on the same people; changes of arms, and reports, as if
    their people were different ones. Different protocols, tasks or confidence levels are refused; different data is a
    warning.
    """
    sides = [_side(path, dict(values)) for path in (first, second)]
    found = derive(*sides)
    if as_json:
        click.echo(json.dumps(_json(sides, found), ensure_ascii=False, allow_nan=False))
    else:
        _print(Console(highlight=False), sides, found, everything=everything)
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


def _print(console: Console, sides: list[Side], found: Comparison, *, everything: bool) -> None:
    console.print(f"A  {sides[0].label}\nB  {sides[1].label}", markup=False, soft_wrap=True)
    for warning in found.warnings:
        console.print(f"! {warning}", style="yellow", markup=False)
    console.print()
    console.print(_files(found.files) if found.files else "The files say the same.")
    console.print()
    shown = [one for one in found.findings if everything or _matters(one, found.findings[0].first.metric)]
    console.print(_findings(shown, numbers.of(sides[1].results)))
    console.print(_summary(found, len(shown)), markup=False)


def _files(files: tuple[FileDifference, ...]) -> Table:
    table = Table("in the files", "A", "B", box=None, pad_edge=False, header_style="bold")
    for one in files:
        table.add_row(one.key, *("" if value is None else json.dumps(value) for value in (one.first, one.second)))
    return table


def _matters(one: Difference, metric: str) -> bool:
    return one.verdict == "differs" or (one.first.metric == metric and one.first.quantity in WHOLE)


def _findings(shown: list[Difference], how: Numbers) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("in the findings", "A", "B", "B less A", "verdict"):
        table.add_column(name, overflow="fold")
    for one in shown:
        table.add_row(*_row(one, how))
    return table


def _row(one: Difference, how: Numbers) -> tuple[str, ...]:
    finding = one.first
    sides = [("" if f.estimate is None else how.of(f, f.estimate)) for f in (finding, one.second)]
    verdict = f"{one.verdict}: {one.reason}" if one.reason else one.verdict
    return (_sentence(finding), *sides, _difference(one, how), verdict)


def _difference(one: Difference, how: Numbers) -> str:
    if one.estimate is None:
        return ""
    return f"{how.difference(one.first, one.estimate, one.simultaneous or one.interval)} {one.how}"


def _sentence(finding: Finding) -> str:
    selector = Selector.model_construct(
        task=finding.task,
        arm=finding.arm,
        metric=finding.metric,
        over=finding.over,
        at=Condition(dict(finding.at)) if finding.at else None,
        quantity=finding.quantity,
        test="resampled" if finding.test == "resampled" else "plain",
        against=finding.against or None,
    )
    return selector_sentence(selector)


def _summary(found: Comparison, shown: int) -> str:
    tally: dict[str, int] = {}
    for one in found.findings:
        tally[one.verdict] = tally.get(one.verdict, 0) + 1
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.items(), key=lambda each: -each[1]))
    more = f"; {len(found.findings) - shown} not shown (--all)" if shown < len(found.findings) else ""
    first, second = found.unmatched
    alone = f"; {plural(first, 'finding')} only in A, {second} only in B" if first or second else ""
    return f"{plural(len(found.findings), 'finding')} compared: {told}{more}{alone}"
