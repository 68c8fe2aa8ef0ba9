"""Groups of people: which combination of attribute levels every image of a panel belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import Level
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import Place


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """The groups over some attributes, every combination of levels being one, empty or not.

    code: (n,) int64 group of each image, -1 where an attribute is missing; `places` names the groups in that order.
    """

    over: tuple[str, ...]
    levels: tuple[tuple[Level, ...], ...]
    code: NDArray[np.int64]
    missing: int

    @property
    def places(self) -> tuple[Place, ...]:
        """What each group is, as ((attribute, level), ...)."""
        return tuple(tuple(zip(self.over, combined, strict=True)) for combined in product(*self.levels))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of levels of each attribute; its product is the number of groups."""
        return tuple(len(levels) for levels in self.levels)

    def all_in_one(self) -> Grouping:
        """Every image that is in some group, in one."""
        return Grouping((), (), np.minimum(self.code, 0), self.missing)

    def __len__(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Span:
    """Groups that a gap is over.

    `at` are the attributes held at a level, `axes` and `index` their positions and those of their levels; `groups` are
    the positions of the groups that the gap is over.
    """

    at: Place
    axes: tuple[int, ...]
    index: tuple[int, ...]
    groups: tuple[int, ...]


def place_in_words(place: Place) -> str:
    """A group as "Male=1, Young=0"."""
    return ", ".join(f"{name}={level}" for name, level in place)


def group(panel: Panel, over: tuple[str, ...]) -> Grouping:
    """Number the groups over some attributes of a panel; without attributes everybody is one group."""
    code = np.zeros(len(panel.row), dtype=np.int64)
    known = np.ones(len(panel.row), dtype=bool)
    for name in over:
        column = panel.attributes[name]
        known &= column >= 0
        code = code * len(panel.levels[name]) + column
    code[~known] = -1
    levels = tuple(panel.levels[name] for name in over)
    return Grouping(over, levels, code, int((~known).sum()))


def inside(panel: Panel, name: str, level: int) -> Grouping:
    """Two groups: the images outside (0) and inside (1) one level of an attribute."""
    column = panel.attributes[name]
    code = np.where(column < 0, -1, column == level).astype(np.int64)
    value = panel.levels[name][level]
    return Grouping((name,), ((f"not {value}", value),), code, int((column < 0).sum()))


def spans(grouping: Grouping) -> Iterator[Span]:
    """What gaps are taken over: all groups, and one free attribute within every combination of the others.

    One group alone makes no gap, and where a single attribute has several levels, the gap within the others is that
    over all groups.
    """
    if len(grouping) < 2:
        return
    position = np.arange(len(grouping)).reshape(grouping.shape)
    yield Span((), (), (), tuple(position.ravel().tolist()))
    several = [axis for axis, count in enumerate(grouping.shape) if count > 1]
    if len(several) == 1:
        return
    for free in several:
        axes = tuple(axis for axis in range(len(grouping.over)) if axis != free)
        for index in product(*(range(grouping.shape[axis]) for axis in axes)):
            at = tuple((grouping.over[a], grouping.levels[a][i]) for a, i in zip(axes, index, strict=True))
            yield Span(at, axes, index, tuple(np.moveaxis(position, axes, range(len(axes)))[index].tolist()))
