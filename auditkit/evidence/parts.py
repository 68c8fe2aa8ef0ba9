"""Metrics of the three kinds, evaluated in groups of people: values, replicates, and each person's influence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from auditkit.contracts import CountMetric, Metric, ScoreMetric, TableMetric
from auditkit.evidence.cells import compute, compute_table
from auditkit.evidence.grouping import Grouping
from auditkit.evidence.layout import Layout
from auditkit.evidence.resampling import Replicates

Floats = NDArray[np.float64]
LEFT_OUT = 100
"""Into so many parts people are put, each left out in turn, when a metric of scores does not know its influence."""
_NEAR, _FAR = 1e-6, 20
"""Between these, different margins of either sign have different probabilities."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A metric in one group.

    value, numerator, denominator: (units,) float64, NaN where undefined; replicates: (arms, replicates) of the mean
    over seeds; influence: (units, blocks), what each block of people adds to its error; failure: what the metric
    raised, "" if nothing.
    """

    value: Floats
    numerator: Floats
    denominator: Floats
    replicates: Replicates
    influence: Replicates
    failure: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Counts of one grouping and what resampling makes of them.

    counts: (4, units, groups, blocks) from `layout.count`; replicates: (4, units, groups, replicates); weight:
    (blocks, replicates).
    """

    counts: NDArray[np.float32]
    replicates: Replicates
    weight: Replicates


def evaluate(layout: Layout, grouping: Grouping, metric: Metric, drawn: Drawn) -> Iterator[Parts]:
    """Parts of each group; a failure of the metric in one group leaves the others alone."""
    if isinstance(metric, TableMetric):
        yield from _shares(layout, metric, drawn)
        return
    for g in range(len(grouping)):
        try:
            if isinstance(metric, CountMetric):
                yield _rate(layout, metric, drawn.counts[:, :, g], drawn.replicates[:, :, g])
            elif isinstance(metric, ScoreMetric):
                yield _score(layout, grouping.code == g, metric, drawn.weight)
        except Exception as error:
            yield _failed(layout, drawn, error)


def mean_over_seeds(layout: Layout, values: NDArray[Any]) -> Replicates:
    """(arms, ...) means of (units, ...) values."""
    return np.stack([values[layout.units_of(arm)].mean(axis=0) for arm in range(len(layout.arms))])


def _rate(layout: Layout, metric: CountMetric, counts: NDArray[np.float32], replicates: Replicates) -> Parts:
    numerator, denominator = compute(metric, counts.sum(axis=-1, dtype=np.float64))
    value = _divide(numerator, denominator)
    above, below = compute(metric, counts)
    _must_be_sums(numerator, denominator, above, below)
    influence = _divide(above - value.astype(np.float32)[:, None] * below, denominator[:, None])
    drawn = _divide(*compute(metric, replicates))
    return Parts(value, numerator, denominator, mean_over_seeds(layout, drawn), influence.astype(np.float32))


def _shares(layout: Layout, metric: TableMetric, drawn: Drawn) -> Iterator[Parts]:
    try:
        numerator, denominator = compute_table(metric, drawn.counts.sum(axis=-1, dtype=np.float64))
        above, below = compute_table(metric, drawn.counts)
        _must_be_sums(numerator, denominator, above, below)
        rates = _divide(*compute_table(metric, drawn.replicates))
    except Exception as error:
        yield from [_failed(layout, drawn, error)] * drawn.counts.shape[2]
        return
    values = _divide(numerator, denominator)
    for g in range(values.shape[1]):
        rest = above[:, g] - values[:, g, None] * below[:, g]
        influence = _divide(rest, denominator[:, g, None]).astype(np.float32)
        yield Parts(values[:, g], numerator[:, g], denominator[:, g], mean_over_seeds(layout, rates[:, g]), influence)


def _must_be_sums(*parts: NDArray[Any]) -> None:
    if not all(np.isfinite(part).all() for part in parts):
        raise ValueError("numerator and denominator must be finite: a metric of counts is a ratio of sums")


