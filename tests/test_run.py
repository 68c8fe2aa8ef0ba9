"""From an audit file to reports, through the command line, with real small networks on rendered faces."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from contextlib import chdir
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from run_toys import QUICK, STAND_IN, TOY

import auditkit.audit
from auditkit.engine.conclude import facts
from auditkit.engine.prepare import Prepared, Settings, prepare
from auditkit.testing import AuditProject, audit_project


@pytest.fixture(scope="module")
def finished() -> AuditProject:
    project = audit_project({"toy.toml": TOY})
    project.run("run", "toy.toml", *QUICK).assert_success()
    return project


def test_a_run_ends_with_reports_that_agree(finished: AuditProject) -> None:
    folder = finished.folder / "reports" / "toy"
    found = json.loads((folder / "findings.json").read_text())
    assert {"report.md", "report.html", "findings.json", "findings.csv"} <= {path.name for path in folder.iterdir()}
    assert "SYNTHETIC" in (folder / "report.md").read_text().splitlines()[0]
    assert {finding["arm"] for finding in found["findings"]} == {"original", "oversampled"}
    assert len(found["curves"]) == 4


def test_a_finished_audit_starts_no_worker_from_python_either(finished: AuditProject) -> None:
    """A worker could not start here: the script has no `if __name__ == "__main__":`, so it would begin itself again."""
    script = finished.folder / "again.py"
    script.write_text(
        "import auditkit.audit\nprint(len(auditkit.audit.run('toy.toml').results.curves))\n", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=finished.folder,
        env={**os.environ, **finished.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")


def test_from_python_all_can_be_chosen_that_the_command_line_can() -> None:
    assert {*auditkit.audit.Choices.__annotations__} == {field.name for field in fields(Settings)} - {"path"}


def test_running_again_trains_nothing_and_needs_no_torch(finished: AuditProject) -> None:
    code = (
        "import sys; from auditkit.cli import exit_code; code = exit_code(['run', 'toy.toml', '--quiet']);"
        "print(code, sorted({'torch', 'fairlearn'} & set(sys.modules)))"
    )
    environment = {**os.environ, **finished.environment}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=finished.folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "report  reports/toy/report.html\n0 []\n"


def test_a_report_names_the_command_that_makes_it_again(finished: AuditProject) -> None:
    finished.write({"moved/toy.toml": TOY})
    elsewhere = ("--store", str(finished.folder / ".auditkit"), "--reports", "others")
    for file in ("moved/toy.toml", "toy.toml"):
        finished.run("report", file, "--quiet", *elsewhere).assert_success()
        report = finished.read("others/toy/report.md")
        assert f"\n- **Command**: auditkit run {file}\n" in report
        assert report.endswith(f" · auditkit run {file}\n")


def test_a_report_is_rendered_again_from_the_store(finished: AuditProject) -> None:
    report = finished.folder / "reports" / "toy" / "report.md"
    before = report.read_text()
    report.unlink()
    finished.run("report", "toy.toml", "--quiet").assert_success()
    assert report.read_text() == before


def test_overrides_have_a_report_of_their_own_that_names_them(finished: AuditProject) -> None:
    plain = finished.folder / "reports" / "toy" / "report.md"
    before = plain.read_text()
    sets = ("--set", "evidence.margin=0.02", "--set", "evidence.minimum_images=20")
    finished.run("report", "toy.toml", "--quiet", *sets).assert_success()
    (other,) = (finished.folder / "reports").glob("toy-set-*")
    assert (
        "> **Overridden: evidence.margin = 0.02; evidence.minimum_images = 20.**" in (other / "report.md").read_text()
    )
    assert plain.read_text() == before and "Overridden" not in before
    again = ("--set", "evidence.minimum_images = 20", "--set", "evidence.margin=0.02")
    finished.run("report", "toy.toml", "--quiet", *again).assert_success()
    assert list((finished.folder / "reports").glob("toy-set-*")) == [other], "the order does not matter"


def test_units_that_were_trained_in_different_ways_are_said_to_differ() -> None:
    """As on a GPU on which the steps of one objective cannot be captured, and after an update; facts are rewritten."""
    project = audit_project({"toy.toml": TOY})
    project.run("run", "toy.toml", *QUICK).assert_success()
    with chdir(project.folder):
        ready = prepare(Settings(Path("toy.toml"), store=project.folder / ".auditkit"))
    units = [*ready.plan.units]
    assert [unit["steps"] for unit in facts(ready, units)["units"]] == ["eager"] * 4
    assert facts(ready, units)["warnings"] == []
    rewrite(ready, "steps", [["captured"], ["eager"], ["captured"], ["captured", "eager"]])
    found = facts(ready, units)
    assert [unit["steps"] for unit in found["units"]] == ["captured", "eager", "captured", "captured and eager"]
    assert found["warnings"] == ["units differ in steps (captured, captured and eager, eager); contrasts mix them"]

    rewrite(ready, "steps", [["captured"]] * 4)
    rewrite(ready, "own_kernels", [True, False, True, True])
    found = facts(ready, units)
    assert found["warnings"] == ["units differ in own kernels (with, without); contrasts mix them"]

    # As after an update: what is stored is not trained again.
    now = ready.store.facts(units[0].digest)["versions"]
    rewrite(ready, "own_kernels", [False] * 4)
    rewrite(ready, "versions", [now, {**now, "torch": "2.11.0"}, now, {"auditkit": "0.0.1"}])
    assert facts(ready, units)["warnings"] == [
        f"units differ in versions of auditkit (0.0.1, {now['auditkit']}); contrasts mix them",
        f"units differ in versions of torch (2.11.0, {now['torch']}); contrasts mix them",
    ]


def rewrite(ready: Prepared, fact: str, values: list[Any]) -> None:
    """Change what is stored about each unit, in the plan's order."""
    for unit, value in zip(ready.plan.units, values, strict=True):
        file = ready.store.unit(unit.digest) / "unit.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), fact: value}))


