"""The user's own table: CSV or Parquet, attributes of two or more levels, splits and identities if there are any."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest
from anyone import run_as_anyone

from auditkit import MISSING, DataError, OpenDataset
from auditkit.engine import formats
from auditkit.testing import audit_project
from auditkit_plugins.datasets.records import TableOptions
from auditkit_plugins.datasets.table import Table
from auditkit_plugins.datasets.table_file import PARQUET

COLUMNS = {
    "file": ["a.png", "b.png", "sub/c.png", "d.png"],
    "finding": ["none", "mild", "severe", "mild"],
    "device": [3, 5, 3, None],
    "sick": [True, False, True, True],
    "part": ["train", "VAL", "test", "train"],
    "patient": ["p7", "p7", "p2", "p1"],
}
OPTIONS = {"image": "file", "split": "part", "identity": "patient"}


def write(folder: Path, name: str = "scans.csv", **changes: object) -> Path:
    columns = {key: value for key, value in {**COLUMNS, **changes}.items() if value is not None}
    (folder / "sub").mkdir(exist_ok=True)
    for file in COLUMNS["file"]:
        (folder / str(file)).write_bytes(str(file).encode())
    table = pa.table(columns)
    if name.endswith("csv"):
        pv.write_csv(table, folder / name)
    else:
        pq.write_table(table, folder / name)
    return folder / name


def opened(place: Path, **options: object) -> OpenDataset:
    return Table(TableOptions.model_validate({**OPTIONS, **options})).open(place)


@pytest.mark.parametrize("name", ["scans.csv", "scans.parquet", "scans.pq", "SCANS.PARQUET"])
def test_a_table_is_read_with_levels_of_any_kind(tmp_path: Path, name: str) -> None:
    data = opened(write(tmp_path, name))
    assert data.attributes.names == ("finding", "device", "sick")
    assert data.attributes.levels == (("mild", "none", "severe"), (3, 5), (False, True))
    assert data.attributes.codes.tolist() == [[1, 0, 1], [0, 1, 0], [2, 0, 1], [0, -1, 1]]
    assert data.splits is not None and data.splits.tolist() == [0, 1, 2, 0]
    assert data.identities is not None and data.identities.tolist() == [0, 0, 1, 2]
    assert pickle.loads(pickle.dumps(data.images)).read(2) == b"sub/c.png"
    assert data.notes == ("attribute 'device' is missing in 1 image",)
    assert data.kind == f"own data, {name}"


def test_what_is_parquet_is_so_for_every_command() -> None:
    assert PARQUET == formats.PARQUET


def test_csv_and_parquet_are_the_same_data(tmp_path: Path) -> None:
    assert opened(write(tmp_path)).fingerprint == opened(write(tmp_path, "scans.parquet")).fingerprint


def test_the_fingerprint_follows_labels_and_files(tmp_path: Path) -> None:
    first = opened(write(tmp_path)).fingerprint
    assert opened(write(tmp_path, sick=[True, True, False, True])).fingerprint != first
    place = write(tmp_path)
    (tmp_path / "a.png").write_bytes(b"longer than before")
    assert opened(place).fingerprint != first


def test_without_split_and_identity_it_says_so(tmp_path: Path) -> None:
    data = opened(write(tmp_path, part=None, patient=None), split=None, identity=None, attributes=("sick",))
    assert (data.splits, data.identities) == (None, None)
    assert data.notes == (
        "no split column: train, valid and test are drawn by the audit",
        "no identity column: intervals treat every image as another person and may come out too narrow",
    )


@pytest.mark.parametrize("name", ["scans.csv", "scans.parquet"])
def test_a_column_that_tells_no_two_images_apart_is_left_out_and_said(tmp_path: Path, name: str) -> None:
    data = opened(write(tmp_path, name, site=["north"] * 4, dose=[0.5, None, 0.5, 0.5], device=[None] * 4))
    assert data.attributes.names == ("finding", "sick")
    assert data.notes == (
        "column 'device' has no value at all and is left out of the attributes",
        "column 'site' has only the level 'north' and is left out of the attributes",
        "column 'dose' has only the level 0.5 and is left out of the attributes",
    )


def test_an_audit_that_names_such_a_column_is_told_why_it_is_no_attribute(tmp_path: Path) -> None:
    place = write(tmp_path, site=["north"] * 4)
    files = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    dataset = '{ use = "table", image = "file", split = "part", identity = "patient" }'
    audit = f'[audit]\ntitle = "x"\n[data]\ndataset = {dataset}\n[[task]]\ntarget = "site"\n[[arm]]\nname = "a"\n'
    outcome = audit_project({"a.toml": audit, **files}).run("plan", "a.toml", "--data", place.name).assert_code(2)
    assert "a.toml:6:10: unknown attribute 'site' in task 'site'\n" in outcome.err
    assert "column 'site' has only the level 'north' and is left out of the attributes" in outcome.err


@pytest.mark.parametrize("name", ["scans.csv", "scans.parquet"])
@pytest.mark.parametrize("patients", [["p7", None, "p7", None], [7.0, None, 7.0, None]])
def test_whoever_is_unknown_is_a_person_of_their_own(tmp_path: Path, name: str, patients: list[object]) -> None:
    data = opened(write(tmp_path, name, patient=patients, device=None))
    assert data.identities is not None and data.identities.tolist() == [0, MISSING, 0, MISSING]
    assert data.notes == ("the identity is missing in 2 images: each counts as a person of its own",)


def test_a_number_that_is_none_is_no_identity(tmp_path: Path) -> None:
    data = opened(write(tmp_path, "scans.parquet", patient=[7.0, float("nan"), 7.0, float("nan")]))
    assert data.identities is not None and data.identities.tolist() == [0, MISSING, 0, MISSING]


def test_categories_are_read_as_the_values_that_they_stand_for(tmp_path: Path) -> None:
    place = write(tmp_path, "scans.parquet")
    plain = opened(place)
    pd.read_parquet(place).astype(dict.fromkeys(COLUMNS, "category")).to_parquet(place)
    assert any(pa.types.is_dictionary(kind) for kind in pq.read_schema(place).types)
    again = opened(place)
    assert again.attributes.levels == plain.attributes.levels
    assert again.fingerprint == plain.fingerprint


def test_paths_may_start_elsewhere(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "lists").mkdir()
    place = (tmp_path / "scans.csv").rename(tmp_path / "lists" / "scans.csv")
    assert opened(place, root="..").images.read(0) == b"a.png"


@pytest.mark.parametrize("name", ["scans.csv", "scans.parquet"])
def test_attribute_names_come_from_the_header(tmp_path: Path, name: str) -> None:
    place = write(tmp_path, name)
    options = TableOptions.model_validate(OPTIONS)
    assert dict(Table.attribute_levels(options, place)) == {"finding": (), "device": (), "sick": ()}
    named = TableOptions.model_validate({**OPTIONS, "attributes": ("sick",)})
    assert tuple(Table.attribute_levels(named, None)) == ("sick",)


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


def test_codes_are_small_integers(tmp_path: Path) -> None:
    assert opened(write(tmp_path)).attributes.codes.dtype == np.int8


@pytest.mark.parametrize("options", [{}, {"attributes": ("sick",), "identity": "box"}, {"attributes": ("box", "sick")}])
def test_lists_are_no_levels_and_name_nobody(tmp_path: Path, options: dict[str, object]) -> None:
    place = write(tmp_path, "scans.parquet", box=[[1, 2]] * 4)
    with pytest.raises(DataError) as error:
        opened(place, **options)
    assert str(error.value) == (
        f"{place}: column 'box' holds list<element: int64>, which is neither a level nor a name\n"
        "  name the attributes with option 'attributes'; levels and identities are numbers or texts"
    )


def test_a_number_that_is_none_is_a_missing_level(tmp_path: Path) -> None:
    place = write(tmp_path, "scans.parquet", device=pa.array([3.0, float("nan"), 5.0, None]))
    data = opened(place)
    assert data.attributes.levels_of("device") == (3, 5)
    assert data.attributes.column("device").tolist() == [0, MISSING, 1, MISSING]
