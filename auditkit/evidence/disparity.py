"""Point tables of disparity from fairlearn's MetricFrame, the only room that knows it.

MetricFrame is fed one row per unit, group, truth and prediction, with the number of images as `sample_weight`: the
same values as one row per image, a hundred times faster. A rate without a denominator is NaN here, never 0.0, and so is
every difference and ratio that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from numpy.typing import NDArray

from auditkit.contracts import CountMetric

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What MetricFrame says of one metric.

    by_group: (units, *levels of each attribute); difference and ratio: (units, *levels of the attributes held), the
    largest less the smallest group, and the smallest over the largest. NaN wherever a denominator is missing.
    """

    by_group: Values
    difference: Values
    ratio: Values


def tabulate(
    counts: NDArray[np.float64], metrics: Mapping[str, CountMetric], held: tuple[int, ...] = ()
) -> dict[str, Table]:
    """Tables of count metrics.

    counts: (4, units, *levels of each attribute), the cells being 2 * truth + prediction. `held` are positions of
    attributes that serve as control features: differences are taken over the others, within each combination of them.
    """
    if not metrics:
        return {}
    frame = _frame(counts, metrics, held)
    shape = counts.shape[1:]
    free = tuple(axis for axis in range(len(shape) - 1) if axis not in held)
    order = (0, *(1 + axis for axis in (*held, *free)))
    kept = (shape[0], *(shape[1 + axis] for axis in held))
    arranged = [shape[axis] for axis in order]
    back = tuple(np.argsort(order))
    tables = {}
    for name in metrics:
        sorted_groups = _full(frame.by_group[name], arranged)
        undefined = np.isnan(sorted_groups.reshape(*kept, -1)).any(axis=-1)
        tables[name] = Table(
            sorted_groups.transpose(back),
            np.where(undefined, np.nan, _full(frame.difference()[name], kept)),
            np.where(undefined, np.nan, _full(frame.ratio()[name], kept)),
        )
    return tables


def of_values(values: Values, held: tuple[int, ...] = ()) -> Table:
    """The same table for a metric that cannot be had from counts; values: (units, *levels of each attribute)."""
    free = tuple(axis for axis in range(1, values.ndim) if axis - 1 not in held)
    smallest, largest = values.min(axis=free), values.max(axis=free)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Table(values, largest - smallest, np.where(largest == 0, np.nan, smallest / largest))


def _frame(counts: NDArray[np.float64], metrics: Mapping[str, CountMetric], held: tuple[int, ...]) -> MetricFrame:
    """MetricFrame of the counts; features are renamed, since one called y_true would break it."""
    index = np.indices(counts.shape).reshape(counts.ndim, -1)
    features = {f"feature {axis}": index[2 + axis] for axis in range(counts.ndim - 2) if axis not in held}
    sensitive = pd.DataFrame(features or {"everybody": np.zeros_like(index[0])})
    control = pd.DataFrame({"unit": index[1]} | {f"feature {axis}": index[2 + axis] for axis in held})
    return MetricFrame(
        metrics={name: _callable(metric) for name, metric in metrics.items()},
        y_true=index[0] // 2,
        y_pred=index[0] % 2,
        sensitive_features=sensitive,
        control_features=control,
        sample_params={name: {"sample_weight": counts.ravel()} for name in metrics},
    )


def _callable(metric: CountMetric) -> Callable[..., float]:
    """A metric as MetricFrame calls it; NaN where it is undefined or fails, so that other groups stand."""

    def value(y_true: Values, y_pred: Values, sample_weight: Values) -> float:
        cell = np.asarray(y_true, dtype=np.int64) * 2 + np.asarray(y_pred, dtype=np.int64)
        tn, fp, fn, tp = np.bincount(cell, weights=np.asarray(sample_weight, dtype=np.float64), minlength=4)
        try:
            numerator, denominator = metric.compute(tp, fp, fn, tn)
            value = float(numerator / denominator) if denominator else float("nan")
        except Exception:
            return float("nan")
        return value if isfinite(value) else float("nan")

    return value


def _full(series: pd.Series[float], shape: tuple[int, ...] | list[int]) -> Values:
    return np.asarray(series.sort_index(), dtype=np.float64).reshape(shape)