def test_a_plan_says_what_made_a_unit_stale(finished: AuditProject) -> None:
    units = json.loads(finished.run("plan", "toy.toml", "--json", "--set", "recipe.optimizer.lr=0.1").out)["units"]
    assert {(unit["state"], tuple(unit["because"])) for unit in units} == {("stale", ("recipe.optimizer.lr was 0.05",))}


def test_units_of_an_auditkit_that_trained_otherwise_are_stale(
    finished: AuditProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditkit.engine.plan.SCHEMA", 0)
    units = json.loads(finished.run("plan", "toy.toml", "--json").out)["units"]
    assert {unit["state"] for unit in units} == {"stale"}
    assert {tuple(unit["because"]) for unit in units} == {("an earlier auditkit trained it in another way",)}


def test_a_plan_tells_every_reason_whole_and_once(finished: AuditProject) -> None:
    narrow = AuditProject(finished.folder, {**finished.environment, "COLUMNS": "80"})
    sampler = 'arm[oversampled].sampler={ use = "balance", over = ["Male"] }'
    out = narrow.run("plan", "toy.toml", "--set", sampler, "--set", "recipe.optimizer.lr=0.125").assert_success().out
    lines = out.splitlines()
    assert lines[0].split() == ["arm", "task", "seed", "starts", "from", "rows", "visits", "state", "digest"]
    assert " ".join(" ".join(lines[5:]).split()).startswith(
        "2 units of original stale, because recipe.optimizer.lr was 0.05 "
        "2 units of oversampled stale, because the sampler was oversample; recipe.optimizer.lr was 0.05 "
        "4 units: 4 stale · "
    )
    out = narrow.run("plan", "toy.toml", "--set", "recipe.optimizer.lr=0.125").assert_success().out
    assert "  all 4 units stale, because recipe.optimizer.lr was 0.05\n" in out


def test_a_narrow_plan_shows_which_unit_is_which(finished: AuditProject) -> None:
    narrow = AuditProject(finished.folder, {**finished.environment, "COLUMNS": "40"})
    lines = narrow.run("plan", "toy.toml").assert_success().out.splitlines()
    assert lines[0].split() == ["arm", "task", "seed", "state"]
    assert lines[1].split() == ["original", "Male", "0", "done"]


def test_names_titles_evidence_and_places_are_no_part_of_a_digest(finished: AuditProject) -> None:
    other = TOY.replace('"Toy"', '"Other"').replace('name = "oversampled"', 'name = "renamed"').replace("200", "300", 1)
    other = other.replace('"true_positive_rate"', '"selection_rate"')
    finished.write({"other.toml": other})
    units = json.loads(finished.run("plan", "other.toml", "--json").out)["units"]
    assert {unit["state"] for unit in units} == {"done"}


def test_a_unit_that_fails_leaves_the_others() -> None:
    broken = TOY.replace('name = "oversampled"', 'name = "oversampled"\nrecipe = { optimizer = { lr = 1e30 } }')
    project = audit_project({"toy.toml": broken})
    outcome = project.run("run", "toy.toml", *QUICK).assert_code(3)
    assert "the loss is not finite" in outcome.out
    assert "lower recipe.optimizer.lr (now 1e+30)" in outcome.out
    units = json.loads(project.run("plan", "toy.toml", "--json").out)["units"]
    assert {unit["arm"]: unit["state"] for unit in units} == {"original": "done", "oversampled": "to run"}
    once_more = ("--device", "cpu", "--workers", "1", "--quiet")
    *failures, last = project.run("run", "toy.toml", *once_more).assert_code(3).out.splitlines()
    assert " ".join(failures).count("failed: ") == 2
    assert not any("accuracy" in line or "img/s" in line for line in failures)
    assert last == "report  reports/toy/report.html"


VALUE = 'finding = { task = "Male", arm = "original" }'
CHANGE = 'finding = { task = "Male", arm = "oversampled", quantity = "change" }'


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (f"{VALUE}\nat_most = 1.0", 0),
        (f"{VALUE}\nat_least = 1.0", 1),
        (f"{CHANGE}\nat_most = 0.0\nat_least = -0.00001", 4),
    ],
    ids=["pass", "fail", "insufficient evidence"],
)
def test_gates_decide_the_exit_code_and_the_answer_in_python(finished: AuditProject, gate: str, code: int) -> None:
    finished.write({"toy.toml": f"{TOY}\n[[gate]]\n{gate}\n"})
    finished.run("report", "toy.toml", "--quiet").assert_code(code)
    with chdir(finished.folder):
        assert auditkit.audit.run("toy.toml").passed == (code == 0)
    finished.write({"toy.toml": TOY})


