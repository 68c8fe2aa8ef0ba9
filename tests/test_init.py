"""``auditkit init --from``: what it makes of tables as they are found in the world."""

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
