"""Lines, which are values of groups and differences of two groups, and many of them side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.grouping import place_in_words
from auditkit.evidence.layout import Layout
from auditkit.evidence.measures import Measure
from auditkit.evidence.resampling import Replicates
from auditkit.evidence.seeds import SIGNS, Arms
from auditkit.evidence.uncertainty import PSEUDO

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The value of one group (g,), or the difference of two (low, high): the second less the first."""

    measure: Measure
    groups: tuple[int, ...]

    def reason(self, arm: int) -> str:
        """Why it is not estimable in an arm, "" where it is; of two groups, in which, unless it is so by definition."""
        of_one = len(self.groups) > 1 and not self.measure.by_definition
        for g in self.groups:
            why = self.measure.reason[arm][g]
            if why:
                return f"{place_in_words(self.measure.grouping.places[g])}: {why}" if of_one else why
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Lines of one measure, side by side.

    values: (lines, units); replicates: (lines, arms, replicates); influence: (lines, units, blocks); pseudo: (lines,
    arms) sum of squares of the pseudo-observations; images, people: (lines, arms) of the group with the fewest;
    everybody: (lines, arms) people of both groups; reason: by line and arm.
    """

    lines: list[Line]
    values: Floats
    replicates: Replicates
    influence: Replicates
    pseudo: Floats
    images: Integers
    people: Integers
    everybody: Integers
    reason: list[list[str]]


def stack_of(layout: Layout, lines: list[Line]) -> Stack:
    """Lines of one measure, all values or all differences."""
    one, groups = lines[0].measure, np.array([line.groups for line in lines])
    arms = range(len(layout.arms))
    seeds = np.array([len(layout.units_of(arm)) for arm in arms])[:, None, None]
    with np.errstate(divide="ignore"):
        pseudo = (PSEUDO / np.square(one.images[:, groups], dtype=np.float64) / seeds).sum(axis=2)
    return Stack(
        lines=lines,
        values=_difference(one.values, groups),
        replicates=_difference(one.replicates, groups),
        influence=_difference(one.influence, groups),
        pseudo=pseudo.T,
        images=one.images[:, groups].min(axis=2).T,
        people=one.people[:, groups].min(axis=2).T,
        everybody=one.people[:, groups].sum(axis=2).T,
        reason=[[line.reason(arm) for arm in arms] for line in lines],
    )


def _difference(values: NDArray[Any], groups: Integers) -> NDArray[Any]:
    """(lines, units or arms, ...) from (units or arms, groups, ...)."""
    by_group = np.moveaxis(values, 1, 0)
    last = by_group[groups[:, -1]]
    return last - by_group[groups[:, 0]] if groups.shape[1] == 2 else last


def less(values: NDArray[Any], arms: Arms) -> NDArray[Any]:
    """(lines, ...) of an arm, or of an arm less another, or of two such differences, from (lines, arms, ...)."""
    result = values[:, arms[0]]
    for sign, arm in zip(SIGNS[1:], arms[1:], strict=False):
        result = result + values[:, arm] if sign > 0 else result - values[:, arm]
    return np.asarray(result)
