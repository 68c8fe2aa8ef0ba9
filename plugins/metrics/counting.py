"""Metrics that are ratios of sums of true and false positives and negatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit import CountMetric, TableMetric

Counts = NDArray[Any]
Ratio = tuple[Counts, Counts]


class Accuracy(CountMetric):
    """Share of images predicted rightly: (TP + TN) / all."""

    within_target = True

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(TP + TN, all)."""
        return tp + tn, tp + fp + fn + tn


class ErrorRate(CountMetric):
    """Share of images predicted wrongly: (FP + FN) / all."""

    within_target = True

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(FP + FN, all)."""
        return fp + fn, tp + fp + fn + tn


class SelectionRate(CountMetric):
    """Share of images predicted positive: (TP + FP) / all."""

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(TP + FP, all)."""
        return tp + fp, tp + fp + fn + tn


class TruePositiveRate(CountMetric):
    """Share of positives found: TP / (TP + FN), also recall or sensitivity."""

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(TP, TP + FN)."""
        return tp, tp + fn


class FalsePositiveRate(CountMetric):
    """Share of negatives taken for positives: FP / (FP + TN)."""

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(FP, FP + TN)."""
        return fp, fp + tn


class TrueNegativeRate(CountMetric):
    """Share of negatives recognised: TN / (FP + TN), also specificity."""

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(TN, FP + TN)."""
        return tn, fp + tn


class FalseNegativeRate(CountMetric):
    """Share of positives missed: FN / (TP + FN)."""

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(FN, TP + FN)."""
        return fn, tp + fn


class Precision(CountMetric):
    """Share of positive predictions that are right: TP / (TP + FP)."""

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(TP, TP + FP)."""
        return tp, tp + fp


class Prevalence(CountMetric):
    """Share of positives among the images, whatever was predicted: (TP + FN) / all."""

    describes_test = True

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(TP + FN, all)."""
        return tp + fn, tp + fp + fn + tn


class Count(CountMetric):
    """Number of images."""

    percent = False
    within_target = True
    describes_test = True

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(all, 1)."""
        total = tp + fp + fn + tn
        return total, np.ones_like(total)


class ErrorShare(TableMetric):
    """Each group's share of all errors: (FP + FN of the group) / (FP + FN of all groups)."""

    within_target = True

    def compute(self, tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Ratio:
        """(errors of the group, errors of all groups)."""
        errors = fp + fn
        return errors, np.broadcast_to(errors.sum(axis=-1, keepdims=True), errors.shape)
