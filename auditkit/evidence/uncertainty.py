"""Chance: arrays in, intervals out. Knows nothing of arms, groups or metrics.

Two sources of chance meet here. *People*: identities are resampled, all rows of one together. *Seeds*: the variance of
per-seed values over the number of seeds. Few seeds are never resampled; the two variances are added, each with its own
degrees of freedom. Critical values are written as normal quantiles, *scores*, which every estimate turns into its own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]
"""Low and high ends of many intervals."""

FEWEST_PEOPLE = 10
"""Below this many people no interval is given: its coverage could not be vouched for."""
PSEUDO = 0.5
"""Images that each rate of each seed is credited with when a variance is estimated, so that no interval has zero width.
Half of what Agresti & Caffo (2000) and Bonett & Price (2012) add: theirs covers too often with ten discordant pairs."""
UNSEEN = 1.88
"""Standard error, in people, of a rate or a change that none of a group's people shows: of k people none does with
97.5 % where 3.69 / k would (the rule of three: Hanley & Lippman-Hand, JAMA 1983), which is 1.96 times this."""
CLUMPED = 0.5
"""People who are right or wrong on all their images at once, with whom an estimate of clumping begins."""
MOST_EXTREME = 37.0
"""A normal quantile beyond which tails cannot be told from zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variance of q estimates, in its parts, each (q,) float64; NaN where unknown.

    people: variance under resampling of people; people_df its degrees of freedom; seeds: what seeds add to it, 0 where
    there is one seed; retraining: variance that seeds have on these test images, of which `people` shows a part;
    seeds_df: its degrees of freedom; undefined: replicates in which the estimate does not exist.
    """

    people: Floats
    people_df: Floats
    seeds: Floats
    seeds_df: Floats
    retraining: Floats
    undefined: NDArray[np.int64]

    @property
    def total(self) -> Floats:
        """Variance of each estimate."""
        return self.people + self.seeds

    @property
    def added_df(self) -> Floats:
        """Degrees of freedom of `seeds`, of which there are fewer the more of `retraining` was taken off.

        Satterthwaite's rule for a difference takes the square of seeds / retraining. That is too few where nothing
        negative is left: halfway between none and one power of it, 95 % intervals hold in 94.3 to 96.7 % of cases with
        four degrees of freedom or more. Never below one, or what little is left would make an interval wider.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = np.where(self.retraining > 0, self.seeds / self.retraining, 1)
        return np.asarray(np.maximum(self.seeds_df * (1 + kept) / 2, 1.0), dtype=np.float64)

    def half_width(self, score: float | Floats) -> Floats:
        """Half width of the interval whose tails are those of a normal variable beyond `score`.

        Each part has its own t quantile: sqrt(sum of t^2 V), the large-sample form of Graybill & Wang (JASA 1980). One
        t quantile with Satterthwaite's degrees of freedom for the sum covers 92.7 % where this covers 93.9 %, with
        three seeds that carry four fifths of the variance.
        """
        people, seeds = (t_quantile(score, df) for df in (self.people_df, self.added_df))
        return np.asarray(np.sqrt(people**2 * self.people + seeds**2 * self.seeds), dtype=np.float64)

    def score(self, distance: Floats) -> Floats:
        """The score at which `half_width` reaches each distance, by bisection; 37 where it does not."""
        low, high = np.zeros_like(distance), np.full_like(distance, MOST_EXTREME)
        for _ in range(26):
            middle = (low + high) / 2
            beyond = self.half_width(middle) < distance
            low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
        return high

    @property
    def seed_share(self) -> Floats:
        """Share of the variance that is due to seeds."""
        return np.asarray(self.seeds / self.total, dtype=np.float64)

    def take(self, rows: list[int]) -> Spread:
        """The spread of some of the estimates."""
        return Spread(*(getattr(self, part.name)[rows] for part in fields(self)))


def effective_number(influence: NDArray[Any], pseudo: Floats) -> Floats:
    """How many people, contributing alike, would carry a variance as these do (Kish 1965).

    influence: (..., blocks), what each block of people adds to the estimate's error: V^2 / sum of fourth powers.
    `pseudo` (...) is the sum of squares of the pseudo-observations, which count as one more contribution: it is 1 where
    nobody contributes, and NaN where there are no pseudo-observations either.
    """
    square = np.square(influence, dtype=np.float64)
    variance = square.sum(axis=-1) + pseudo
    fourth = np.square(square).sum(axis=-1) + pseudo**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(variance**2 / fourth, dtype=np.float64)


def unseen_variance(people: NDArray[np.int64]) -> Floats:
    """Variance of a rate, or of its change, that none of so many people shows."""
    return np.asarray(np.square(UNSEEN / np.maximum(people, 1)), dtype=np.float64)


