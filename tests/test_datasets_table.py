"""The user's own table: CSV or Parquet, attributes of two or more levels, splits and identities if there are any."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scans_toys import COLUMNS, OPTIONS, opened, write

from auditkit import MISSING
from auditkit.engine import formats
from auditkit.testing import audit_project
from auditkit_plugins.datasets.records import TableOptions
from auditkit_plugins.datasets.table import Table
from auditkit_plugins.datasets.table_file import PARQUET


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


def test_codes_are_small_integers(tmp_path: Path) -> None:
    assert opened(write(tmp_path)).attributes.codes.dtype == np.int8


def test_a_number_that_is_none_is_a_missing_level(tmp_path: Path) -> None:
    place = write(tmp_path, "scans.parquet", device=pa.array([3.0, float("nan"), 5.0, None]))
    data = opened(place)
    assert data.attributes.levels_of("device") == (3, 5)
    assert data.attributes.column("device").tolist() == [0, MISSING, 1, MISSING]
