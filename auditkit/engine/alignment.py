"""Which lines of a table of predictions are about the same image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.errors import DataError

Codes = NDArray[np.int64]
MATCHED = (
    "the images of all arms and seeds were matched by the order of their rows, in which truth and groups agree; --row "
    "names them for certain"
)
ARMS_APART = (
    "the images of different arms could not be matched, so every arm is taken to be tested on images of its own: "
)
BY_PERSON = "images are counted for each arm, and changes are paired by person only; --row matches images"
UNPAIRED = (
    "changes are between different images, and their intervals are wider than those of a paired comparison; --row "
    "matches them"
)
SEEDS_APART = "the images of different seeds could not be matched either; each seed counts as tested on its own"


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of a table.

    arm, seed: (lines,) positions in `arms` and `seeds`. `same` are columns that must be the same in all lines of one
    image: truth, attributes, identity. row: (lines,) positions in `names`, or None where images have no names; people:
    whether identities are known.
    """

    path: Path
    arm: Codes
    seed: Codes
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    same: Mapping[str, Codes]
    row: Codes | None
    names: tuple[str, ...]
    people: bool = False

    @property
    def unit(self) -> Codes:
        """(lines,) number of the arm and seed."""
        return self.arm * len(self.seeds) + self.seed


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """row: (lines,) number of the image; first: (rows,) a line of each image; `names` by that number."""

    row: Codes
    first: Codes
    names: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of images."""
        return len(self.first)


def align(lines: Lines) -> Alignment:
    """Match lines by the names of images, or else by their order where nothing speaks against it.

    Raises:
        DataError: an image stands twice for one arm and seed, or its truth, groups or identity differ between lines.
    """
    if lines.row is None:
        return _by_order(lines)
    _no_duplicates(lines, lines.row)
    first = np.unique(lines.row, return_index=True)[1]
    for name, column in lines.same.items():
        differs = np.flatnonzero(column[first][lines.row] != column)
        if len(differs):
            said = f"column {name!r} differs between the lines of image {lines.names[lines.row[differs[0]]]!r}"
            raise DataError(said, where=str(lines.path), hint="an image is the same in every arm and seed")
    return Alignment(lines.row, first, lines.names)


def _no_duplicates(lines: Lines, row: Codes) -> None:
    place, count = np.unique(lines.unit * len(lines.names) + row, return_counts=True)
    if (count > 1).any():
        unit, image = divmod(int(place[np.argmax(count > 1)]), len(lines.names))
        arm, seed = lines.arms[unit // len(lines.seeds)], lines.seeds[unit % len(lines.seeds)]
        said = f"image {lines.names[image]!r} stands {int(count[count > 1][0])} times for arm {arm!r}, seed {seed}"
        hint = "--arm and --seed name the columns that tell its lines apart; of lines that are the same leave one"
        raise DataError(said, where=str(lines.path), hint=hint)


def _by_order(lines: Lines) -> Alignment:
    """All units share images, or those of each arm do, or every unit has its own."""
    units = list(dict.fromkeys(lines.unit.tolist()))
    of_unit = {unit: np.flatnonzero(lines.unit == unit) for unit in units}
    if agree(lines, of_unit.values()):
        return _placed(lines, [list(of_unit.values())], (MATCHED,) if len(units) > 1 else ())
    apart = ARMS_APART + (BY_PERSON if lines.people else UNPAIRED)
    by_arm = [[of_unit[u] for u in units if u // len(lines.seeds) == arm] for arm in range(len(lines.arms))]
    if all(agree(lines, arm) for arm in by_arm):
        return _placed(lines, by_arm, (apart,))
    notes = (apart, SEEDS_APART) if len(lines.arms) > 1 else (SEEDS_APART.replace(" either", ""),)
    return _placed(lines, [[unit] for unit in of_unit.values()], notes)


def agree(lines: Lines, units: Iterable[Codes]) -> bool:
    """Whether units have as many lines, and the same truth, groups and identities in them."""
    first, *others = units
    return all(
        len(other) == len(first) and all((column[other] == column[first]).all() for column in lines.same.values())
        for other in others
    )


def _placed(lines: Lines, blocks: list[list[Codes]], notes: tuple[str, ...]) -> Alignment:
    """Number the images block by block; the units of a block share them."""
    row, first = np.empty(len(lines.arm), dtype=np.int64), []
    start = 0
    for block in blocks:
        for unit in block:
            row[unit] = start + np.arange(len(unit))
        first.append(block[0])
        start += len(block[0])
    chosen = np.concatenate(first)
    return Alignment(row, chosen, tuple(f"row {line + 1}" for line in chosen.tolist()), notes)
