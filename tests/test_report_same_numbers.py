"""JSON and CSV carry the numbers that a reader sees, each in a table about its group, its arm and its contrast."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from findings_toys import ATTRIBUTES
from report_toys import audit, results, tables

from auditkit.report import archive, document, names
from auditkit.report.blocks import Table

Row = Mapping[str, Any]
NAMES = names.of(audit(), results())
ENDS = ("estimate", "interval_low", "interval_high")


@dataclass(frozen=True)
class Entry:
    """A cell of a table, the caption above it, and the words that lead to it: the row's names and the column's."""

    caption: str
    words: frozenset[str]
    text: str


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return [entry for table in tables(document.build(audit(), results())) for entry in entries_of(table)]


def entries_of(table: Table) -> Iterator[Entry]:
    for row in table.rows:
        led = {cell.text for cell in row[: table.heads]}
        for column, cell in zip(table.columns[table.heads :], row[table.heads :], strict=True):
            yield Entry(table.caption, frozenset({column, *led}), cell.text)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    archive.write_csv(results(), folder)
    return folder


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text(encoding="utf-8"))))


def written(number: float, quantity: str) -> str:
    """As people write it: percent or points with one decimal, a sign where it is a difference, none before zero."""
    text = f"{100 * number:.1f}" if quantity in {"value", "gap"} else f"{100 * number:+.1f}"
    return "0.0" if text.strip("+-") == "0.0" else text


def told(row: Row, prefix: str = "", which: str = "interval") -> str:
    quantity = row[f"{prefix}quantity"]
    return f"{written(float(row[f'{prefix}estimate']), quantity)} {interval(row, prefix, which)}"


def interval(row: Row, prefix: str = "", which: str = "interval") -> str:
    """The plain or the simultaneous interval in brackets."""
    quantity = row[f"{prefix}quantity"]
    ends = [float(row[f"{prefix}{which}_{end}"]) for end in ("low", "high")]
    told = [written(end, quantity) for end in ends]
    if quantity != "value" and (ends[0] > 0 or ends[1] < 0):
        told = [f"{100 * end:+.2f}" if text == "0.0" else text for end, text in zip(ends, told, strict=True)]
    return f"[{', '.join(told)}]"


def test_json_says_what_csv_says(files: Path) -> None:
    """Number by number, whatever its quantity."""
    dumped = archive.dump(results())
    pairs = [(row, "", finding) for row, finding in zip(rows_of(files, "findings"), dumped["findings"], strict=True)]
    for row, scanned in zip(rows_of(files, "scan"), dumped["scan"], strict=True):
        assert float(row["share_train"]) == scanned["share_train"]
        pairs += [(row, f"{name}_", scanned[name]) for name in ("error_inside", "error_outside")]
    for row, prefix, finding in pairs:
        interval = finding["interval"] or {"low": None, "high": None}
        known = (finding["estimate"], interval["low"], interval["high"])
        assert [row[prefix + name] for name in ENDS] == ["" if number is None else str(number) for number in known]
    assert {finding["quantity"] for _, _, finding in pairs} >= {"value", "gap", "signed_gap", "change", "change_in_gap"}


def test_csv_carries_the_declared_numbers_that_are_shown(files: Path, entries: list[Entry]) -> None:
    rows = [row for row in rows_of(files, "findings") if row["metric"] == "accuracy" and row["interval_low"]]
    signed = {(row["over"], row["at"]) for row in rows if row["quantity"] == "signed_gap"}
    checked: Counter[str] = Counter()
    for row, finding in zip(rows, results_of(rows), strict=True):
        over_all = row["quantity"] == "gap" and (row["over"], row["at"]) in signed
        if row["family"].startswith("spillover") or row["quantity"] == "change_in_signed_gap" or over_all:
            continue
        pair = NAMES.pair(finding)
        about = {"change_in_gap": f"gap {pair}", "gap": pair, "signed_gap": pair}
        words = {about.get(row["quantity"], NAMES.group(finding.at)), NAMES.arm(row["arm"])}
        texts = {e.text for e in entries if words <= e.words and row["against"] in e.caption}
        assert shown(row) <= texts, row
        checked[row["quantity"]] += 1
    assert checked == {"value": 18, "change": 18, "change_in_gap": 3, "signed_gap": 6}


def shown(row: Row) -> set[str]:
    """A change with its simultaneous interval, and the plain one beside; of everything else the plain one."""
    return {told(row, which="simultaneous"), interval(row)} if row["against"] else {told(row)}


def results_of(rows: list[dict[str, str]]) -> list[Any]:
    """The findings that rows were made of."""
    return [f for f in results().findings if f.metric == "accuracy" and f.interval is not None][: len(rows)]


def test_csv_carries_the_spillover_that_is_shown(files: Path, entries: list[Entry]) -> None:
    rows = [row for row in rows_of(files, "findings") if row["family"].startswith("spillover")]
    for row in rows:
        name = NAMES.group(((row["over"], True),))
        clear = float(row["simultaneous_low"]) > 0 or float(row["simultaneous_high"]) < 0
        text = told(row) + (" *" if clear else "")
        noise = f"\N{PLUS-MINUS SIGN}{100 * float(row['noise']):.1f}"
        mine = [e for e in entries if name in e.words and e.caption.endswith(f"in points, against {row['against']}")]
        assert Entry(mine[0].caption, frozenset({name, row["arm"]}), text) in mine
        assert Entry(mine[0].caption, frozenset({name, "seeds alone"}), noise) in mine
    assert len(rows) == 2 * len(ATTRIBUTES)


def test_csv_carries_the_scan_that_is_shown(files: Path, entries: list[Entry]) -> None:
    rows = rows_of(files, "scan")
    for row in rows:
        name = NAMES.level(row["attribute"], int(row["minority"]))
        mine = {next(iter(e.words - {name})): e.text for e in entries if name in e.words and "errors" in e.caption}
        assert mine["% of train"] == f"{100 * float(row['share_train']):.1f}"
        assert mine["error outside %"] == told(row, "error_outside_")
        if row["error_inside_interval_low"]:
            assert mine["error inside %"] == told(row, "error_inside_")
        else:
            assert mine["error inside %"].startswith("not estimable")
    assert len(rows) == 4
