"""What is asked of the measures: values, differences of groups, and how an arm changed either, with their spread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.layout import Layout
from auditkit.evidence.measures import Measure
from auditkit.evidence.parts import mean_over_seeds
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

    values: (units,) float64; replicates: (arms, replicates); influence: (units, blocks); pseudo: (arms,) sum of squares
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
    same = {pair: _same(layout, pair) for pair in arms}
    for number, one in enumerate(lines):
        made = _estimates(layout, one, same, len(design))
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
    names = ("people", "people_df", "seeds", "seeds_df", "retraining", "undefined")
    nothing = np.zeros(0)
    return Spread(*(np.concatenate([nothing, *(getattr(s, name) for s in spreads)]) for name in names))


def _less(values: Replicates, arms: Arms) -> Replicates:
    arm, against = arms
    return np.asarray(values[arm] if against is None else values[arm] - values[against], dtype=np.float32)


def _estimates(layout: Layout, one: Line, same: Mapping[Arms, bool], first: int) -> list[Estimate]:
    result = []
    for (arm, against), alike in same.items():
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
                same=alike,
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


def _same(layout: Layout, arms: Arms) -> bool:
    arm, against = arms
    if against is None:
        return False
    mine, theirs = layout.margin[layout.units_of(arm)], layout.margin[layout.units_of(against)]
    return np.array_equal(mine, theirs, equal_nan=True)


# ------------------------------------------------------------------------------------------------------------ spread


def _spread(layout: Layout, one: Line, arms: list[Arms], replicates: Replicates) -> Spread:
    both = [[arm] if against is None else [arm, against] for arm, against in arms]
    fewest = np.array([one.people[pair].min() for pair in both])
    everybody = np.array([one.everybody[pair].max() for pair in both])
    pseudo = np.array([one.pseudo[pair].sum() for pair in both])
    averaged = mean_over_seeds(layout, one.influence)
    people, undefined = people_variance(replicates, fewest)
    seeds = [_seed_variance(layout, one, pair) for pair in arms]
    return Spread(
        people=people + pseudo,
        people_df=people_df(np.stack([_less(averaged, pair) for pair in arms]), everybody, pseudo),
        seeds=np.array([part.added for part in seeds]),
        seeds_df=np.array([part.df for part in seeds]),
        retraining=np.array([part.measured for part in seeds]),
        undefined=undefined,
    )


@dataclass(frozen=True, slots=True)
class _Seeds:
    """Variance, due to seeds, of a mean over seeds or of the difference of two.

    measured: on these test photos; added: what of it the resampling of people does not show already; df: degrees of
    freedom. Nothing, where training variance was not measured.
    """

    measured: float = 0.0
    added: float = 0.0
    df: float = 1.0


def _seed_variance(layout: Layout, one: Line, arms: Arms) -> _Seeds:
    """Pooled over the arms that have a value, where both arms have as many seeds; else of each alone (Welch).

    Of a difference, it is what is left of the table of arms by seeds when the means of arms and of seeds are taken out.
    Seeds that flip single photos at random show in both variances, of people and of seeds. How much this is, is the
    variance over people of the same table made of their influences; it is added once.
    """
    arm, against = arms
    chosen = [layout.units_of(k) for k in range(len(layout.arms)) if not one.reason[k]]
    mine = layout.units_of(arm)
    if against is None:
        return _Seeds() if len(mine) < 2 else _within(one, chosen, len(mine))
    theirs = layout.units_of(against)
    if min(len(mine), len(theirs)) < 2:
        return _Seeds()
    if len(mine) == len(theirs):
        return _paired(one, np.stack([units for units in chosen if len(units) == len(mine)]))
    return _welch(_within(one, [mine], len(mine)), _within(one, [theirs], len(theirs)))


def _within(one: Line, arms: list[Integers], seeds: int) -> _Seeds:
    """Variance within arms, over the number of seeds."""
    df = sum(len(units) - 1 for units in arms)
    left = [_centred(one.values[units]) for units in arms], [_centred(one.influence[units]) for units in arms]
    measured, shown = (sum(float((rest**2).sum()) for rest in rests) / df / seeds for rests in left)
    return _Seeds(measured, max(measured - shown, 0.0), df)


def _paired(one: Line, units: Integers) -> _Seeds:
    """Twice the variance left between seeds, over their number; units: (arms, seeds)."""
    arms, seeds = units.shape
    df = (arms - 1) * (seeds - 1)
    left = [_centred(_centred(table[units]), axis=1) for table in (one.values, one.influence)]
    measured, shown = (2 * float((rest**2).sum()) / df / seeds for rest in left)
    return _Seeds(measured, max(measured - shown, 0.0), df)


def _centred(table: NDArray[Any], axis: int = 0) -> Floats:
    wide = table.astype(np.float64)
    return np.asarray(wide - wide.mean(axis=axis, keepdims=True))


def _welch(mine: _Seeds, theirs: _Seeds) -> _Seeds:
    """Variances of two independent means added, with Welch's degrees of freedom."""
    measured = mine.measured + theirs.measured
    if measured == 0:
        return _Seeds(0.0, 0.0, mine.df + theirs.df)
    df = measured**2 / (mine.measured**2 / mine.df + theirs.measured**2 / theirs.df)
    return _Seeds(measured, mine.added + theirs.added, df)
