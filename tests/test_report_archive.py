"""Findings as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from findings_toys import ATTRIBUTES
from report_toys import results

from auditkit.errors import DataError
from auditkit.evidence.results import Results
from auditkit.report import archive


def test_json_gives_back_the_very_same_results() -> None:
    archived = json.loads(archive.to_json(results()))
    assert archived["schema"] == archive.SCHEMA
    again = archive.load(archived)
    assert again == results()
    spill = next(f for f in again.findings if f.family.startswith("spillover"))
    assert spill.at[0][1] is True, "a level keeps its type"


def test_facts_that_are_not_known_here_are_kept() -> None:
    facts = {"dataset": {"kind": "faces", "licence": "none"}, "weather": "rain"}
    archived = archive.dump(Results()) | {"facts": facts}
    assert archive.dump(archive.load(archived)) == archived


def test_nothing_gives_nothing() -> None:
    assert archive.load(archive.dump(Results())) == Results()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "other"}, "this is no findings file of auditkit"),
        ({"schema": 99}, "findings of schema 99, this auditkit reads 2"),
        ({"findings": [{"task": "Male"}]}, "findings.0.arm: findings cannot be read: Field required"),
        ({"facts": {"scale": "half"}}, "facts.scale: findings cannot be read: Input should be a valid number"),
    ],
)
def test_what_cannot_be_read_says_why(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError) as caught:
        archive.load(archive.dump(results()) | change)
    assert str(caught.value).startswith(message)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        archive.to_json(results(facts={"scale": float("nan")}))


def test_csv_is_tidy() -> None:
    rows = list(csv.DictReader(io.StringIO(archive.to_csv(results().findings))))
    assert len(rows) == len(results().findings)
    crossed = next(row for row in rows if row["over"] == "Male Young" and row["quantity"] == "value")
    assert crossed["at"] == "Male=0 Young=0"
    assert crossed["status"] == "not estimable"
    assert crossed["estimate"] == ""
    assert {row["over"] for row in rows} >= set(ATTRIBUTES)


def test_nested_findings_get_columns_of_their_own() -> None:
    rows = list(csv.DictReader(io.StringIO(archive.to_csv(results().gates))))
    assert float(rows[0]["finding_estimate"]) == 0.021
    assert rows[2]["finding_estimate"] == ""


def test_sentences_in_one_cell_have_semicolons_between() -> None:
    figure = replace(results().published[0], notes=("synthetic", "other protocol"))
    assert figure.ours is not None
    figure = replace(figure, ours=replace(figure.ours, over=("Big Nose", "Male")))
    (row,) = csv.DictReader(io.StringIO(archive.to_csv((figure,))))
    assert (row["ours_over"], row["notes"]) == ("Big Nose Male", "synthetic; other protocol")


@pytest.mark.parametrize("table", ["findings", "scan", "published", "gates"])
def test_columns_are_those_of_the_kind_whatever_there_is(table: str) -> None:
    """No column stands for a whole that has columns of its own, and one row has the columns that all have."""
    rows = getattr(results(), table)
    header = archive.to_csv(rows).splitlines()[0]
    assert {archive.to_csv((row,)).splitlines()[0] for row in rows} == {header}
    columns = header.split(",")
    assert [one for one in columns if any(other.startswith(f"{one}_low") for other in columns)] == []
    assert not {"probe", "finding_probe", "ours", "finding", "difference", "interval", "simultaneous"} & set(columns)


def test_tables_of_what_is_no_more_are_removed_and_foreign_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("mine")
    before = archive.write_csv(results(), tmp_path)
    assert tmp_path / "flips.csv" in before and tmp_path / "gates.csv" in before
    after = archive.write_csv(results(flips=(), gates=()), tmp_path)
    assert set(before) - set(after) == {tmp_path / "flips.csv", tmp_path / "gates.csv"}
    assert set(tmp_path.iterdir()) == {*after, tmp_path / "notes.csv"}


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    archive.write_csv(results(), tmp_path)
    before = (tmp_path / "flips.csv").read_text()
    strange = tuple(replace(flip, file_name="\ud800.jpg") for flip in results().flips)
    with pytest.raises(UnicodeEncodeError):
        archive.write_csv(results(flips=strange), tmp_path)
    assert (tmp_path / "flips.csv").read_text() == before
    assert not list(tmp_path.glob(".*"))
