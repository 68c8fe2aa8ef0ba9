"""How large a metric can be, and what is made of it; imports nothing heavy."""

from __future__ import annotations

from math import inf

from auditkit.contracts import Metric, ScoreMetric


def is_share(metric: Metric) -> bool:
    """Whether the values of a metric lie between 0 and 1 by construction."""
    return metric.percent and not isinstance(metric, ScoreMetric) and not metric.describes_test


def bounds_of(metric: Metric) -> tuple[float, float]:
    """Least and largest value that a metric can have."""
    if isinstance(metric, ScoreMetric):
        return metric.bounds
    return (0.0, 1.0) if is_share(metric) else (-inf, inf)
