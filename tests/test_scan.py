"""``auditkit scan``: Table 3 for every attribute, from stored findings."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest
from probed_toys import TOY, prepared, story
from table_toys import AUDIT, QUICK
from table_toys import project as photos

from auditkit.testing import AuditProject, audit_project


@pytest.fixture(scope="module")
def project() -> AuditProject:
    return story().project


def scanned(project: AuditProject, *options: str, audit: str = "toy.toml") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.run("scan", audit, "--json", *options).assert_success().out)
    return found


def test_every_attribute_is_there_with_the_shares_of_the_training_pool(project: AuditProject) -> None:
    ready = prepared(project)
    table, train = ready.dataset.attributes, ready.pools.train
    found = scanned(project)
    assert [row["attribute"] for row in found] == list(table.names)
    for row in found:
        column = table.column(row["attribute"])[train]
        counts = np.bincount(column, minlength=2)
        assert row["share_train"] == pytest.approx((column == row["minority"]).mean())
        assert counts[row["minority"]] == counts[counts > 0].min()
        if row["attribute"] != "Male":
            male = table.column("Male")[train][column == row["minority"]]
            share = dict(row["share_by"])["Male=1"]
            assert share == pytest.approx(male.mean())


def test_it_says_on_which_images_the_errors_were_measured(project: AuditProject) -> None:
    assert len(prepared(project).pools.valid)
    assert {row["split"] for row in scanned(project)} == {"valid"}
    printed = " ".join(project.run("scan", "toy.toml").assert_success().out.split())
    assert "inside and outside of it, measured on the validation images." in printed


def test_the_terminal_says_what_the_report_says(project: AuditProject) -> None:
    report = project.read("reports/toy/report.md")
    printed = project.run("scan", "toy.toml").assert_success().out
    assert "SYNTHETIC" in printed.splitlines()[0]
    for row in scanned(project):
        name = row["attribute"] if row["minority"] else f"not {row['attribute']}"
        share = f"{100 * row['share_train']:.1f}"
        assert any(line.strip().startswith(f"{name} ") and f" {share} " in line for line in printed.splitlines())
        assert f"| {name} | {share} |" in report


@pytest.mark.parametrize("sort", ["share", "error", "difference", "attribute"])
def test_it_can_be_sorted_and_what_is_not_estimable_comes_last(project: AuditProject, sort: str) -> None:
    rows = scanned(project, "--sort", sort)
    keys = {
        "share": [row["share_train"] for row in rows],
        "attribute": [row["attribute"] for row in rows],
        "error": [largest_first(row["error_inside"]) for row in rows],
        "difference": [largest_first(row["difference"]) for row in rows],
    }[sort]
    assert keys == sorted(keys)
    assert len(rows) == 40


def largest_first(finding: dict[str, Any]) -> float:
    return float("inf") if finding["estimate"] is None else -finding["estimate"]


def test_a_share_of_nothing_is_unknown_and_not_0() -> None:
    made = photos(AUDIT + '[evidence]\nreplicates = 200\ngroups = [["Smiling"]]\n', Bald="train")
    made.run("run", "a.toml", *QUICK).assert_success()
    (row,) = [row for row in scanned(made, audit="a.toml") if row["attribute"] == "Bald"]
    assert (row["share_train"], row["share_valid"], row["share_by"]) == (None, 0.5, [["Smiling=1", None]])
    told = [line.split() for line in made.run("scan", "a.toml").assert_success().out.splitlines() if "Bald" in line]
    assert told[0][:5] == ["not", "Bald", "unknown", "50.0", "unknown"]
    assert "| not Bald | unknown | 50.0 | unknown |" in made.read("reports/a/report.md")
    assert ">unknown</td>" in made.read("reports/a/report.html")
    assert "Smiling,Bald,0,,0.5,Smiling=1=," in made.read("reports/a/scan.csv")
    assert [row["attribute"] for row in scanned(made, "--sort", "share", audit="a.toml")] == ["Smiling", "Bald"]


def test_it_fits_80_columns(project: AuditProject) -> None:
    narrow = AuditProject(project.folder, {**project.environment, "COLUMNS": "80"})
    assert max(map(len, narrow.run("scan", "toy.toml").assert_success().out.splitlines())) <= 80


def test_an_audit_without_a_scan_says_so(project: AuditProject) -> None:
    project.write({"none.toml": TOY + "scan = false\n"})
    outcome = project.run("scan", "none.toml").assert_code(2)
    assert outcome.err == "none.toml: the audit asks for no scan\n  set evidence.scan = true\n"


def test_without_predictions_of_the_reference_arm_the_command_is_named(project: AuditProject) -> None:
    ready = prepared(project, "toy.toml")
    for unit in ready.plan.units:
        if unit.arm.name != "original":
            shutil.copytree(ready.store.unit(unit.digest), project.folder / "other" / "units" / unit.digest)
    outcome = project.run("scan", "toy.toml", "--store", "other").assert_code(2)
    assert outcome.err == (
        "toy.toml: the reference arm has no predictions to scan\n  train it: auditkit run toy.toml --store other\n"
    )


def test_before_any_training_the_command_is_named() -> None:
    outcome = audit_project({"toy.toml": TOY}).run("scan", "toy.toml").assert_code(2)
    assert outcome.err == (
        "toy.toml: 4 of its 4 units are not in the store .auditkit, such as Male · original · seed 0\n"
        "  train them: auditkit run toy.toml\n"
    )
