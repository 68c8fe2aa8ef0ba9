"""Many questions at once: critical values with which all intervals of a family hold together, and a step-down test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.resampling import Redrawn, Replicates
from auditkit.evidence.uncertainty import Floats, Spread, normal_quantile, t_quantile

SOURCES = 256
"""Replicates of people from which the dependence between estimates is taken; a correlation of 0 is then off by 0.06."""
SCORED_AT_ONCE = 2_000_000
"""So many replicates are scored at once; more would only take memory."""
SCORES = np.linspace(0.5, 8, 256)
"""Scores in whose table is looked up."""
RELEVANT_SHARE = 0.75
"""Distances below this share of a single question's critical value are no family's; their scores are not looked up."""
DF_STEP = 0.02
"""How finely tables are made: a logarithm of degrees of freedom."""
FEW_DEGREES = 24
"""Degrees of freedom up to which it matters that estimates of variances depend on each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Simultaneous:
    """Critical values for a family of q estimates.

    score: the normal quantile at which the intervals of all hold at once. rejected: (q,) bool, estimates that the
    step-down test (Romano & Wolf, Econometrica 2005) tells from zero, never fewer than the intervals do. Each holds at
    the confidence asked for; an interval cut at zero where only the test rejects would not.
    """

    score: float
    rejected: NDArray[np.bool_]


def simultaneous(
    redrawn: Redrawn,
    estimate: Floats,
    spread: Spread,
    line: NDArray[np.int64],
    confidence: float,
    rng: np.random.Generator,
) -> Simultaneous:
    """Critical values from the largest |t| over a family, per replicate.

    line: (q,), what each of the q estimates is of; estimates of the same thing share the estimate of their seeds'
    variance. The order of the estimates does not matter.
    """
    if not len(estimate):
        return Simultaneous(normal_quantile(confidence), np.zeros(0, dtype=bool))
    score = spread.score(np.abs(estimate))
    at_least = normal_quantile(confidence)
    things = _things(estimate, spread, line)
    replicated = _replicated_scores(redrawn, spread, things, RELEVANT_SHARE * at_least, rng)
    running = np.zeros(replicated.shape[1], dtype=np.float32)
    critical = np.empty(len(estimate))
    for row in np.argsort(score, kind="stable"):
        np.fmax(running, replicated[row], out=running)
        critical[row] = _upper(running, confidence)
    not_rejected = score[score <= critical]
    return Simultaneous(max(float(critical.max()), at_least), score > not_rejected.max(initial=at_least))


