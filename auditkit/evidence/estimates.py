"""Estimates and their spread: values of groups, differences of two groups, and how an arm changed either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.layout import Layout
from auditkit.evidence.lines import Line, Stack, less, stack_of
from auditkit.evidence.people import People, nobody_differs, people_of, redrawn_of, spread_of
from auditkit.evidence.resampling import Redrawn, Replicates
from auditkit.evidence.seeds import Arms
from auditkit.evidence.uncertainty import Spread

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_AT_ONCE = 64
"""So many lines are worked on together; more would only take memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A line in one arm, or its change from one arm to another, or the difference of two changes.

    `row` is its place in the spread, -1 if not estimable.

    value: mean over seeds, of a gap or ratio that of the groups' means over seeds; per_seed: of each seed alone, paired
    by position, () where arms have different numbers of seeds; seed_sd: standard deviation of those, not pooled;
    images, people: of the arm and group with the fewest; same: arms made the very same predictions, so that it is 0.
    """

    line: Line
    arms: Arms
    value: float
    per_seed: tuple[float, ...]
    seed_sd: float | None
    images: int
    people: int
    reason: str
    row: int
    same: bool = False

    @property
    def compares(self) -> bool:
        """Whether it sets arms against each other."""
        return len(self.arms) > 1


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Many estimates, and the spread of those that have a row.

    carriers: (rows,) effective number of people who carry the estimate's variance, 0 where nobody does;
    redrawn: of no replicates where none were asked for; line: (rows,), which line each is of.
    """

    each: tuple[Estimate, ...]
    value: Floats
    spread: Spread
    people: Integers
    carriers: Floats
    redrawn: Redrawn
    line: Integers


def estimate(
    layout: Layout, lines: Iterable[Line], arms: Sequence[Arms], weight: Replicates | None = None
) -> Estimates:
    """Every line for all the arms, line by line.

    For simultaneous intervals people are redrawn with `weight`, with which the lines' measures were made.
    """
    each: list[Estimate] = []
    spreads: list[Spread] = []
    peoples: list[People] = []
    numbers: list[int] = []
    same = [_same(layout, pair) for pair in arms]
    nobody: dict[int, NDArray[np.bool_]] = {}
    for first, batch in _batches(lines) if arms else ():
        stack = stack_of(layout, batch)
        made = list(_estimates(layout, stack, arms, same, len(numbers)))
        usable = np.array([one.row >= 0 for one in made])
        moved = np.stack([less(stack.replicates, pair) for pair in arms], axis=1).reshape(len(made), -1)[usable]
        measure = batch[0].measure
        if id(measure) not in nobody:
            nobody[id(measure)] = nobody_differs(layout, measure, arms)
        people = people_of(layout, stack, arms, usable, nobody[id(measure)])
        spreads.append(spread_of(layout, stack, arms, people, moved, usable))
        numbers += [first + i // len(arms) for i in np.flatnonzero(usable).tolist()]
        each += made
        peoples.append(people)
    known = [one for one in each if one.row >= 0]
    return Estimates(
        each=tuple(each),
        value=np.array([one.value for one in known], dtype=np.float64),
        spread=_joined(spreads),
        people=np.array([one.people for one in known], dtype=np.int64),
        carriers=np.concatenate([np.zeros(0), *(people.carriers for people in peoples)]),
        redrawn=redrawn_of(peoples, weight),
        line=np.array(numbers, dtype=np.int64),
    )


def _batches(lines: Iterable[Line]) -> Iterator[tuple[int, list[Line]]]:
    """Runs of lines of one measure and kind, with the number of the first."""
    first = 0
    for _, same in groupby(lines, key=lambda one: (id(one.measure), len(one.groups))):
        run = list(same)
        for start in range(0, len(run), _AT_ONCE):
            yield first + start, run[start : start + _AT_ONCE]
        first += len(run)


def _joined(spreads: list[Spread]) -> Spread:
    parts = (part.name for part in fields(Spread))
    return Spread(*(np.concatenate([np.zeros(0), *(getattr(one, name) for one in spreads)]) for name in parts))


def _estimates(
    layout: Layout, stack: Stack, arms: Sequence[Arms], same: Sequence[bool], row: int
) -> Iterator[Estimate]:
    means = np.stack([stack.values[:, layout.units_of(arm)].mean(axis=1) for arm in range(len(layout.arms))], axis=1)
    value = np.stack([less(means, chosen) for chosen in arms], axis=1)
    per_seed = [_per_seed(layout, stack, chosen) for chosen in arms]
    for i, line in enumerate(stack.lines):
        for j, chosen in enumerate(arms):
            reason = _reason(layout, stack.reason[i], chosen)
            seeds = per_seed[j][i]
            yield Estimate(
                line=line,
                arms=chosen,
                value=float(value[i, j]),
                per_seed=tuple(seeds.tolist()),
                seed_sd=float(seeds.std(ddof=1)) if len(seeds) > 1 else None,
                images=int(stack.images[i, list(chosen)].min()),
                people=int(stack.people[i, list(chosen)].min()),
                reason=reason,
                row=-1 if reason else row,
                same=same[j],
            )
            row += not reason


def _reason(layout: Layout, reasons: list[str], arms: Arms) -> str:
    """The first arm's reason, or that of the first other arm that has one, which is named."""
    others = (f"in {layout.arms[arm]!r}: {reasons[arm]}" for arm in arms[1:] if reasons[arm])
    return reasons[arms[0]] or next(others, "")


def _per_seed(layout: Layout, stack: Stack, arms: Arms) -> Floats:
    """(lines, seeds); of no seeds where the arms have different numbers of them."""
    units = [layout.units_of(arm) for arm in arms]
    if len({len(each) for each in units}) > 1:
        return np.zeros((len(stack.values), 0))
    return less(np.stack([stack.values[:, each] for each in units], axis=1), tuple(range(len(arms))))


def same_predictions(layout: Layout, arm: int, other: int) -> bool:
    """Whether two arms made the very same predictions, seed by seed."""
    mine, theirs = layout.margin[layout.units_of(arm)], layout.margin[layout.units_of(other)]
    return np.array_equal(mine, theirs, equal_nan=True)


def _same(layout: Layout, arms: Arms) -> bool:
    """Whether every arm is taken off again, in that its predictions are those of another of the opposite sign."""
    ways = {1: (), 2: (((0, 1),),), 4: (((0, 1), (3, 2)), ((0, 2), (3, 1)))}[len(arms)]
    return any(all(same_predictions(layout, arms[i], arms[j]) for i, j in way) for way in ways)
