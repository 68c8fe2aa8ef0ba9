"""A table of four scans of three people with levels of several kinds, written as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from auditkit import OpenDataset
from auditkit_plugins.datasets.records import TableOptions
from auditkit_plugins.datasets.table import Table

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
