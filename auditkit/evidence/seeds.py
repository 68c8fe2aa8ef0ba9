"""The second source of chance: the seed that trained a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.layout import Layout
from auditkit.evidence.resampling import Replicates

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Arms = tuple[int, ...]
"""An arm; or an arm and the arm it is measured against, which are a contrast; or two contrasts, the first less the
second."""
SIGNS = (1, -1, -1, 1)
"""With which sign the values of the first, second, ... of `Arms` are added up."""


FEWEST_DEGREES = 6
"""Degrees of freedom below which seeds are not paired. Pairing takes out what a seed does to all arms alike, and one
degree of freedom per seed with it. With few left that costs more than it saves: over 18 questions the critical t is
19 with 2, 6.5 with 4 and 4.9 with 6 degrees of freedom. Without pairing the variance is too large where arms with one
seed go up and down together, never too small unless a seed drives two arms apart, for which nothing speaks."""


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Variance, due to seeds, of a mean over seeds or of the difference of two; arrays of equal shape.

    measured: on these test images; added: what of it the resampling of people does not show already; df: degrees of
    freedom. Nothing, with one degree of freedom, where training variance was not measured.
    """

    measured: Floats
    added: Floats
    df: Floats


def seed_variances(
    layout: Layout, values: Floats, influence: Replicates, reason: Sequence[Sequence[str]], arms: Sequence[Arms]
) -> Seeds:
    """(lines, pairs of arms); values: (lines, units); influence: (lines, units, blocks), whose sums of squares are
    unbiased variances; reason: by line and arm.

    Pooled over the arms that have a value, and paired by seed where both arms have as many seeds and enough degrees of
    freedom are left.

    Seeds that flip single images at random show in both variances, of people and of seeds. How much this is, is the
    variance over people of the same table made of their influences; it is added once.
    """
    shape = len(values), len(arms)
    result = Seeds(np.zeros(shape), np.zeros(shape), np.ones(shape))
    known = np.array([[not why for why in by_arm] for by_arm in reason])
    for pattern in np.unique(known, axis=0):
        lines = np.flatnonzero((known == pattern).all(axis=1))
        chosen = [layout.units_of(arm) for arm in np.flatnonzero(pattern).tolist()]
        pooled = _Pooled(values[lines], influence[lines], chosen)
        for j, chosen_arms in enumerate(arms):
            if pattern[list(chosen_arms)].all():
                found = _of(layout, pooled, chosen_arms)
                if found is not None:
                    result.measured[lines, j], result.added[lines, j], result.df[lines, j] = found
    return result


_Parts = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class _Pooled:
    """Variances pooled over the `chosen` arms: the same for all of as many seeds, so computed once."""

    values: Floats
    influence: Replicates
    chosen: list[Integers]
    known: dict[tuple[bool, int], _Parts] = field(default_factory=dict)

    def of(self, seeds: int, *, change: bool) -> _Parts:
        """Of a mean over so many seeds, or of the difference of two."""
        if (change, seeds) not in self.known:
            self.known[change, seeds] = self._change(seeds) if change else self._mean(seeds)
        return self.known[change, seeds]

    def _mean(self, seeds: int) -> _Parts:
        return _within(self.values, self.influence, [units for units in self.chosen if len(units) > 1], seeds)

    def _change(self, seeds: int) -> _Parts:
        alike = np.stack([units for units in self.chosen if len(units) == seeds])
        return (_paired if pairs_seeds(*alike.shape) else _unpaired)(self.values, self.influence, alike)


def _of(layout: Layout, pooled: _Pooled, arms: Arms) -> _Parts | None:
    seeds = [len(layout.units_of(arm)) for arm in arms]
    if min(seeds) < 2:
        return None
    if len(arms) == 1:
        return pooled.of(seeds[0], change=False)
    if len(set(seeds)) == 1:
        return _sum([pooled.of(seeds[0], change=True)] * (len(arms) // 2))
    return _sum([pooled.of(number, change=False) for number in seeds])


def _sum(parts: Sequence[_Parts]) -> _Parts:
    """Of variances that are one estimate but for the number of seeds, so that adding them adds no degree of freedom."""
    measured, added, df = zip(*parts, strict=True)
    return sum(measured[1:], measured[0]), sum(added[1:], added[0]), df[0]


def _within(values: Floats, influence: Replicates, arms: list[Integers], seeds: int) -> _Parts:
    """Variance within arms, over the number of seeds."""
    df = sum(len(units) - 1 for units in arms)
    measured, shown = (
        np.sum([_squares(_centred(table[:, units], 1)) for units in arms], axis=0) / df / seeds
        for table in (values, influence)
    )
    return _parts(measured, shown, df)


def pairs_seeds(arms: int, seeds: int) -> bool:
    """Whether the variance of a change is that of differences paired by seed."""
    return (arms - 1) * (seeds - 1) >= FEWEST_DEGREES


def _unpaired(values: Floats, influence: Replicates, units: Integers) -> _Parts:
    """Twice the variance within arms; units: (arms, seeds)."""
    measured, added, df = _within(values, influence, list(units), units.shape[1])
    return 2 * measured, 2 * added, df


def _paired(values: Floats, influence: Replicates, units: Integers) -> _Parts:
    """Twice the variance left between seeds when means of arms and of seeds are taken out; units: (arms, seeds)."""
    arms, seeds = units.shape
    df = (arms - 1) * (seeds - 1)
    measured, shown = (
        2 * _squares(_centred(_centred(table[:, units], 1), 2)) / df / seeds for table in (values, influence)
    )
    return _parts(measured, shown, df)


def _parts(measured: Floats, shown: Floats, df: int) -> _Parts:
    return measured, np.maximum(measured - shown, 0.0), np.full_like(measured, df)


def _centred(table: NDArray[Any], axis: int) -> Floats:
    wide = table.astype(np.float64)
    return np.asarray(wide - wide.mean(axis=axis, keepdims=True))


def _squares(table: Floats) -> Floats:
    """(lines,) sums of squares."""
    return np.asarray(np.square(table).reshape(len(table), -1).sum(axis=1))
