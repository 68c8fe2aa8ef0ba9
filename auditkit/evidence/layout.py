"""A panel laid out for counting: units in a row, people numbered, and confusion counts per person and group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.grouping import Grouping
from auditkit.evidence.panel import Panel

BLOCKS = 2048
"""More people than this are put at random into so many blocks, which are resampled instead: the random-group method
(Wolter, Introduction to Variance Estimation, ch. 2). The variance stays right; its relative error is 3 %."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """One task on one test set.

    A unit is an arm with a seed; units_by_arm: the units of each arm, in the order of its seeds. cell: (units, n) int8,
    2 * truth + prediction, -1 where the unit has no prediction; person: (n,) int64 number of the person, of the image
    where identities are unknown; block: (n,) int64 what is resampled: the person, or a random block of people.
    """

    panel: Panel
    arms: tuple[str, ...]
    seeds: tuple[tuple[int, ...], ...]
    units_by_arm: tuple[NDArray[np.int64], ...]
    margin: NDArray[np.float32]
    cell: NDArray[np.int8]
    person: NDArray[np.int64]
    people: int
    block: NDArray[np.int64]
    blocks: int
    images_differ: bool

    def units_of(self, arm: int) -> NDArray[np.int64]:
        """Units of one arm, in the order of its seeds."""
        return self.units_by_arm[arm]

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.cell)


def lay_out(panel: Panel, rng: np.random.Generator) -> Layout:
    """Sort a panel's images, so that nothing depends on their order, and number its people by their identities.

    Were people numbered by what is predicted of them, one prediction less would draw other people for everybody.
    """
    panel = _sorted(panel)
    unique, person = np.unique(_person_keys(panel), return_inverse=True)
    people = len(unique)
    margin = np.concatenate([arm.margin for arm in panel.arms])
    cell = np.where(np.isnan(margin), -1, 2 * panel.truth + (margin > panel.threshold)).astype(np.int8)
    block = person if people <= BLOCKS else (rng.permutation(people) % BLOCKS)[person]
    return Layout(
        panel=panel,
        arms=tuple(arm.arm for arm in panel.arms),
        seeds=tuple(arm.seeds for arm in panel.arms),
        units_by_arm=tuple(np.split(np.arange(len(margin)), np.cumsum([len(arm.margin) for arm in panel.arms])[:-1])),
        margin=margin,
        cell=cell,
        person=person,
        people=people,
        block=block,
        blocks=min(people, BLOCKS),
        images_differ=bool((np.diff(np.sort(panel.row)) > 0).all()),
    )


def _sorted(panel: Panel) -> Panel:
    order = np.lexsort((panel.copy, panel.row, panel.identity))
    return replace(
        panel,
        **{name: getattr(panel, name)[order] for name in ("row", "copy", "identity", "truth")},
        attributes={name: codes[order] for name, codes in panel.attributes.items()},
        arms=tuple(replace(arm, margin=arm.margin[:, order]) for arm in panel.arms),
    )


def _person_keys(panel: Panel) -> NDArray[np.int64]:
    """(n,) int64: whose image each is; whoever is unknown is a person of their own, one per image."""
    known = panel.identities_known & (panel.identity >= 0)
    return np.where(known, panel.identity, -1 - panel.row)


def count(layout: Layout, grouping: Grouping) -> NDArray[np.float32]:
    """(4, units, groups, blocks) float32: images per confusion cell, unit, group and block of people."""
    groups, blocks = len(grouping), layout.blocks
    result = np.empty((layout.units, 4, groups, blocks), dtype=np.float32)
    place = grouping.code * blocks + layout.block
    inside = grouping.code >= 0
    for unit, cell in enumerate(layout.cell):
        use = inside & (cell >= 0)
        index = cell[use].astype(np.int64) * (groups * blocks) + place[use]
        result[unit] = np.bincount(index, minlength=4 * groups * blocks).reshape(4, groups, blocks)
    return np.moveaxis(result, 1, 0)


def distinct(layout: Layout, grouping: Grouping, cells: Iterable[int], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """(units, groups) int64: how many different ids (images or people) fall into some of the four cells."""
    groups, size = len(grouping), int(ids.max(initial=-1)) + 1
    wanted = np.isin(np.arange(-1, 4), list(cells))
    result = np.empty((layout.units, groups), dtype=np.int64)
    # cells that are told apart by the truth alone hold the same images in every unit
    alike = wanted[1] == wanted[2] and wanted[3] == wanted[4] and bool((layout.cell >= 0).all())
    for unit, cell in enumerate(layout.cell):
        if alike and unit:
            result[unit] = result[0]
            continue
        use = wanted[cell + 1] & (grouping.code >= 0)
        seen = np.zeros(groups * size, dtype=bool)
        seen[grouping.code[use] * size + ids[use]] = True
        result[unit] = seen.reshape(groups, size).sum(axis=1)
    return result
