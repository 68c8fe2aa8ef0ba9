"""plugins and validate, as a person meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from installed_plugins import Install

from auditkit.cli import group
from auditkit.testing import audit_project

GOOD = """\
[audit]
title = "x"
[data]
dataset = "faces"
[[task]]
target = "Male"
[[arm]]
name = "a"
"""
HEAVY = ("torch", "pandas", "sklearn", "numpy", "pyarrow", "rich")


def imported(*arguments: str) -> set[str]:
    """The heavy packages that a command imports."""
    code = (
        "import sys\nfrom auditkit.cli import exit_code\n"
        f"assert exit_code({list(arguments)!r}) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1].replace("'", '"')))


@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "list"], ["plugins", "show", "oversample"], ["schema"]])
def test_listing_imports_nothing_heavy(arguments: list[str]) -> None:
    assert imported(*arguments) == set()


def test_validating_imports_neither_torch_nor_pandas() -> None:
    project = audit_project({"a.toml": GOOD})
    assert imported("validate", str(project.folder / "a.toml")) <= {"numpy", "pyarrow"}


def test_the_list_shows_every_component_and_what_did_not_load(install: Install) -> None:
    install("every_other", "misspelt")
    out = audit_project({}).run("plugins", "list").assert_success().out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "sampler every-other auditkit-every-other 0.1 Keep every k-th row of the rows that match." in lines
    assert lines[-2:] == [
        "! misspelt auditkit-misspelt 0.1 did not load: "
        "unknown hook 'auditkit_sampler'; did you mean 'auditkit_samplers'?",
        "Audits that do not use it run as usual.",
    ]


def test_the_list_as_json(install: Install) -> None:
    install("second_look", "broken")
    found = json.loads(audit_project({}).run("plugins", "list", "--json").assert_success().out)
    (ours,) = [one for one in found["components"] if one["id"] == "second-look"]
    assert ours["options"][0] == {
        "name": "first",
        "type": "arm",
        "required": True,
        "default": "",
        "meaning": "the arm whose errors are looked at again",
    }
    assert [one["distribution"] for one in found["broken"]] == ["auditkit-fancy"]


def test_a_component_is_shown_with_its_options(install: Install) -> None:
    install("second_look")
    out = audit_project({}).run("plugins", "show", "second-look").assert_success().out
    assert out == (
        "sampler second-look  (auditkit-second-look 1.2)\n"
        "Repeat the rows that another arm gets wrong on the training split.\n"
        "\n"
        "  first: arm (required)\n"
        "      the arm whose errors are looked at again\n"
        "  times: whole number, at least 1 = 2\n"
        "      extra rows for each error\n"
        "\n"
        "  made by auditkit_second_look:SecondLook, revision 1\n"
    )


def test_showing_what_does_not_exist() -> None:
    outcome = audit_project({}).run("plugins", "show", "oversampel").assert_code(2)
    assert outcome.err == "no plugin offers 'oversampel'\n  did you mean 'oversample'?\n"


def test_a_plugin_left_out_is_not_listed(install: Install) -> None:
    install("every_other")
    out = audit_project({}).run("plugins", "list", "-p", "no:every-other").assert_success().out
    assert "every-other" not in out


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command by the words that call it."""
    yield path
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from commands(inner, (*path, name))


@pytest.mark.parametrize("words", list(commands(group)), ids=" ".join)
def test_help_fits_into_eighty_columns(words: tuple[str, ...]) -> None:
    project = audit_project({}, {"COLUMNS": "80"})
    out = project.run(*words, "--help").assert_success().out
    assert [line for line in out.splitlines() if len(line) > 80] == []


def test_a_valid_file_is_summed_up() -> None:
    outcome = audit_project({"a.toml": GOOD, "b.toml": GOOD}).run("validate", "a.toml", "b.toml").assert_success()
    said = "valid · 1 task, 1 arm, 1 seed, dataset faces, 0 gates, 0 published figures, 0 profiles"
    assert outcome.out == f"a.toml: {said}\nb.toml: {said}\n"
    assert outcome.err == ""


TWO_ARMS = (
    GOOD
    + """\
[[arm]]
name = "more"
sampler = { use = "oversample", where = { Bald = 1 }, until = "balanced" }
[[gate]]
finding = { task = "Male", arm = "more" }
at_most = 0.9
[[gate]]
finding = { task = "Male", arm = "more", metric = "accuracy", quantity = "change", against = "a" }
at_most = 0.1
"""
)


def test_what_an_override_leaves_without_a_name_is_told_once_at_the_override() -> None:
    outcome = audit_project({"a.toml": TWO_ARMS}).run("validate", "a.toml", "--set", 'task=[{target="Young"}]')
    assert outcome.assert_code(2).err == (
        "--set #1: figures, gates or other places name a task that this leaves out\n"
        '      | task=[{target="Young"}]\n'
        "      | ^^^^^^^^^^^^^^^^^^^^^^^ "
        "2 do, the first: there is no task 'Male'; keep the names, or override those too\n"
        "1 mistake, nothing was run\n"
    )


def test_options_that_contradict_each_other_are_told_at_the_last_override() -> None:
    project = audit_project({"a.toml": TWO_ARMS})
    outcome = project.run("validate", "a.toml", "--set", "audit.title='y'", "--set", "arm[more].sampler.times=3")
    assert outcome.assert_code(2).err == (
        "--set #2: the options of sampler 'oversample' are wrong: "
        "give exactly one of until, times, extra and like; found until and times\n"
        "      | arm[more].sampler.times=3\n"
        "      | ^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "1 mistake, nothing was run\n"
    )


def test_one_bad_file_does_not_keep_the_others_from_being_checked() -> None:
    project = audit_project({"a.toml": GOOD.replace("Male", "Mael"), "c.toml": GOOD})
    outcome = project.run("validate", "a.toml", "b.toml", "c.toml").assert_code(2)
    assert "a.toml:6:10: unknown attribute 'Mael' in task 'Mael'" in outcome.err
    assert "b.toml: there is no such file" in outcome.err
    assert outcome.out.startswith("c.toml: valid")


def test_a_place_that_is_wrong_is_told_beside_the_mistakes() -> None:
    project = audit_project({"a.toml": GOOD.replace('"faces"', '"celeba"').replace('"a"', '"a b"')})
    outcome = project.run("validate", "a.toml", "--data", "nowhere").assert_code(2)
    assert "nowhere" in outcome.err
    assert "a.toml:8:8: 'name' in arm 'a b'" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rnu"], "There is no command 'rnu'; did you mean 'run'?"),
        (
            ["data", "chek"],
            "There is no command 'chek'; did you mean 'check'? there are 'check', 'download' and 'make-faces'",
        ),
        (["plugins", "zzz"], "There is no command 'zzz'; there are 'list' and 'show'"),
        (["data", "make-faces", "x", "--n", "3"], "Invalid value for '--n': 3 is not in the range 50<=x<=999999."),
    ],
)
def test_mistakes_in_the_words_of_a_command(words: list[str], said: str) -> None:
    assert audit_project({}).run(*words).assert_code(2).err.endswith(f"Error: {said}\n")


def test_a_plugin_that_is_not_there_cannot_be_left_out(install: Install) -> None:
    install("every_other")
    outcome = audit_project({"a.toml": GOOD}).run("validate", "a.toml", "-p", "every-othr").assert_code(2)
    assert outcome.err == (
        "--no-plugin: there is no plugin 'every-othr'\n  did you mean 'every-other'? there are 'builtin', 'auditkit', "
        "'every-other' and 'auditkit-every-other'\n"
    )
