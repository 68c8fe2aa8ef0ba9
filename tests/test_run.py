"""From an audit file to reports, through the command line, with real small networks on rendered faces."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import chdir, suppress
from dataclasses import fields
from pathlib import Path

import pytest
from run_toys import QUICK, TOY

import auditkit.audit
from auditkit.engine.conclude import facts
from auditkit.engine.executors import forks
from auditkit.engine.prepare import Settings, prepare
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


def test_what_findings_are_made_with_is_imported_while_workers_start() -> None:
    code = "import sys; from auditkit.cli.run import import_ahead; import_ahead().join(); print(*sys.modules)"
    imported = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())
    assert {"fairlearn.metrics", "jinja2", "vl_convert"} <= imported
    assert "torch" not in imported


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


def test_units_whose_steps_were_taken_in_different_ways_are_said_to_differ() -> None:
    """As on a GPU on which the steps of one objective cannot be captured; facts are rewritten for want of one."""
    project = audit_project({"toy.toml": TOY})
    project.run("run", "toy.toml", *QUICK).assert_success()
    with chdir(project.folder):
        ready = prepare(Settings(Path("toy.toml"), store=project.folder / ".auditkit"))
    units = [*ready.plan.units]
    assert [unit["steps"] for unit in facts(ready, units)["units"]] == ["eager"] * 4
    assert facts(ready, units)["warnings"] == []
    written = [["captured"], ["eager"], ["captured"], ["captured", "eager"]]
    for unit, steps in zip(units, written, strict=True):
        file = ready.store.unit(unit.digest) / "unit.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "steps": steps}))
    found = facts(ready, units)
    assert [unit["steps"] for unit in found["units"]] == ["captured", "eager", "captured", "captured and eager"]
    assert found["warnings"] == ["units differ in steps (captured, captured and eager, eager); contrasts mix them"]


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


def test_a_plan_counts_gates_and_figures_and_lists_them_when_asked() -> None:
    finding = '{ task = "Male", arm = "original" }'
    claims = f"""
[[gate]]
finding = {finding}
at_least = 0.5
[[published]]
where = "Table 1"
finding = {finding}
value = 0.9
[[published]]
where = "Table 2"
label = "images"
value = 100.0
"""
    project = audit_project({"toy.toml": TOY + claims, "away.toml": STAND_IN + claims})
    assert (
        project.run("plan", "toy.toml")
        .assert_success()
        .out.endswith(
            "not judged yet: 1 gate\nnot judged on synthetic data: 2 published figures (--figures lists them)\n"
        )
    )
    out = project.run("plan", "away.toml", "--figures").assert_success().out
    assert out.endswith(
        "not judged on stand-in data: accuracy, arm original, task Male, at least 0.5\n"
        "not judged on synthetic data: Table 1: accuracy, arm original, task Male = 0.9\n"
        "not judged on synthetic data: Table 2: images = 100\n"
    )
    assert "under a minute" in out


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


def test_a_report_of_nothing_names_the_command() -> None:
    project = audit_project({"toy.toml": TOY})
    outcome = project.run("report", "toy.toml").assert_code(2)
    assert outcome.err == (
        "toy.toml: 4 of its 4 units are not in the store .auditkit, such as Male · original · seed 0\n"
        "  train them: auditkit run toy.toml\n"
    )


@pytest.mark.parametrize("command", [["report"], ["scan"], ["show", "--image", "000001.jpg"], ["compare", "toy.toml"]])
def test_the_command_that_trains_repeats_what_was_asked(command: list[str]) -> None:
    project = audit_project({"my toy.toml": STAND_IN, "toy.toml": STAND_IN})
    asked = ["--scale", "0.5", "--store", "my store", "--set", 'recipe.init="none"', "--set", "recipe.seeds=[1]"]
    outcome = project.run(*command, "my toy.toml", *asked).assert_code(2)
    file = "toy.toml" if "compare" in command else "'my toy.toml'"
    options = "--scale 0.5 --store 'my store' --set 'recipe.init=\"none\"' --set 'recipe.seeds=[1]'"
    assert outcome.err.endswith(f"\n  train them: auditkit run {file} {options}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reports", "file"], "file/toy: cannot write the report: a file is in its place\n"
         "  name another folder with --reports\n"),
        (["--store", "file"], "file: cannot write to the store: a file is in its place\n"
         "  let yourself write there, or name another place with --store\n"),
        (["--store", "file/store"], "file/store: cannot write to the store: a file is in its place\n"
         "  let yourself write there, or name another place with --store\n"),
        (["--junit", "file/gates.xml"], "file: cannot write the JUnit file: a file is in its place\n"
         "  name another file with --junit\n"),
        (["--junit", "folder"], "folder: cannot write the JUnit file: Is a directory\n"
         "  name another file with --junit\n"),
    ],
)  # fmt: skip
def test_a_place_that_cannot_be_written_is_said_before_training(arguments: list[str], said: str) -> None:
    project = audit_project({"toy.toml": TOY, "file": "a file", "folder/inside": ""})
    assert project.run("run", "toy.toml", *QUICK, *arguments).assert_code(2).err == said
    assert sorted(path.name for path in project.folder.iterdir()) == ["file", "folder", "toy.toml"]


CELEBA = TOY.replace('{ use = "faces", images = 240 }', '"celeba"')
STAND_IN = CELEBA + '\n[stand_in]\ndataset = { use = "faces", images = 240 }\n'


def test_without_data_the_stand_in_is_planned_loudly_and_can_be_refused() -> None:
    project = audit_project({"toy.toml": STAND_IN})
    assert "SYNTHETIC" in project.run("plan", "toy.toml").assert_success().out
    refused = project.run("plan", "toy.toml", "--require-data").assert_code(2)
    assert "no data for dataset 'celeba'" in refused.err
    assert "--data PATH" in refused.err


def test_an_override_of_a_profile_takes_effect_with_it_and_is_refused_without() -> None:
    project = audit_project({"toy.toml": STAND_IN + 'profile = "short"\n[profile.short.recipe]\nseeds = [3]\n'})
    change = ("--set", "profile.short.recipe.seeds=[4, 5]")
    units = json.loads(project.run("plan", "toy.toml", "--json", *change).assert_success().out)["units"]
    assert {unit["seed"] for unit in units} == {4, 5}
    project.write({"faces.toml": TOY + "\n[profile.short.recipe]\nseeds = [3]\n"})
    assert project.run("plan", "faces.toml", *change).assert_code(2).err == (
        "--set #1: profile 'short' is not applied, so this changes nothing\n"
        "      | profile.short.recipe.seeds=[4, 5]\n"
        "      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ add --profile short\n"
        "1 mistake, nothing was run\n"
    )


@pytest.mark.parametrize("scale", ["inf", "nan", "-inf"])
def test_a_scale_that_is_no_number_is_refused(scale: str) -> None:
    outcome = audit_project({"toy.toml": TOY}).run("plan", "toy.toml", f"--scale={scale}").assert_code(2)
    assert "Invalid value for '--scale'" in outcome.err


def test_a_place_that_was_named_and_is_wrong_is_an_error() -> None:
    project = audit_project({"toy.toml": STAND_IN})
    assert "nowhere" in project.run("plan", "toy.toml", "--data", "nowhere").assert_code(2).err


def test_ctrl_c_stops_cleanly_and_the_same_command_continues() -> None:
    project = audit_project({"toy.toml": TOY.replace("epochs = 2", "epochs = 40")})
    process = started(project)
    wait_for_a_checkpoint(project.folder)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "interrupted; what is finished is kept, and the same command goes on from the last checkpoint\n"
    assert list(project.folder.glob(".auditkit/partial/*/checkpoint.safetensors"))
    out = project.run("plan", "toy.toml").assert_success().out
    assert sum(line.split()[-2:-1] == ["continue"] for line in out.splitlines()) == 1
    assert "4 units: 4 to run (1 to be continued from a checkpoint)" in out


def test_with_all_streams_closed_a_run_ends() -> None:
    """As daemons start jobs: the numbers of closed streams must not become those of a worker's pipes."""
    project = audit_project({"toy.toml": TOY})
    command = f"exec {shlex.join([sys.executable, '-m', 'auditkit', 'run', 'toy.toml', *QUICK])} <&- >&- 2>&-"
    environment = {**os.environ, **project.environment}
    done = subprocess.run(["sh", "-c", command], cwd=project.folder, env=environment, timeout=120, check=False)
    assert done.returncode == 0
    assert (project.folder / "reports" / "toy" / "report.md").is_file()


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


