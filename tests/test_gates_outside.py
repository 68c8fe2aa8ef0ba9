"""Gates outside of the report: JUnit XML, GitHub's annotations and summary."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged_toys import SIMULATED, prepared, simulate
from junitparser import Failure, JUnitXml, Skipped
from report_toys import audit

from auditkit.evidence.results import Finding, GateRow, Results
from auditkit.report import github, junit, view
from auditkit.testing import AuditProject, audit_project

UNNAMED = "accuracy, arm oversampled, task Male, at least 0.999"
"""What the gate without a name is called, as by pytest."""


@pytest.fixture(scope="module")
def filled() -> AuditProject:
    """An audit whose three gates pass, fail and cannot be told; its store is filled without training."""
    project = audit_project({"audits/s.toml": SIMULATED})
    simulate(prepared(project.folder / "audits" / "s.toml", project.folder / ".auditkit"))
    return project


def test_junit_is_read_back(filled: AuditProject) -> None:
    filled.run("report", "audits/s.toml", "--quiet", "--junit", "out/gates.xml").assert_code(1)
    (suite,) = JUnitXml.fromfile(str(filled.folder / "out" / "gates.xml"))
    assert (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) == ("s", 3, 1, 0, 1)
    assert suite.time == 12.0
    passed, failed, skipped = suite
    assert [case.classname for case in suite] == ["auditkit.s"] * 3
    assert (passed.name, passed.time, passed.result) == ("young stay right", 6.0, [])
    assert failed.name == UNNAMED
    (failure,) = failed.result
    assert isinstance(failure, Failure)
    assert failure.message.startswith("accuracy of everyone, oversampled, task Male · at least 99.9 % · 8")
    assert failure.message.endswith("], plain interval")
    assert failure.text == "audits/s.toml:37"
    assert skipped.time == 12.0
    (skip,) = skipped.result
    assert isinstance(skip, Skipped)
    assert skip.message.startswith(
        "insufficient evidence: change in accuracy of everyone, oversampled against original"
    )
    assert " · at most 0.0 points · " in skip.message


def test_gates_on_a_metric_named_with_its_distribution(filled: AuditProject) -> None:
    filled.write({"audits/long.toml": SIMULATED.replace('"accuracy", "true', '"auditkit:accuracy", "true')})
    for name in ("s", "long"):
        filled.run("report", f"audits/{name}.toml", "--quiet", "--junit", f"{name}.xml").assert_code(1)
    assert filled.read("long.xml") == filled.read("s.xml").replace("audits/s.toml", "audits/long.toml").replace(
        'auditkit.s"', 'auditkit.long"'
    ).replace('name="s"', 'name="long"')


def test_quiet_names_the_gates_that_did_not_pass(filled: AuditProject) -> None:
    first, failed, undecided = filled.run("report", "audits/s.toml", "--quiet").assert_code(1).out.splitlines()
    assert first == "report  reports/s/report.html"
    assert failed.startswith(f"gate failed: {UNNAMED} · 8")
    assert failed.endswith(", plain interval (audits/s.toml:37)")
    assert undecided.startswith("gate insufficient evidence: cannot be told · at most 0.0 points · ")
    assert undecided.endswith(", oversampled against original (audits/s.toml:41)")


def test_junit_of_an_audit_without_gates_is_empty() -> None:
    (suite,) = JUnitXml.fromstring(junit.render("none", view.of(audit(), Results())).encode())
    assert (suite.tests, len(suite)) == (0, 0)


def test_run_writes_junit_too_and_a_wrong_place_is_told(filled: AuditProject) -> None:
    filled.run("run", "audits/s.toml", "--quiet", "--junit", "run.xml").assert_code(1)
    assert (filled.folder / "run.xml").is_file()
    outcome = filled.run("report", "audits/s.toml", "--quiet", "--junit", "audits").assert_code(2)
    assert outcome.err == "audits: cannot write the file: Is a directory\n"


def test_annotations_stand_on_the_gates_lines(filled: AuditProject, tmp_path: Path) -> None:
    on_github = AuditProject(filled.folder, {**filled.environment, "GITHUB_ACTIONS": "true"})
    lines = on_github.run("report", "audits/s.toml", "--quiet").assert_code(1).out.splitlines()
    error, warning = (line for line in lines if line.startswith("::"))
    title = UNNAMED.replace(",", "%2C")
    assert error.startswith(f"::error file=audits/s.toml,line=37,title=gate {title}%3A fail::accuracy of everyone, ")
    assert warning.startswith(
        "::warning file=audits/s.toml,line=41,title=gate cannot be told%3A insufficient evidence::"
    )
    assert not any(line.startswith("::") for line in filled.run("report", "audits/s.toml").out.splitlines())


def test_annotations_name_files_from_the_root_of_the_repository(filled: AuditProject) -> None:
    """Wherever the command was started."""
    where = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(filled.folder)}
    inside = AuditProject(filled.folder / "audits", {**filled.environment, **where})
    told = inside.run("report", "s.toml", "--quiet", "--store", "../.auditkit").assert_code(1).out
    assert "::error file=audits/s.toml,line=37," in told


def test_lines_follow_the_file_although_the_findings_are_stored(filled: AuditProject) -> None:
    on_github = AuditProject(filled.folder, {**filled.environment, "GITHUB_ACTIONS": "true"})
    on_github.run("report", "audits/s.toml", "--quiet").assert_code(1)
    stored = list(filled.folder.glob(".auditkit/findings/*.json"))
    filled.write({"audits/s.toml": SIMULATED.replace("[[gate]]", "# a remark\n\n[[gate]]", 1)})
    told = on_github.run("report", "audits/s.toml", "--quiet", "--junit", "moved.xml").assert_code(1).out
    filled.write({"audits/s.toml": SIMULATED})
    assert list(filled.folder.glob(".auditkit/findings/*.json")) == stored
    assert "::error file=audits/s.toml,line=39," in told
    assert 'line="39"' in filled.read("moved.xml")


def test_the_summary_is_added_to_the_jobs(filled: AuditProject, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    on_github = AuditProject(filled.folder, {**filled.environment, "GITHUB_STEP_SUMMARY": str(summary)})
    on_github.run("report", "audits/s.toml", "--quiet").assert_code(1)
    text = summary.read_text()
    assert text.startswith("# Before\n## Simulated\n\n> **SYNTHETIC DATA")
    assert f"| fail | {UNNAMED} · 8" in text
    assert "![" not in text


def test_what_github_reserves_is_escaped() -> None:
    gate = GateRow("a,b:c", "50% of\nall", "fail", None, place="x,y.toml:3")
    (line,) = github.commands(view.of(audit(), Results(gates=(gate,))))
    assert line == "::error file=x%2Cy.toml,line=3,title=gate a%2Cb%3Ac%3A fail::50%25 of%0Aall"


def test_a_gate_without_a_place_is_told_without_one() -> None:
    gate = GateRow("", "s", "insufficient evidence", Finding("Male", "oversampled", "accuracy"), "few")
    assert github.commands(view.of(audit(), Results(gates=(gate,)))) == (
        "::warning title=gate s%3A insufficient evidence::accuracy of everyone, oversampled, task Male · few",
    )