def test_the_whole_report_is_printed_when_asked(finished: AuditProject) -> None:
    first = finished.run("report", "toy.toml").assert_success().out
    whole = finished.run("report", "toy.toml", "--all").assert_success().out
    assert "METHODS AND FORMULAS" not in first and "METHODS AND FORMULAS" in whole
    assert len(whole) > 3 * len(first)
    err = finished.run("report", "toy.toml", "--all", "--quiet").assert_code(2).err
    assert err.endswith("Error: --all and --quiet contradict each other\n")


def test_a_title_is_shown_as_it_is(finished: AuditProject) -> None:
    out = finished.run("run", "toy.toml", "--set", "audit.title='[/] [bold]so[/bold]'").assert_success().out
    assert out.splitlines()[0] == "toy · [/] [bold]so[/bold]"


def test_kept_findings_and_charts_that_are_damaged_are_made_again(finished: AuditProject) -> None:
    finished.run("report", "toy.toml").assert_success()
    before = finished.read("reports/toy/findings.json")
    kept = [*finished.folder.glob(".auditkit/findings/*.json"), *finished.folder.glob(".auditkit/charts/*.svg")]
    assert len(kept) > 3
    for path, text in zip(kept, itertools.cycle(("null", "{}", "<svg", "")), strict=False):
        path.write_text(text)
    finished.run("report", "toy.toml").assert_success()
    assert finished.read("reports/toy/findings.json") == before


def test_gates_are_not_judged_on_stand_in_data() -> None:
    gate = '\n[[gate]]\nfinding = { task = "Male", arm = "original" }\nat_least = 1.0\n'
    project = audit_project({"toy.toml": STAND_IN + gate})
    outcome = project.run("run", "toy.toml", *QUICK).assert_success()
    assert "gate not judged" in outcome.out
    assert "stand-in data" in outcome.out
    with chdir(project.folder):
        assert auditkit.audit.run("toy.toml", store=".auditkit", reports="reports").passed