def _things(estimate: Floats, spread: Spread, line: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of the same thing together, in an order that the estimates decide and not the order in which they came."""
    keys = (np.round(value, 12) for value in (spread.seeds, spread.people, np.abs(estimate)))
    things: dict[int, list[int]] = {}
    for row in np.lexsort(tuple(keys)).tolist():
        things.setdefault(int(line[row]), []).append(row)
    return [np.array(rows) for rows in things.values()]


def _replicated_scores(
    redrawn: Redrawn, spread: Spread, things: list[NDArray[np.int64]], least: float, rng: np.random.Generator
) -> Replicates:
    """(q, replicates): scores that estimates could have had by chance alone, as `Spread.score` gives them.

    To the replicates of people comes normal noise for the seeds, as much as its share of the variance; then division by
    a standard error that was itself estimated: from the replicate's own people, and from few seeds, drawn once for all
    estimates of the same thing. Few seeds tell nothing of how their noise hangs together between estimates; it is taken
    to do so as that of people does, since both pass through the same images: the accuracy of men and their true
    positive rate are then one question.
    """
    deviations = redrawn.value
    order = np.concatenate(things)
    thing = np.repeat(np.arange(len(things)), [len(rows) for rows in things])
    shares, shown = (_column(one) for one in (spread.seed_share, (spread.retraining - spread.seeds) / spread.total))
    added_df, count = spread.added_df, deviations.shape[1]
    mixed = _mixture(deviations[:, :SOURCES][order], rng)
    mixture = np.empty_like(mixed)
    mixture[order] = mixed
    noise = rng.standard_normal((mixture.shape[1], count), dtype=np.float32)
    seeds_df = np.array([np.median(spread.seeds_df[rows]) for rows in things])
    seeds = _estimated_together(mixture[[rows[0] for rows in things]] @ noise, seeds_df, rng)
    result = np.empty_like(deviations)
    for part in np.array_split(np.arange(len(order)), -(-deviations.size // SCORED_AT_ONCE)):
        rows, of = order[part], thing[part]
        t = np.sqrt(1 - shares[rows]) * _standardised(deviations[rows]) + np.sqrt(shares[rows]) * (
            mixture[rows] @ noise
        )
        added = np.maximum(seeds[of] * (shares[rows] + shown[rows]) - shown[rows], 0)
        parts = redrawn.variance[rows] * (1 - shares[rows]), added
        result[rows] = _scores(np.abs(t), parts, (spread.people_df[rows], added_df[rows]), least)
    return result


def _column(values: Floats) -> Replicates:
    return values.astype(np.float32)[:, None]


def _mixture(deviations: Replicates, rng: np.random.Generator) -> Replicates:
    """(q, sources): rows of length 1; their products with independent noise are correlated as the deviations are."""
    some = deviations - deviations.mean(axis=1, keepdims=True)
    size = np.linalg.norm(some, axis=1, keepdims=True)
    chance = rng.standard_normal(some.shape, dtype=np.float32)
    some = np.where(size > 0, some, chance)
    some = some / np.linalg.norm(some, axis=1, keepdims=True)
    return np.asarray(np.asarray(np.linalg.qr(some.T, mode="r")).T if len(some) < SOURCES else some, dtype=np.float32)


def _estimated_together(noise: Replicates, df: Floats, rng: np.random.Generator) -> Replicates:
    """(things, replicates): estimates of variances of 1 with some degrees of freedom, as alike as the noise of things.

    noise: (things, replicates). A replicate's estimate is the mean square of the noise of as many other replicates.
    """
    result = np.zeros_like(noise)
    together = (df <= FEW_DEGREES) & (df == np.round(df))
    for i in np.flatnonzero(~together):
        result[i] = _estimated(float(df[i]), noise.shape[1], rng)
    square = np.square(noise)
    others = 1 + rng.choice(noise.shape[1] - 1, FEW_DEGREES, replace=False)
    for number in range(int(df[together].max(initial=0))):
        here = np.flatnonzero(together & (df > number))
        result[here] += np.roll(square[here], others[number], axis=1) / df[here, None].astype(np.float32)
    return result


def _estimated(df: float, replicates: int, rng: np.random.Generator) -> Replicates:
    """Estimates of a variance of 1 with some degrees of freedom."""
    return np.asarray(rng.standard_gamma(df / 2, size=replicates) / (df / 2), dtype=np.float32)


def _scores(
    distance: Replicates, parts: tuple[Replicates, Replicates], df: tuple[Floats, Floats], least: float
) -> Replicates:
    """(rows, replicates): the score at which the half width, made of estimated variances, reaches each distance.

    The inverse of `Spread.half_width` at the degrees of freedom that the data gave, so that intervals are calibrated in
    the form in which they are given. 8 where it lies beyond. Distances of less than `least` standard errors are given
    as such, which no score exceeds.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        result = distance / np.sqrt(parts[0] + parts[1])
    rows, columns = np.nonzero(result >= least)
    squares = [np.stack([_squared_quantiles(one) for one in each]).ravel() for each in map(_rounded, df)]
    variances = [each[rows, columns] for each in parts]
    result[rows, columns] = _looked_up(distance[rows, columns], variances, squares, rows * len(SCORES))
    return np.asarray(result, dtype=np.float32)


def _looked_up(
    distance: Replicates, variances: list[Replicates], squares: list[Replicates], first: NDArray[np.int64]
) -> Replicates:
    """Scores by bisection in tables of squared quantiles, linear between their lines; `first` is each one's table."""
    last = len(SCORES) - 1

    def width(line: NDArray[np.int64]) -> Replicates:
        at = first + line
        return np.asarray(np.sqrt(variances[0] * squares[0][at] + variances[1] * squares[1][at]), dtype=np.float32)

    line = np.zeros(len(distance), dtype=np.int64)
    for step in 1 << np.arange(last.bit_length())[::-1]:
        further = np.minimum(line + step, last)
        line = np.where(width(further) <= distance, further, line)
    below, above = width(line), width(np.minimum(line + 1, last))
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.clip((distance - below) / (above - below), 0, 1)
    return np.asarray(SCORES[line] + np.where(line < last, part * (SCORES[1] - SCORES[0]), 0), dtype=np.float32)


def _rounded(df: Floats) -> list[int]:
    """Degrees of freedom as logarithms, in steps of 2 %."""
    return [int(step) for step in np.rint(np.log(df) / DF_STEP)]


@lru_cache(maxsize=1024)
def _squared_quantiles(step: int) -> Replicates:
    """Squares of the t quantiles at SCORES."""
    return np.asarray(np.square(t_quantile(SCORES, np.array(np.exp(DF_STEP * step)))), dtype=np.float32)


def _standardised(deviations: Replicates) -> Replicates:
    """Rows with mean 0 and variance 1; 0 where a row does not vary."""
    centred = deviations - deviations.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    return np.asarray(centred / np.where(deviation > 0, deviation, 1), dtype=np.float32)


def _upper(values: Replicates, confidence: float) -> float:
    rank = min(len(values) - 1, int(np.ceil(confidence * (len(values) + 1))) - 1)
    return float(np.partition(values, rank)[rank])