def test_a_run_never_imports_torch_where_it_was_started() -> None:
    project = audit_project({"toy.toml": TOY})
    code = (
        "import sys; from auditkit.cli import exit_code\n"
        f"assert exit_code({['run', 'toy.toml', *QUICK]}) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, **project.environment}
    found = subprocess.run([sys.executable, "-c", code], cwd=project.folder, env=environment, check=False)
    assert found.returncode == 0


STARTING = {
    "before": lambda servers: True,
    "a server starts": lambda servers: len(servers) == 1,
    "it imports torch": lambda servers: any(b"libtorch" in (server / "maps").read_bytes() for server in servers),
    "it has forked a worker": lambda servers: len(servers) > 1,
}
"""What is seen of the processes that workers are forked from and the workers, which look alike."""


@pytest.mark.skipif(not forks(), reason="workers are not forked here")
@pytest.mark.parametrize("moment", STARTING)
def test_ctrl_c_while_workers_start_says_no_more_than_that(moment: str) -> None:
    project = audit_project({"toy.toml": TOY})
    process = started(project)
    assert process.stdout is not None
    next(line for line in process.stdout if "training visits" in line)
    deadline = time.monotonic() + 60
    while not STARTING[moment](servers_of(process)):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    (line,) = err.strip().splitlines()
    assert line.startswith("interrupted")


def started(project: AuditProject) -> subprocess.Popen[str]:
    """A run as its own group of processes, which Ctrl-C reaches as a whole."""
    return subprocess.Popen(
        [sys.executable, "-m", "auditkit", "run", "toy.toml", *QUICK],
        cwd=project.folder,
        env={**os.environ, **project.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite run in the background ignores it
    )


def servers_of(process: subprocess.Popen[str]) -> list[Path]:
    """The folders in /proc of what workers are forked from, and of the workers, in the group of a run."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if os.getpgid(int(place.name)) == process.pid and b"forkserver" in (place / "cmdline").read_bytes():
                found.append(place)
    return found


def wait_for_a_checkpoint(folder: Path) -> None:
    deadline = time.monotonic() + 90
    while not list(folder.glob(".auditkit/partial/*/checkpoint.safetensors")):
        assert time.monotonic() < deadline, "no checkpoint was written"
        time.sleep(0.05)


def test_gates_are_not_judged_on_stand_in_data() -> None:
    gate = '\n[[gate]]\nfinding = { task = "Male", arm = "original" }\nat_least = 1.0\n'
    project = audit_project({"toy.toml": STAND_IN + gate})
    outcome = project.run("run", "toy.toml", *QUICK).assert_success()
    assert "gate not judged" in outcome.out
    assert "stand-in data" in outcome.out
    with chdir(project.folder):
        assert auditkit.audit.run("toy.toml", store=".auditkit", reports="reports").passed
