"""The four confusion cells, numbered 2 * truth + prediction, and which of them a metric is computed from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import CountMetric, Metric, ScoreMetric, TableMetric

ALL_CELLS = (0, 1, 2, 3)


def supporting_cells(metric: Metric) -> tuple[tuple[int, ...], ...]:
    """Sets of confusion cells, each of which must hold enough images: those of the metric's denominator.

    A metric that sets positives against negatives needs both. All four cells where it cannot be told.
    """
    if isinstance(metric, ScoreMetric):
        return ((0, 1), (2, 3)) if metric.compares_classes else (ALL_CELLS,)
    try:
        if isinstance(metric, TableMetric):
            denominator = compute_table(metric, np.eye(4)[:, :, None])[1][:, 0]
        elif isinstance(metric, CountMetric):
            denominator = compute(metric, np.eye(4))[1]
    except Exception:
        return (ALL_CELLS,)
    return (tuple(np.flatnonzero(denominator).tolist()) or ALL_CELLS,)


def compute(metric: CountMetric, cells: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Numerator and denominator; cells: (4, ...) true and false negatives and positives, as cells are numbered."""
    tn, fp, fn, tp = cells
    numerator, denominator = map(_numbers, metric.compute(tp, fp, fn, tn))
    return np.broadcast_to(numerator, tp.shape), np.broadcast_to(denominator, tp.shape)


def compute_table(metric: TableMetric, cells: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """As `compute`, with groups moved from the third to the last axis for the metric, and back."""
    last = np.moveaxis(cells, 2, -1)
    tn, fp, fn, tp = last
    both = map(_numbers, metric.compute(tp, fp, fn, tn))
    return tuple(np.moveaxis(np.broadcast_to(part, tp.shape), -1, 1) for part in both)


def _numbers(found: Any) -> NDArray[Any]:
    """What a metric returned, if it is numbers."""
    values = np.asarray(found)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"it returned {found!r}, and numerator and denominator must be numbers")
    return values
