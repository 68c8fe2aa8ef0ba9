"""Other targets of an audit: which attributes are probed, under which keys, and the stored margins of their heads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from auditkit.cohort import Attributes, Rows
from auditkit.contracts import Level
from auditkit.errors import DataError
from auditkit.predictions import remedy
from auditkit.replacing import replacing
from auditkit.spec.model import EVERY, Evidence, Task

ROW = "row"


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to the frozen features: does `attribute` have the level `positive`?"""

    attribute: str
    positive: Level
    binary: bool

    @property
    def key(self) -> str:
        """Under which its margins are stored: "Smiling=1"."""
        return f"{self.attribute}={self.positive}"

    @property
    def name(self) -> str:
        """What a person calls it: the attribute, with the level where that is no plain yes."""
        return self.attribute if self.binary else self.key

    def truth(self, table: Attributes) -> NDArray[np.int8]:
        """(images,) int8: 1 at the positive level, 0 elsewhere, -1 where missing."""
        return table.truth(self.attribute, self.positive)


@dataclass(frozen=True, slots=True, eq=False)
class ProbeMargins:
    """Logit margins of a unit's heads. row: (n,) int64 in the data set; by key: (n,) float32, NaN without a head."""

    row: Rows
    margins: Mapping[str, NDArray[np.float32]] = field(repr=False)


def probes_of(evidence: Evidence, task: Task, levels: Mapping[str, tuple[Level, ...]]) -> tuple[Probe, ...]:
    """What [evidence] targets ask of a task's networks.

    Of an attribute with two levels the second is asked, of one with more every level; never the task's own target.
    """
    wanted = levels if EVERY in evidence.targets else evidence.targets
    return tuple(probe for name in wanted if name != task.target for probe in _of_attribute(name, levels[name]))


def _of_attribute(name: str, levels: tuple[Level, ...]) -> Iterator[Probe]:
    if len(levels) == 2:
        yield Probe(name, levels[1], binary=levels == (0, 1))
    elif len(levels) > 2:
        yield from (Probe(name, level, binary=False) for level in levels)


def write(found: ProbeMargins, path: Path) -> None:
    """Write Parquet; a reader meets the old file or the new one."""
    with replacing(path) as aside:
        pq.write_table(pa.table({ROW: found.row, **found.margins}), aside, compression="zstd")


def keys(path: Path) -> frozenset[str]:
    """The keys stored in a file, without reading its margins; none where there is no file."""
    if not path.is_file():
        return frozenset()
    try:
        return frozenset(pq.read_schema(path).names) - {ROW}
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read probes: {error}", where=str(path), hint=remedy(path)) from error


def read(path: Path) -> ProbeMargins:
    """Read what `write` wrote."""
    try:
        table = pq.read_table(path)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read probes: {error}", where=str(path), hint=remedy(path)) from error
    columns = {name: table[name].to_numpy() for name in table.column_names}
    return ProbeMargins(columns.pop(ROW), columns)


def joined(stored: ProbeMargins | None, more: ProbeMargins) -> ProbeMargins:
    """Stored margins with others added; those of other rows than the new ones are given up."""
    if stored is None or not np.array_equal(stored.row, more.row):
        return more
    return ProbeMargins(more.row, {**stored.margins, **more.margins})
