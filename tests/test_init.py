"""``auditkit init``: a file to begin with, and what ``--from`` makes of tables as they are found in the world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from table_toys import picture

from auditkit.testing import audit_project

PHOTOS = 40
TABLE = "file,smiling,gender\n" + "".join(f"{n}.png,{n % 2},{'fm'[n % 3 == 0]}\n" for n in range(PHOTOS))


def test_an_empty_field_is_no_level_and_names_nobody() -> None:
    rows = "".join(f"{n}.png,{('a', 'b', 'c', 'd', '')[n % 5]},{n % 2},{n % 7 or ''}\n" for n in range(PHOTOS))
    pictures = {f"{n}.png": picture(n) for n in range(PHOTOS)}
    project = audit_project({"t.csv": f"file,race,smiling,person\n{rows}", **pictures})
    assert project.run("init", "--from", "t.csv", "a.toml").assert_success().err == ""
    text = project.read("a.toml")
    assert '\nidentity = "person"\n' in text and '""' not in text
    project.run("plan", "a.toml", "--profile", "small").assert_success()
    facts = project.run("data", "check", "t.csv", "--option", "image=file", "--option", "identity=person").out
    assert "images 40 people 6 " in " ".join(facts.split())


def test_a_column_of_people_that_names_nobody_is_left_out() -> None:
    project = audit_project({"t.csv": "person," + TABLE.replace("\n", "\n,").removesuffix(",")})
    project.run("init", "--from", "t.csv", "a.toml").assert_success()
    assert "\nidentity = " not in project.read("a.toml")


def test_it_says_where_images_are_missing() -> None:
    project = audit_project({"data/t.csv": TABLE, "data/0.png": picture(0)})
    told = project.run("init", "--from", "data/t.csv", "a.toml").assert_success()
    assert told.out == "a.toml: written. Next: auditkit plan a.toml\n"
    assert told.err == (
        "data/t.csv: 39 of 40 images are missing, the first at data/1.png\n"
        "  paths are relative to the table; option 'root' in [data.dataset] names another folder\n"
    )


def test_categories_are_values_and_dates_are_no_levels(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"file": [f"{n}.png" for n in range(PHOTOS)], "smiling": [0, 1] * 20, "gender": list("fm") * 20}
    )
    frame = frame.astype("category")
    frame["taken"] = pd.to_datetime(["2020-01-01", "2020-01-02"] * 20)
    frame.to_parquet(tmp_path / "t.parquet")
    project = audit_project({"t.parquet": (tmp_path / "t.parquet").read_bytes()})
    project.run("init", "--from", "t.parquet", "a.toml").assert_success()
    assert '\nimage = "file"\nattributes = ["smiling", "gender"]\n' in project.read("a.toml")


def proposed(table: str) -> str:
    """The audit that is made of a table."""
    project = audit_project({"t.csv": table})
    project.run("init", "--from", "t.csv", "a.toml").assert_success()
    return project.read("a.toml")


def rows(header: str, line: Callable[[int], str]) -> str:
    return f"file,smiling,gender,{header}\n" + "".join(
        f"{n}.png,{n % 2},{'fm'[n % 3 == 0]},{line(n)}\n" for n in range(PHOTOS)
    )


@pytest.mark.parametrize("name", ["Person Nr.", "subject_no", "PatientID", "person key"])
def test_people_are_found_under_the_names_that_they_go_by(name: str) -> None:
    text = proposed(rows(name, lambda n: f"P-{n // 3}"))
    assert f'\nidentity = "{name}"\n' in text and "who is who" not in text


def test_what_is_not_found_can_be_named() -> None:
    told = [line for line in proposed(rows("patient_age", lambda n: str(20 + n))).splitlines() if "no column" in line]
    assert told == [
        "# no column seems to say who is who: every image counts as another person; `identity` may name one",
        "# no column seems to say train, valid and test: people are split at random; `split` may name one",
    ]


def test_splits_are_found_by_what_they_say() -> None:
    text = proposed(rows("Teil", lambda n: ("train", "Val", "TEST")[n % 3]))
    assert '\nsplit = "Teil"\nattributes = ["smiling", "gender"]\n' in text
    assert 'valid   = { from = ["valid"] }\n' in text
    other = proposed(rows("Teil", lambda n: ("train", "holdout", "test")[n % 3]))
    assert "\nsplit = " not in other and 'attributes = ["smiling", "gender", "Teil"]' in other


def test_whole_numbers_with_a_point_are_levels() -> None:
    text = proposed(rows("glasses", lambda n: ("1.0", "0.0", "")[n % 3]))
    assert 'attributes = ["smiling", "gender", "glasses"]' in text
    assert "glasses" not in proposed(rows("glasses", lambda n: ("1.5", "0.0", "")[n % 3]))


@pytest.mark.parametrize("levels", [("nein", "ja"), ("no", "yes"), ("non", "Oui"), ("healthy", "Flu"), ("-1", "1")])
def test_the_positive_level_does_not_say_no(levels: tuple[str, str]) -> None:
    table = "file,sick,gender\n" + "".join(f"{n}.png,{levels[n % 2]},{'fm'[n % 3 == 0]}\n" for n in range(PHOTOS))
    positive = [line for line in proposed(table).splitlines() if line.startswith("positive")]
    assert positive == ([] if levels[1] == "1" else [f'positive = "{levels[1]}"'])


def test_numbers_that_are_none_and_lists_are_no_levels(tmp_path: Path) -> None:
    frame = {"file": [f"{n}.png" for n in range(PHOTOS)], "smiling": [0, 1] * 20, "box": [[1, 2]] * PHOTOS}
    pq.write_table(pa.table({**frame, "hat": pa.array([0.0, 1.0, float("nan"), 1.0] * 10)}), tmp_path / "t.parquet")
    project = audit_project({"t.parquet": (tmp_path / "t.parquet").read_bytes()})
    project.run("init", "--from", "t.parquet", "a.toml").assert_success()
    assert '\nattributes = ["smiling", "hat"]\n' in project.read("a.toml")


def test_init_writes_a_file_that_is_valid_and_never_overwrites_one() -> None:
    project = audit_project({})
    assert project.run("init").assert_success().out == "audit.toml: written. Next: auditkit plan audit.toml\n"
    assert "valid" in project.run("validate", "audit.toml").assert_success().out
    again = project.run("init").assert_code(2)
    assert again.err == "audit.toml: the file exists\n  --force overwrites it\n"
    project.run("init", "--force").assert_success()
    nowhere = project.run("init", "none/a.toml").assert_code(2)
    assert nowhere.err == "none/a.toml: cannot write the file: No such file or directory\n"


def test_init_into_a_folder_names_a_file_in_it() -> None:
    outcome = audit_project({"audits/other.txt": ""}).run("init", "audits", "--force").assert_code(2)
    assert outcome.err == "audits: this is a folder\n  name a file in it: auditkit init audits/audit.toml\n"


WITH_PEOPLE = "file,smiling,gender,person_id,partition,age\n" + "".join(
    f"{n}.jpg,{n % 2},{'fm'[n % 3 == 0]},{n // 4},{('train', 'val', 'test')[n % 3]},{n / 7}\n" for n in range(40)
)


def test_init_proposes_the_columns_of_a_table() -> None:
    project = audit_project({"data/t.csv": WITH_PEOPLE})
    project.run("init", "--from", "data/t.csv", "a.toml").assert_success()
    text = project.read("a.toml")
    for line in (
        'place   = "data/t.csv"',
        'image = "file"',
        'identity = "person_id"',
        'split = "partition"',
        'attributes = ["smiling", "gender"]',
        'target = "smiling"',
        'valid   = { from = ["valid"] }',
    ):
        assert f"\n{line}\n" in text
    assert 'where = { gender = "m" }' in text


def photos(number: int, *, split: bool) -> str:
    """A table in which every hundredth image is of gender m, four of each person."""
    lines = [f"{n}.jpg,{n % 2},{'fm'[n % 100 == 0]},{n // 4},{('train', 'test')[n % 4 == 0]}" for n in range(number)]
    table = "\n".join(["file,smiling,gender,person,split", *lines]) + "\n"
    return table if split else "".join(f"{line.rpartition(',')[0]}\n" for line in table.splitlines())


@pytest.mark.parametrize(
    ("rows", "split", "lines"),
    [
        (500, False, ['train   = { from = ["train", "valid"] }', "batch_size = 32", "budget     = { epochs = 9 }"]),
        (
            3_000,
            True,
            ['train   = { from = ["train"] }', "batch_size = 64", 'train = { from = ["train"], draw = 1_200 }'],
        ),
        (20_000, True, ['train   = { from = ["train"], draw = 10_000 }', "batch_size = 256", "batch_size = 64"]),
    ],
)
def test_init_fits_the_recipe_to_the_rows_and_holds_nobody_out(rows: int, split: bool, lines: list[str]) -> None:
    project = audit_project({"t.csv": photos(rows, split=split)})
    project.run("init", "--from", "t.csv", "a.toml").assert_success()
    text = project.read("a.toml")
    assert [line for line in lines if f"\n{line}\n" not in text] == []
    assert "hold_out" not in text and "seeds      = [0, 1, 2] " in text and "seeds      = [0, 1]" not in text
    assert "3 seeds" in project.run("validate", "a.toml", "--profile", "small").assert_success().out


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (True, "gender = m: 5 images of 5 people (needs 30 images of 10 people)"),
        (False, "gender = m: about 1 image of 1 person (needs 30 images of 10 people)"),
    ],
)
def test_init_says_which_levels_are_too_rare_in_the_test_set(split: bool, said: str) -> None:
    project = audit_project({"t.csv": photos(500, split=split)})
    project.run("init", "--from", "t.csv", "a.toml").assert_success()
    assert f"\n# not estimable, since rare in the test set: {said}\n[evidence]\n" in project.read("a.toml")


@pytest.mark.parametrize(("word", "there"), [("Validation", True), ("dev", True), ("1", True), ("later", False)])
def test_init_knows_the_words_for_splits_that_the_dataset_reads(word: str, there: bool) -> None:
    project = audit_project({"t.csv": WITH_PEOPLE.replace(",val,", f",{word},")})
    project.run("init", "--from", "t.csv", "a.toml").assert_success()
    assert ('valid   = { from = ["valid"] }' in project.read("a.toml")) is there


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a,b\n1,2\n", "t.csv: no column holds image files\n  one must hold file names that end in .jpg, .jpeg, .png, "
         ".webp; there are: a, b\n"),
        ("a,b\nx.jpg,1\ny.jpg,2\n", "t.csv: an audit needs two attributes, and 1 column has two to 12 levels\n"
         "  there are: a, b\n"),
        ("file,a,a\nx.jpg,1,2\n", "t.csv: the header names the column 'a' more than once\n"
         "  give every column a name of its own\n"),
        ("", "t.csv: cannot read the table: Empty CSV file\n"
         "  a CSV file in UTF-8, or a Parquet file, is read\n"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used(table: str, said: str) -> None:
    assert audit_project({"t.csv": table}).run("init", "--from", "t.csv", "a.toml").assert_code(2).err == said


def test_a_table_that_is_not_there() -> None:
    outcome = audit_project({}).run("init", "--from", "t.parquet", "a.toml").assert_code(2)
    assert outcome.err == "t.parquet: there is no such table\n"
