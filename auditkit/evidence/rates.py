"""Rates that the core asks for itself; it knows no plugin, not even the built-in metrics."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from auditkit.contracts import CountMetric

Counts = NDArray[Any]


class Accuracy(CountMetric):
    """Share of images predicted rightly."""

    within_target = True

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> tuple[Counts, Counts]:
        """Right predictions, and all of them."""
        return tp + tn, tp + fp + fn + tn


class ErrorRate(CountMetric):
    """Share of images predicted wrongly."""

    within_target = True

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> tuple[Counts, Counts]:
        """Wrong predictions, and all of them."""
        return fp + fn, tp + fp + fn + tn
