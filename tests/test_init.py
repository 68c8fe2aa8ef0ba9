"""``auditkit init --from``: what it makes of tables as they are found in the world."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
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
