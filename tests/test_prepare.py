"""Where the data of an audit is looked for, and what is said where it is not."""

from __future__ import annotations

import pytest
from anyone import run_as_anyone
from table_toys import AUDIT, QUICK, project

from auditkit.testing import AuditProject, audit_project

NO_PLACE = AUDIT.replace('place = "images.csv"\n', "")


def at_the_default_place(audit: str = NO_PLACE) -> AuditProject:
    made = project(audit)
    (made.folder / "data").mkdir()
    for file in [*made.folder.glob("*.png"), made.folder / "images.csv"]:
        file.rename(made.folder / "data" / file.name.replace("images", "table"))
    return made


def test_a_table_at_the_default_place_is_found() -> None:
    out = at_the_default_place().run("plan", "a.toml").assert_success().out
    assert "original" in out


def test_names_in_a_table_at_the_default_place_are_checked_when_it_is_opened() -> None:
    made = at_the_default_place(NO_PLACE.replace('target = "Smiling"', 'target = "Smilling"'))
    assert made.run("plan", "a.toml").assert_code(2).err == (
        "a.toml:9:10: unknown attribute 'Smilling' in task 'Smilling'\n"
        '    9 | target = "Smilling"\n'
        "      |          ^^^^^^^^^^ did you mean 'Smiling'? there are 'Smiling' and 'Bald'\n"
        "1 mistake, nothing was run\n"
    )


def test_without_a_table_that_is_told_and_names_are_left_open() -> None:
    made = project(NO_PLACE)
    assert made.run("plan", "a.toml").assert_code(2).err == (
        "no data for dataset 'table': nothing was named, and data/table.csv is missing or empty\n"
        "  name the place with --data PATH, the variable AUDITKIT_DATA or [data] place\n"
    )
    told = made.run("validate", "a.toml").assert_success()
    assert told.err == (
        "a.toml: names of attributes were not checked: dataset 'table' knows them from its data only; name the place "
        "with --data\n"
    )
    assert told.out.startswith("a.toml: valid · 1 task, 1 arm")


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_data_that_is_no_table_of_keys_is_a_mistake_and_no_place(command: str) -> None:
    text = 'data = 3\n[audit]\ntitle = "x"\n[[task]]\ntarget = "Male"\n[[arm]]\nname = "a"\n'
    assert audit_project({"a.toml": text}).run(command, "a.toml").assert_code(2).err == (
        "a.toml:1:8: [data] must be a table, found the number 3\n"
        "    1 | data = 3\n"
        "      |        ^\n"
        "1 mistake, nothing was run\n"
    )


def test_a_default_place_that_may_not_be_looked_into_is_told() -> None:
    made = project(NO_PLACE.replace('{ use = "table", split = "part" }', '"celeba"'))
    folder = made.folder / "data" / "celeba"
    folder.mkdir(parents=True)
    folder.chmod(0o000)
    try:
        done = run_as_anyone("plan", "a.toml", folder=made.folder)
    finally:
        folder.chmod(0o755)
    assert (done.returncode, done.stderr) == (
        2,
        "data/celeba: cannot look into the folder: Permission denied\n"
        "  let yourself read it, or name another place with --data PATH\n",
    )


def test_a_checkpoint_that_is_not_there_is_told() -> None:
    made = project(AUDIT.replace('init = "none"', 'init = "checkpoint:mine.safetensors"'))
    said = "mine.safetensors: cannot read the checkpoint: No such file or directory\n"
    assert made.run("plan", "a.toml").assert_code(2).err == said


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_scale_that_changes_nothing_is_refused(command: str) -> None:
    assert project(AUDIT).run(command, "a.toml", "--scale", "0.5").assert_code(2).err == (
        "--scale: a.toml names no number of images, so this changes nothing\n"
        "  leave it out, or say how many images to draw, as in train = { draw = 1000 } in [data]\n"
    )


@pytest.mark.parametrize(
    ("dataset", "column", "mark"), [('{ use = "faces", images = 400 }', 37, "^^^"), ('"faces"', 11, "^^^^^^^")]
)
def test_a_scale_that_breaks_the_limit_of_an_option_is_refused(dataset: str, column: int, mark: str) -> None:
    images = 400 if "400" in dataset else 2_000
    audit = f'[audit]\ntitle = "x"\n[data]\ndataset = {dataset}\n[[task]]\ntarget = "Male"\n[[arm]]\nname = "a"\n'
    outcome = audit_project({"a.toml": audit}).run("plan", "a.toml", "--scale", "0.01").assert_code(2)
    assert outcome.err == (
        f"a.toml:4:{column}: option 'images' of dataset 'faces' must be at least 50, found the number {images // 100}\n"
        f"    4 | dataset = {dataset}\n"
        f"      | {' ' * (column - 1)}{mark} --scale 0.01 makes {images // 100} of {images:,}: choose another scale\n"
        "1 mistake, nothing was run\n"
    )


def test_a_scale_may_be_of_a_pool_a_cell_or_an_option() -> None:
    drawn = AUDIT.replace('from = ["train"]', 'from = ["train"], draw = 8')
    assert " 4 " in project(drawn).run("plan", "a.toml", "--scale", "0.5").assert_success().out
    rendered = NO_PLACE.replace('{ use = "table", split = "part" }', '"faces"')
    audit_project({"a.toml": rendered}).run("plan", "a.toml", "--scale", "0.5").assert_success()


def test_a_place_that_the_environment_overrules_is_told() -> None:
    made = project(AUDIT, {"AUDITKIT_DATA": "other.csv"})
    told = "AUDITKIT_DATA goes before 'place' in [data]: the data is taken from other.csv, not from images.csv\n"
    (made.folder / "images.csv").rename(made.folder / "other.csv")
    assert made.run("validate", "a.toml").assert_success().err == f"a.toml: {told}"
    loud = [word for word in QUICK if word != "--quiet"]
    assert "\n! AUDITKIT_DATA goes before 'place' in [data]" in made.run("run", "a.toml", *loud).assert_success().out
    assert "AUDITKIT_DATA" not in made.run("validate", "a.toml", "--data", "other.csv").assert_success().err
    same = project(AUDIT, {"AUDITKIT_DATA": "images.csv"})
    assert same.run("validate", "a.toml").assert_success().err == ""