def _divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[Any]:
    """The ratio, NaN where there is no denominator."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.asarray(numerator / denominator)
    ratio[np.broadcast_to(denominator == 0, ratio.shape)] = np.nan
    return ratio


def _score(layout: Layout, inside: NDArray[np.bool_], metric: ScoreMetric, weight: Replicates) -> Parts:
    units = [_one_score(layout, inside & (layout.cell[unit] >= 0), unit, metric) for unit in range(layout.units)]
    value = np.array([unit[0] for unit in units])
    size = np.array([unit[1] for unit in units], dtype=np.float64)
    influence = np.stack([unit[2] for unit in units]).astype(np.float32)
    averaged = mean_over_seeds(layout, influence)
    centre = mean_over_seeds(layout, value)[:, None] - averaged.sum(axis=1, keepdims=True)
    replicates = (centre + averaged @ weight).astype(np.float32)
    return Parts(value, np.full(layout.units, np.nan), size, replicates, influence)


def _one_score(
    layout: Layout, use: NDArray[np.bool_], unit: int, metric: ScoreMetric
) -> tuple[float, int, NDArray[np.float64]]:
    """Value, number of rows and influence of every block of one unit in one group."""
    truth, score = layout.panel.truth[use], probabilities(layout.margin[unit, use])
    weight, block = np.ones(len(truth)), layout.block[use]
    value = metric.compute(truth, score, weight) if len(truth) else np.nan
    if not np.isfinite(value):
        return np.nan, len(truth), np.full(layout.blocks, np.nan)
    of_rows = metric.influence(truth, score, weight)
    if of_rows is not None:
        summed = np.bincount(block, weights=of_rows, minlength=layout.blocks)
        return value, len(truth), np.asarray(summed, dtype=np.float64)
    return value, len(truth), _left_out(layout, metric, value, block, (truth, score, weight))


def probabilities(margin: NDArray[np.float32]) -> Floats:
    """(n,) probabilities in the very order of the margins, so that a metric that ranks them ranks these.

    Beyond 37 the nearest double of every probability is 1. There, and wherever else different margins would give the
    same one, each has the next double instead, which moves no probability by more than 1e-10 of n = 10^6.
    """
    size = np.abs(margin)
    if not ((size > _FAR) | (size < _NEAR)).any():
        return np.asarray(expit(margin.astype(np.float64)))
    unlike, place = np.unique(margin, return_inverse=True)
    rank = np.arange(len(unlike))
    # doubles that are not negative are in the order of their bits
    bits = np.abs(expit(unlike.astype(np.float64))).view(np.int64)
    apart = np.maximum.accumulate(bits - rank) + rank
    below_one = np.float64(1).view(np.int64) - rank[::-1]
    return np.asarray(np.minimum(apart, below_one).view(np.float64)[place])


def _left_out(
    layout: Layout,
    metric: ScoreMetric,
    value: float,
    block: NDArray[np.int64],
    rows: tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Influences as the jackknife has them: centred, and (g - 1) / g of what leaving out each of g parts does."""
    influence = np.zeros(layout.blocks)
    parts = np.unique(block % LEFT_OUT)
    for part in parts:
        kept = block % LEFT_OUT != part
        influence[part] = value - metric.compute(*(column[kept] for column in rows)) if kept.any() else np.nan
    influence[parts] = (influence[parts] - influence[parts].mean()) * (len(parts) - 1) / len(parts)
    return influence


def _failed(layout: Layout, drawn: Drawn, error: Exception) -> Parts:
    nothing = np.full(layout.units, np.nan)
    return Parts(
        nothing,
        nothing,
        nothing,
        np.full((len(layout.arms), drawn.weight.shape[1]), np.nan, dtype=np.float32),
        np.full((layout.units, layout.blocks), np.nan, dtype=np.float32),
        f"the metric raised {type(error).__name__}: {error}",
    )
