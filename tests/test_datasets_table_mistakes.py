"""The user's own table with mistakes: every one is told with its place, its cause and a remedy."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest
from anyone import run_as_anyone
from scans_toys import opened, write

from auditkit import DataError
from auditkit_plugins.datasets.records import TableOptions
from auditkit_plugins.datasets.table import Table

MISTAKES = {
    "missing column": (
        {},
        {"identity": "person"},
        "no column 'person' (option 'identity')\n  its columns are file, finding, device, sick, part, patient",
    ),
    "missing attribute": (
        {},
        {"attributes": ("sick", "ill")},
        "no column 'ill' (option 'attributes')\n  its columns are file, finding, device, sick, part, patient",
    ),
    "missing images": (
        {"file": ["a.png", "x.png", "y.png", "z.png"]},
        {},
        "3 of 4 images are missing (x.png, y.png, z.png)\n"
        "  paths are relative to {folder}; option 'root' names another folder; rows without an image can be left out",
    ),
    "no path": (
        {"file": ["a.png", None, "sub/c.png", "d.png"]},
        {},
        "1 row has no path in column 'file' (first: row 2)\n  every row must name an image file",
    ),
    "a path twice": (
        {"file": ["a.png", "a.png", "sub/c.png", "d.png"]},
        {},
        "1 image path of column 'file' is repeated (first: a.png in rows 1 and 2)\n"
        "  one row per image; an image on both sides of a split would flatter the test",
    ),
    "an attribute twice": (
        {},
        {"attributes": ("sick", "device", "sick")},
        "option 'attributes' names the column 'sick' twice\n  name it once",
    ),
    "one level": (
        {"sick": [1, 1, 1, 1]},
        {"attributes": ("finding", "sick")},
        "attribute 'sick' has only the level 1\n"
        "  an attribute needs two levels or more: leave the column out of option 'attributes'",
    ),
    "measured": (
        {"device": [0.5, 1.0, 2.0, 3.0]},
        {},
        "attribute 'device' has the value 0.5\n"
        "  levels are whole numbers, words or true and false: group the values, or leave the column out",
    ),
    "no split": (
        {"part": ["train", "holdout", "test", "train"]},
        {},
        "value 'holdout' in column 'part', row 2, is no split\n  splits are train, valid, test, or 0, 1, 2",
    ),
    "no identity": (
        {"patient": [None] * 4},
        {},
        "column 'patient' says of no image whose it is\n  name another column, or leave the option 'identity' out",
    ),
}


@pytest.mark.parametrize("name", ["scans.csv", "scans.parquet"])
@pytest.mark.parametrize(("changes", "options", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_every_mistake_has_place_cause_and_remedy(
    tmp_path: Path, name: str, changes: dict[str, object], options: dict[str, object], message: str
) -> None:
    place = write(tmp_path, name, **changes)
    with pytest.raises(DataError) as error:
        opened(place, **options)
    assert str(error.value) == f"{place}: {message}".replace("{folder}", str(tmp_path))


def test_too_many_levels_are_no_attribute(tmp_path: Path) -> None:
    files = [f"{number}.png" for number in range(70)]
    for file in files:
        (tmp_path / file).write_bytes(b"x")
    pv.write_csv(pa.table({"image": files, "age": list(range(70))}), tmp_path / "t.csv")
    with pytest.raises(DataError) as error:
        Table(TableOptions()).open(tmp_path / "t.csv")
    assert str(error.value) == (
        f"{tmp_path}/t.csv: attribute 'age' has 70 levels\n"
        "  at most 64; name the attributes with option 'attributes', or group the values"
    )


def test_a_place_that_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        opened(tmp_path / "none.csv")
    assert str(error.value) == f"{tmp_path}/none.csv: there is no such file\n  name a CSV or Parquet file"
    (tmp_path / "odd.csv").write_text("image,a\nx.png,1\ny.png,1,2\n")
    with pytest.raises(DataError) as error:
        opened(tmp_path / "odd.csv")
    assert str(error.value) == (
        f"{tmp_path}/odd.csv: cannot read the table: CSV parse error: Expected 2 columns, got 3: y.png,1,2\n"
        "  the first line must name the columns, every other line must have as many fields"
    )
    with pytest.raises(DataError) as error:
        Table(TableOptions()).open(None)
    assert str(error.value) == "this dataset needs a table\n  name a CSV or Parquet file with --data PATH"


def both_ways(place: Path) -> set[str]:
    """What is said of a table by whoever reads its header, and by whoever opens it."""
    with pytest.raises(DataError) as by_header:
        Table.attribute_levels(TableOptions(), place)
    with pytest.raises(DataError) as by_rows:
        Table(TableOptions()).open(place)
    return {str(by_header.value), str(by_rows.value)}


@pytest.mark.parametrize("name", ["twice.csv", "twice.parquet"])
def test_a_column_name_that_stands_twice_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "twice.csv").write_text("image,a,a\nx.png,1,2\ny.png,2,1\n")
    pq.write_table(pv.read_csv(tmp_path / "twice.csv"), tmp_path / "twice.parquet")
    assert both_ways(tmp_path / name) == {
        f"{tmp_path}/{name}: the header names the column 'a' more than once\n  give every column a name of its own"
    }


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "scans.parquet"
    place.write_bytes(b"PAR1, and then nothing of a table")
    (said,) = both_ways(place)
    assert said == (
        f"{place}: cannot read the table: Parquet magic bytes not found in footer. "
        "Either the file is corrupted or this is not a parquet file.\n"
        "  write the Parquet file again, or name a CSV file"
    )


@pytest.mark.parametrize("name", ["scans.csv", "scans.parquet"])
def test_a_table_that_may_not_be_read_is_told_with_its_remedy(tmp_path: Path, name: str) -> None:
    write(tmp_path, name).chmod(0)
    dataset = f'place = "{name}"\ndataset = {{ use = "table", image = "file" }}'
    audit = f'[audit]\ntitle = "x"\n[data]\n{dataset}\n[[task]]\ntarget = "sick"\n[[arm]]\nname = "a"\n'
    (tmp_path / "a.toml").write_text(audit)
    done = run_as_anyone("validate", "a.toml", folder=tmp_path)
    said = f"a.toml: names of attributes were not checked: {name}: cannot read the table: Permission denied\n"
    assert (done.returncode, done.stderr) == (2, f"{said}  let yourself read it (chmod u+rX), or name another place\n")


@pytest.mark.parametrize("options", [{}, {"attributes": ("sick",), "identity": "box"}, {"attributes": ("box", "sick")}])
def test_lists_are_no_levels_and_name_nobody(tmp_path: Path, options: dict[str, object]) -> None:
    place = write(tmp_path, "scans.parquet", box=[[1, 2]] * 4)
    with pytest.raises(DataError) as error:
        opened(place, **options)
    assert str(error.value) == (
        f"{place}: column 'box' holds list<element: int64>, which is neither a level nor a name\n"
        "  name the attributes with option 'attributes'; levels and identities are numbers or texts"
    )