def satterthwaite(variances: tuple[Floats, Floats], df: tuple[Floats, Floats]) -> Floats:
    """Degrees of freedom of the sum of two estimated variances (Satterthwaite, Biometrics Bulletin 1946).

    Those of the first, unchanged, where the second is 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.square(sum(variances)) / sum(np.square(v) / d for v, d in zip(variances, df, strict=True))
    return np.asarray(np.where(variances[1] > 0, found, df[0]), dtype=np.float64)


def people_df(effective: Floats, people: NDArray[np.int64]) -> Floats:
    """Degrees of freedom of a variance estimated from people, m - 1 at most.

    The sum of squares of m equal, normal contributions has m degrees of freedom; fewer where a few people carry most of
    it: 2 / (1 / effective number - 1 / m). With m - 1, intervals hold in 90 % of cases at worst, instead of 93 %, where
    four to ten of many people carry a change (`benchmarks/few_people.py`).
    """
    most = np.maximum(people - 1.0, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = 2 / (1 / effective - 1 / (most + 1))
    return np.asarray(np.where(df > 0, np.clip(df, 1.0, most), most), dtype=np.float64)


def normal_quantile(confidence: float) -> float:
    """Two-sided normal quantile: 1.96 for 0.95."""
    return float(ndtri((1 + confidence) / 2))


def t_quantile(score: float | Floats, df: Floats) -> Floats:
    """The t quantile with the same tail as the normal quantile `score`."""
    return np.asarray(-stdtrit(df, ndtr(-np.asarray(score))), dtype=np.float64)


def symmetric(estimate: Floats, spread: Spread, score: float) -> Ends:
    """Ends of estimate +- half width."""
    half = spread.half_width(score)
    return estimate - half, estimate + half


def wilson(estimate: Floats, spread: Spread, carriers: Floats, people: NDArray[np.int64], score: float) -> Ends:
    """Ends of Wilson's score interval (JASA 1927) for a proportion, at the effective size that its variance implies.

    carriers: effective number of people who carry the variance. How far errors clump in people is told by them alone:
    few errors that happen to lie apart look as if they never clumped. So `CLUMPED` people who clump wholly join them;
    with nobody the effective size is the number of people. The quantile is that of all people, since the proportion's
    own part of the variance is known (Korn & Graubard, Survey Methodology 1998). Coverage: `benchmarks/values.py`.
    """
    estimate = np.clip(estimate, 0.0, 1.0)
    plain = estimate * (1 - estimate)
    df = np.maximum(people - 1.0, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where(plain > 0, spread.people / plain, 0.0)
        seeds = np.where(plain > 0, t_quantile(score, spread.added_df) ** 2 * spread.seeds / plain, 0.0)
    square = t_quantile(score, df) ** 2 * (carriers * apart + CLUMPED / df) / (carriers + CLUMPED) + seeds
    centre = (estimate + square / 2) / (1 + square)
    half = np.sqrt(square * (plain + square / 4)) / (1 + square)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def gap_bounds(low: Floats, high: Floats) -> tuple[float, float]:
    """Bounds of max minus min over groups from simultaneous bounds of all signed pairs; may contain 0."""
    return max(0.0, float(np.maximum(low, -high).max())), float(np.maximum(np.abs(low), np.abs(high)).max())


def gap_change_bounds(before: Ends, after: Ends, change: Ends) -> tuple[float, float]:
    """Bounds of the change in max minus min over groups, from simultaneous bounds of all signed pairs.

    before, after, change: (low, high) of each pair's difference in one arm, in the other, and of its change. With the
    pair that is widest afterwards, the change of the gap is at most that pair's change of |difference|; with the one
    widest before, at least. Pairs that cannot be the widest are left out. Nor is it beyond what the gaps themselves,
    before and after, allow.
    """
    low, high = _absolute_change(before, after, change)
    (least_before, most_before), (least_after, most_after) = gap_bounds(*before), gap_bounds(*after)
    return (
        max(float(low[widest(before)].min()), least_after - most_before),
        min(float(high[widest(after)].max()), most_after - least_before),
    )


def widest(pair: Ends) -> NDArray[np.bool_]:
    """Which of some pairs could be the widest, by the bounds of their differences."""
    least = np.maximum(0.0, np.maximum(pair[0], -pair[1]))
    most = np.maximum(np.abs(pair[0]), np.abs(pair[1]))
    return np.asarray(most >= least.max(), dtype=bool)


def _absolute_change(before: Ends, after: Ends, change: Ends) -> Ends:
    """Bounds of |after| - |before| for each pair, over all that the three intervals allow, whatever the signs."""
    low, high = change
    from_before = _moved(before, change)
    from_after = _moved(after, (-high, -low))
    return np.maximum(from_before[0], -from_after[1]), np.minimum(from_before[1], -from_after[0])


def _moved(start: Ends, change: Ends) -> Ends:
    """Bounds of |start + change| - |start|.

    The most lies in a corner. The least lies at an end of `start`, or where some change would just reach 0.
    """
    corners = [np.abs(one + move) - np.abs(one) for one in start for move in change]
    turns = [*start, *(np.clip(-move, *start) for move in change)]
    nearest = [np.maximum(0.0, np.maximum(one + change[0], -(one + change[1]))) - np.abs(one) for one in turns]
    return np.min(nearest, axis=0), np.max(corners, axis=0)
