"""The narrow waist between the wings: what a unit predicted for every image it was asked about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from auditkit.cohort import SPLITS
from auditkit.errors import DataError
from auditkit.replacing import replacing

COLUMNS = ("split", "row", "copy", "identity", "truth", "margin")
TYPES = {
    "split": np.int8,
    "row": np.int64,
    "copy": np.int64,
    "identity": np.int64,
    "truth": np.int8,
    "margin": np.float32,
}


def remedy(path: Path) -> str:
    """What to do about a damaged file of the store: one of a unit goes with the unit."""
    unit = path.parent if path.parent.parent.name == "units" else path
    return f"remove {unit}; the next run makes it again"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """One row per evaluated image of a unit.

    split: (n,) int8, an index into SPLITS; row: (n,) int64 in the data set; copy: (n,) int64, 0 is the image itself;
    identity: (n,) int64, -1 where unknown; truth: (n,) int8, 1 is the task's positive level; margin: (n,) float32,
    logit of positive minus logit of negative, so that a prediction is positive where margin > 0.
    """

    split: NDArray[np.int8]
    row: NDArray[np.int64]
    copy: NDArray[np.int64]
    identity: NDArray[np.int64]
    truth: NDArray[np.int8]
    margin: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in COLUMNS:
            values = np.ascontiguousarray(getattr(self, name), dtype=TYPES[name])
            object.__setattr__(self, name, values)
            if len(values) != len(self.row):
                raise ValueError(f"column {name!r} has {len(values)} values, not {len(self.row)}")
        if not np.isfinite(self.margin).all():
            raise ValueError("a logit margin is not finite")

    def __len__(self) -> int:
        return len(self.row)

    def splits(self) -> list[str]:
        """Names of the splits there are rows of."""
        return [SPLITS[code] for code in np.unique(self.split)]

    def on(self, split: str) -> Predictions:
        """The rows of one split."""
        return self.where(self.split == SPLITS.index(split))

    def where(self, mask: NDArray[np.bool_]) -> Predictions:
        """The rows at which `mask`, (n,) bool, is true."""
        return Predictions(*(getattr(self, name)[mask] for name in COLUMNS))


def joined(parts: Iterable[Predictions]) -> Predictions:
    """One table of several, one after another."""
    every = list(parts)
    columns: list[list[NDArray[Any]]] = [[np.zeros(0, TYPES[c]), *(getattr(p, c) for p in every)] for c in COLUMNS]
    return Predictions(*map(np.concatenate, columns))


def write(predictions: Predictions, path: Path) -> None:
    """Write Parquet; a reader meets the old file or the new one."""
    table = pa.table({name: getattr(predictions, name) for name in COLUMNS})
    with replacing(path) as aside:
        pq.write_table(table, aside, compression="zstd")


def read(path: Path) -> Predictions:
    """Read what `write` wrote."""
    try:
        table = pq.read_table(path, columns=list(COLUMNS))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read predictions: {error}", where=str(path), hint=remedy(path)) from error
    return Predictions(*(table[name].to_numpy() for name in COLUMNS))
