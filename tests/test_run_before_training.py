"""What is said before anything is trained: of plans, stand-ins, overrides, and places that are missing or wrong."""

from __future__ import annotations

import json

import pytest
from run_toys import QUICK, STAND_IN, TOY

from auditkit.testing import audit_project


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
