"""What is asked of the measures: values, differences of groups, and how an arm changed either, with their spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.layout import Layout
from auditkit.evidence.measures import Measure
from auditkit.evidence.results import Place
from auditkit.evidence.uncertainty import PSEUDO, Replicates, Spread, people_df, people_variance

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Arms = tuple[int, int | None]
"""An arm, and the arm it is measured against, if any."""
Contrast = tuple[int, int]
"""An arm, and the arm it is measured against."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The value of one group, or the difference of two: the second less the first.

    values: (units,) float64; replicates: (arms, replicates); influence: (arms, blocks); pseudo: (arms,) sum of squares
    of the pseudo-observations; images, people: (arms,) of the group with the fewest; everybody: (arms,) people of both
    groups; reason: per arm, "" where it is estimable.
    """

    measure: Measure
    groups: tuple[int, ...]
    values: Floats
    replicates: Replicates
    influence: Replicates
    pseudo: Floats
    images: Integers
    people: Integers
    everybody: Integers
    reason: tuple[str, ...]


def line(layout: Layout, measure: Measure, groups: tuple[int, ...]) -> Line:
    """The line over one group (g,) or over two (low, high)."""
    chosen = list(groups)
    size = np.stack([measure.denominator[layout.units_of(arm)].mean(axis=0) for arm in range(len(layout.arms))])
    with np.errstate(divide="ignore"):
        pseudo = (PSEUDO / size[:, chosen] ** 2).sum(axis=1)
    return Line(
        measure=measure,
        groups=groups,
        values=_difference(measure.values[:, chosen]),
        replicates=_difference(measure.replicates[:, chosen]),
        influence=_difference(measure.influence[:, chosen]),
        pseudo=pseudo,
        images=measure.images[:, chosen].min(axis=1),
        people=measure.people[:, chosen].min(axis=1),
        everybody=measure.people[:, chosen].sum(axis=1),
        reason=tuple(_first_reason(measure, arm, chosen) for arm in range(len(layout.arms))),
    )


def _difference(values: NDArray[Any]) -> NDArray[Any]:
    both = values.shape[1] == 2
    return np.asarray(values[:, 1] - values[:, 0] if both else values[:, 0])


def _first_reason(measure: Measure, arm: int, groups: list[int]) -> str:
    for g in groups:
        if measure.reason[arm][g]:
            where = f"{place_in_words(measure.grouping.places[g])}: " if len(groups) > 1 else ""
            return where + measure.reason[arm][g]
    return ""


def place_in_words(place: Place) -> str:
    """A group as "Male=1, Young=0"."""
    return ", ".join(f"{name}={level}" for name, level in place)


# --------------------------------------------------------------------------------------------------------- estimates


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A line in one arm, or its change from one arm to another. `row` is its place in the spread, -1 if not estimable.

    per_seed: paired by position, () where arms have different numbers of seeds; seed_sd: standard deviation of those,
    not pooled; same: the two arms made the very same predictions.
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
    """Every line for all the arms; `keep` the replicates, for simultaneous intervals."""
    each: list[Estimate] = []
    spreads: list[Spread] = []
    deviations: list[Replicates] = []
    design: list[tuple[int, int, int]] = []
    for number, one in enumerate(lines):
        first = sum(len(spread.people) for spread in spreads)
        made = _estimates(layout, one, arms, first)
        each += made
        usable = [(e.arm, e.against) for e in made if e.row >= 0]
        if usable:
            moved = np.stack([_less(one.replicates, pair) for pair in usable])
            spreads.append(_spread(layout, one, usable, moved))
            design += [(number, arm, -1 if against is None else against) for arm, against in usable]
            if keep:
                deviations.append(moved)
    known = [e for e in each if e.row >= 0]
    return Estimates(
        tuple(each),
        np.array([e.value for e in known], dtype=np.float64),
        _joined(spreads),
        np.array([e.people for e in known], dtype=np.int64),
        np.concatenate(deviations) if deviations else np.zeros((0, 0), dtype=np.float32),
        np.array(design, dtype=np.int64).reshape(-1, 3),
    )


def _joined(spreads: list[Spread]) -> Spread:
    names = ("people", "people_df", "seeds", "seeds_df", "undefined")
    nothing = np.zeros(0)
    return Spread(*(np.concatenate([nothing, *(getattr(s, name) for s in spreads)]) for name in names))


def _less(values: Replicates, arms: Arms) -> Replicates:
    arm, against = arms
    return np.asarray(values[arm] if against is None else values[arm] - values[against], dtype=np.float32)


def _estimates(layout: Layout, one: Line, arms: Sequence[Arms], first: int) -> list[Estimate]:
    result = []
    for arm, against in arms:
        reason = one.reason[arm]
        if not reason and against is not None and one.reason[against]:
            reason = f"in {layout.arms[against]!r}: {one.reason[against]}"
        per_seed = _per_seed(layout, one, arm, against)
        both = [arm] if against is None else [arm, against]
        result.append(
            Estimate(
                line=one,
                arm=arm,
                against=against,
                value=_value(layout, one, arm, against),
                per_seed=tuple(per_seed.tolist()),
                seed_sd=float(per_seed.std(ddof=1)) if len(per_seed) > 1 else None,
                images=int(one.images[both].min()),
                people=int(one.people[both].min()),
                reason=reason,
                row=-1 if reason else first,
                same=against is not None and _same(layout, arm, against),
            )
        )
        first += not reason
    return result


def _value(layout: Layout, one: Line, arm: int, against: int | None) -> float:
    value = one.values[layout.units_of(arm)].mean()
    return float(value if against is None else value - one.values[layout.units_of(against)].mean())


def _per_seed(layout: Layout, one: Line, arm: int, against: int | None) -> Floats:
    mine = one.values[layout.units_of(arm)]
    if against is None:
        return mine
    theirs = one.values[layout.units_of(against)]
    return mine - theirs if len(mine) == len(theirs) else np.zeros(0)


def _same(layout: Layout, arm: int, against: int) -> bool:
    mine, theirs = layout.margin[layout.units_of(arm)], layout.margin[layout.units_of(against)]
    return np.array_equal(mine, theirs, equal_nan=True)


# ------------------------------------------------------------------------------------------------------------ spread


def _spread(layout: Layout, one: Line, arms: list[Arms], replicates: Replicates) -> Spread:
    both = [[arm] if against is None else [arm, against] for arm, against in arms]
    fewest = np.array([one.people[pair].min() for pair in both])
    everybody = np.array([one.everybody[pair].max() for pair in both])
    pseudo = np.array([one.pseudo[pair].sum() for pair in both])
    influence = np.stack([_less(one.influence, pair) for pair in arms])
    people, undefined = people_variance(replicates, fewest)
    seeds = [_seed_variance(layout, one, arm, against) for arm, against in arms]
    return Spread(
        people=people + pseudo,
        people_df=people_df(influence, everybody, pseudo),
        seeds=np.array([variance for variance, _ in seeds]),
        seeds_df=np.array([df for _, df in seeds]),
        undefined=undefined,
    )


def _seed_variance(layout: Layout, one: Line, arm: int, against: int | None) -> tuple[float, float]:
    """Variance, due to seeds, of a mean over seeds or of the difference of two, and its degrees of freedom.

    Pooled over the arms that have a value. Of a difference, from what is left of the arms-by-seeds table when the
    means of arms and of seeds are taken out; where the two arms have different numbers of seeds, from each alone
    (Welch). (0, 1) where an arm has one seed: the variance is not measured.
    """
    tables = [one.values[layout.units_of(k)] for k in range(len(layout.arms)) if not one.reason[k]]
    mine = one.values[layout.units_of(arm)]
    if against is None:
        return _pooled_within(mine, tables)
    theirs = one.values[layout.units_of(against)]
    if min(len(mine), len(theirs)) < 2:
        return 0.0, 1.0
    if len(mine) == len(theirs):
        return _pooled_paired(np.stack([table for table in tables if len(table) == len(mine)]))
    parts = np.array([mine.var(ddof=1) / len(mine), theirs.var(ddof=1) / len(theirs)])
    total = float(parts.sum())
    return total, _welch(parts, np.array([len(mine) - 1.0, len(theirs) - 1.0]))


def _pooled_within(mine: Floats, tables: list[Floats]) -> tuple[float, float]:
    if len(mine) < 2:
        return 0.0, 1.0
    df = sum(len(table) - 1 for table in tables)
    squares = sum(float(((table - table.mean()) ** 2).sum()) for table in tables)
    return squares / df / len(mine), float(df)


def _pooled_paired(table: Floats) -> tuple[float, float]:
    """table: (arms, seeds)."""
    arms, seeds = table.shape
    rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    df = (arms - 1) * (seeds - 1)
    return 2 * float((rest**2).sum()) / df / seeds, float(df)


def _welch(parts: Floats, df: Floats) -> float:
    total = parts.sum()
    return float(total**2 / (parts**2 / df).sum()) if total > 0 else float(df.sum())
