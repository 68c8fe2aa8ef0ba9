"""Many questions at once: critical values with which all intervals of a family hold together, and a step-down test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.uncertainty import Ends, Floats, Replicates, Spread, normal_quantile

SLIVER = 1e-12
"""How far from zero an interval ends that excludes zero and no more."""


@dataclass(frozen=True, slots=True, eq=False)
class Simultaneous:
    """Critical values for a family of q estimates.

    score: the normal quantile at which the intervals of all hold at once. rejected: (q,) bool, estimates that the
    step-down test (Romano & Wolf, Econometrica 2005) tells from zero, never fewer than the intervals do.
    """

    score: float
    rejected: NDArray[np.bool_]


def simultaneous(
    deviations: Replicates,
    estimate: Floats,
    spread: Spread,
    design: NDArray[np.int64],
    confidence: float,
    rng: np.random.Generator,
) -> Simultaneous:
    """Critical values from the largest |t| over a family, per replicate.

    deviations: (q, replicates), NaN where undefined. design: (q, 3), of each estimate what it is of, its arm, and the
    arm it is measured against (-1: none); estimates of the same thing share the estimate of their variance.
    """
    if not len(deviations):
        return Simultaneous(normal_quantile(confidence), np.zeros(0, dtype=bool))
    score = spread.score(np.abs(estimate))
    replicated = _replicated_scores(deviations, spread, design, rng)
    running = np.zeros(deviations.shape[1], dtype=np.float32)
    critical = np.empty(len(deviations))
    for row in np.argsort(score, kind="stable"):
        np.fmax(running, replicated[row], out=running)
        critical[row] = _upper(running, confidence)
    not_rejected = score[score <= critical]
    return Simultaneous(float(critical.max()), score > not_rejected.max(initial=-np.inf))


def _replicated_scores(
    deviations: Replicates, spread: Spread, design: NDArray[np.int64], rng: np.random.Generator
) -> Replicates:
    """(q, replicates): scores that estimates could have had by chance alone.

    To the replicates of people comes normal noise for the seeds of each arm, as much as its share of the variance,
    independent between things, since few seeds tell too little of correlations; then division by a standard error that
    was itself estimated, as a spread is, drawn once for all estimates of the same thing.
    """
    result = np.empty_like(deviations)
    shares, shown = spread.seed_share, (spread.retraining - spread.seeds) / spread.total
    order = np.argsort(design[:, 0], kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(design[order, 0])) + 1):
        noise = rng.standard_normal((1 + int(design[rows, 1:].max()), deviations.shape[1]), dtype=np.float32)
        people, seeds = (_estimated(df[rows], deviations.shape[1], rng) for df in (spread.people_df, spread.seeds_df))
        for row in rows:
            share = float(shares[row])
            t = _standardised(deviations[row], 1 - share)
            if share > 0:
                t += np.float32(np.sqrt(share)) * _arm_noise(noise, design[row])
            added = np.maximum(seeds * np.float32(share + shown[row]) - np.float32(shown[row]), 0)
            parts = people * np.float32(1 - share), added
            result[row] = _normal_score(t, parts, (spread.people_df[row], spread.seeds_df[row]))
    return result


def _estimated(df: Floats, replicates: int, rng: np.random.Generator) -> Replicates:
    """Estimates of a variance of 1 with the median of some degrees of freedom."""
    shape = float(np.median(df)) / 2
    return np.asarray(rng.standard_gamma(shape, size=replicates) / shape, dtype=np.float32)


def _normal_score(t: Replicates, parts: tuple[Replicates, Replicates], df: tuple[float, float]) -> Replicates:
    """|t| over the root of a sum of estimated variances, as the normal quantile with the same tail.

    Degrees of freedom of the sum as in Satterthwaite (Biometrics Bulletin 1946), the quantile as in Wallace (Annals of
    Mathematical Statistics 1959).
    """
    total = parts[0] + parts[1]
    both = np.square(total) / (np.square(parts[0]) / np.float32(df[0]) + np.square(parts[1]) / np.float32(df[1]))
    score = (8 * both + 1) / (8 * both + 3) * np.sqrt(both * np.log1p(np.square(t) / total / both))
    return np.asarray(score, dtype=np.float32)


def _standardised(deviations: Replicates, variance: float) -> Replicates:
    """One row with mean 0 and the given variance."""
    deviation = np.nanstd(deviations, dtype=np.float64)
    factor = np.sqrt(variance) / deviation if deviation > 0 else 0.0
    centred = deviations - np.float32(np.nanmean(deviations, dtype=np.float64))
    return np.asarray(centred * np.float32(factor), dtype=np.float32)


def _arm_noise(noise: Replicates, design: NDArray[np.int64]) -> Replicates:
    """Standard normal noise of an arm, or of the difference of two."""
    _, arm, against = design
    if against < 0:
        return np.asarray(noise[arm])
    return np.asarray((noise[arm] - noise[against]) * np.float32(np.sqrt(0.5)))


def _upper(values: Replicates, confidence: float) -> float:
    rank = min(len(values) - 1, int(np.ceil(confidence * (len(values) + 1))) - 1)
    return float(np.partition(values, rank)[rank])


def clear_of_zero(low: Floats, high: Floats, estimate: Floats, rejected: NDArray[np.bool_]) -> Ends:
    """Move the end beyond zero to just this side of it where the step-down test rejected what the interval has not.

    The intervals stay simultaneous (Strassburger & Bretz, Statistics in Medicine 2008).
    """
    low = np.where(rejected & (estimate > 0) & (low <= 0), SLIVER, low)
    high = np.where(rejected & (estimate < 0) & (high >= 0), -SLIVER, high)
    return low, high
