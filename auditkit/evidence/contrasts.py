"""What is asked of the measures: values, differences of groups, and how an arm changed either, with their spread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.layout import Layout
from auditkit.evidence.measures import Measure
from auditkit.evidence.results import Place
from auditkit.evidence.seeds import Arms, seed_variances
from auditkit.evidence.uncertainty import PSEUDO, Replicates, Spread, people_df, people_variance

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


_AT_ONCE = 64
"""So many lines are worked on together; more would only take memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The value of one group (g,), or the difference of two (low, high): the second less the first."""

    measure: Measure
    groups: tuple[int, ...]

    def reason(self, arm: int) -> str:
        """Why it is not estimable in an arm, "" where it is."""
        for g in self.groups:
            if self.measure.reason[arm][g]:
                where = f"{place_in_words(self.measure.grouping.places[g])}: " if len(self.groups) > 1 else ""
                return where + self.measure.reason[arm][g]
        return ""


def place_in_words(place: Place) -> str:
    """A group as "Male=1, Young=0"."""
    return ", ".join(f"{name}={level}" for name, level in place)


# --------------------------------------------------------------------------------------------------------- estimates


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A line in one arm, or its change from one arm to another. `row` is its place in the spread, -1 if not estimable.

    per_seed: paired by position, () where arms have different numbers of seeds; seed_sd: standard deviation of those,
    not pooled; images, people: of the arm and group with the fewest; same: the two arms made the very same predictions.
    """

    line: Line
    arm: int
    against: int | None
    value: float
    per_seed: tuple[float, ...]
    seed_sd: float | None
    images: int
    people: int
    reason: str
    row: int
    same: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Many estimates, and the spread of those that have a row.

    deviations: (rows, replicates) if they were kept; design: (rows, 3), which line, its arm, the arm against it or -1.
    """

    each: tuple[Estimate, ...]
    value: Floats
    spread: Spread
    people: Integers
    deviations: Replicates
    design: Integers


def estimate(layout: Layout, lines: Iterable[Line], arms: Sequence[Arms], *, keep: bool = False) -> Estimates:
    """Every line for all the arms, line by line; `keep` the replicates, for simultaneous intervals."""
    each: list[Estimate] = []
    spreads: list[Spread] = []
    deviations: list[Replicates] = []
    design: list[tuple[int, int, int]] = []
    same = [_same(layout, pair) for pair in arms]
    for first, batch in _batches(lines) if arms else ():
        stack = _stack(layout, batch)
        made = list(_estimates(layout, stack, arms, same, len(design)))
        usable = np.array([one.row >= 0 for one in made])
        moved = np.stack([_less(stack.replicates, pair) for pair in arms], axis=1).reshape(len(made), -1)[usable]
        spreads.append(_spread(layout, stack, arms, moved, usable))
        numbers = [(first + i // len(arms), *arms[i % len(arms)]) for i in np.flatnonzero(usable).tolist()]
        design += [(number, arm, -1 if against is None else against) for number, arm, against in numbers]
        each += made
        if keep:
            deviations.append(moved)
    known = [one for one in each if one.row >= 0]
    return Estimates(
        each=tuple(each),
        value=np.array([one.value for one in known], dtype=np.float64),
        spread=_joined(spreads),
        people=np.array([one.people for one in known], dtype=np.int64),
        deviations=np.concatenate(deviations) if deviations else np.zeros((0, 0), dtype=np.float32),
        design=np.array(design, dtype=np.int64).reshape(-1, 3),
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
    names = ("people", "people_df", "seeds", "seeds_df", "retraining", "undefined")
    return Spread(*(np.concatenate([np.zeros(0), *(getattr(one, name) for one in spreads)]) for name in names))


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
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


def _stack(layout: Layout, lines: list[Line]) -> _Stack:
    one, groups = lines[0].measure, np.array([line.groups for line in lines])
    arms = range(len(layout.arms))
    size = np.stack([one.denominator[layout.units_of(arm)].mean(axis=0) for arm in arms])
    seeds = np.array([len(layout.units_of(arm)) for arm in arms])[:, None, None]
    with np.errstate(divide="ignore"):
        pseudo = (PSEUDO / size[:, groups] ** 2 / seeds).sum(axis=2)
    return _Stack(
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


def _less(values: NDArray[Any], arms: Arms) -> NDArray[Any]:
    """(lines, ...) of an arm, or of an arm less another, from (lines, arms, ...)."""
    arm, against = arms
    return np.asarray(values[:, arm] if against is None else values[:, arm] - values[:, against])


def _estimates(
    layout: Layout, stack: _Stack, arms: Sequence[Arms], same: Sequence[bool], row: int
) -> Iterator[Estimate]:
    means = np.stack([stack.values[:, layout.units_of(arm)].mean(axis=1) for arm in range(len(layout.arms))], axis=1)
    value = np.stack([_less(means, pair) for pair in arms], axis=1)
    per_seed = [_per_seed(layout, stack, pair) for pair in arms]
    for i, line in enumerate(stack.lines):
        for j, (arm, against) in enumerate(arms):
            both = [arm] if against is None else [arm, against]
            reason = _reason(layout, stack.reason[i], arm, against)
            seeds = per_seed[j][i]
            yield Estimate(
                line=line,
                arm=arm,
                against=against,
                value=float(value[i, j]),
                per_seed=tuple(seeds.tolist()),
                seed_sd=float(seeds.std(ddof=1)) if len(seeds) > 1 else None,
                images=int(stack.images[i, both].min()),
                people=int(stack.people[i, both].min()),
                reason=reason,
                row=-1 if reason else row,
                same=same[j],
            )
            row += not reason


def _reason(layout: Layout, reasons: list[str], arm: int, against: int | None) -> str:
    if reasons[arm] or against is None or not reasons[against]:
        return reasons[arm]
    return f"in {layout.arms[against]!r}: {reasons[against]}"


def _per_seed(layout: Layout, stack: _Stack, arms: Arms) -> Floats:
    """(lines, seeds)."""
    arm, against = arms
    mine = stack.values[:, layout.units_of(arm)]
    if against is None:
        return mine
    theirs = stack.values[:, layout.units_of(against)]
    return mine - theirs if mine.shape == theirs.shape else np.zeros((len(mine), 0))


def _same(layout: Layout, arms: Arms) -> bool:
    arm, against = arms
    if against is None:
        return False
    mine, theirs = layout.margin[layout.units_of(arm)], layout.margin[layout.units_of(against)]
    return np.array_equal(mine, theirs, equal_nan=True)


# ------------------------------------------------------------------------------------------------------------ spread


def _spread(
    layout: Layout, stack: _Stack, arms: Sequence[Arms], replicates: Replicates, usable: NDArray[np.bool_]
) -> Spread:
    """Spread of the usable ones of all lines and arms, line by line; replicates: (usable, replicates)."""
    both = [[arm] if against is None else [arm, against] for arm, against in arms]

    def flat(values: list[NDArray[Any]]) -> NDArray[Any]:
        return np.stack(values, axis=1).reshape(len(usable), *values[0].shape[1:])[usable]

    averaged = np.stack(
        [stack.influence[:, layout.units_of(arm)].mean(axis=1) for arm in range(len(layout.arms))], axis=1
    )
    pseudo = flat([stack.pseudo[:, pair].sum(axis=1) for pair in both])
    people, undefined = people_variance(replicates, flat([stack.people[:, pair].min(axis=1) for pair in both]))
    everybody = flat([stack.everybody[:, pair].max(axis=1) for pair in both])
    seeds = seed_variances(layout, stack.values, stack.influence, stack.reason, arms)
    return Spread(
        people=people + pseudo,
        people_df=people_df(flat([_less(averaged, pair) for pair in arms]), everybody, pseudo),
        seeds=seeds.added.ravel()[usable],
        seeds_df=seeds.df.ravel()[usable],
        retraining=seeds.measured.ravel()[usable],
        undefined=undefined,
    )
