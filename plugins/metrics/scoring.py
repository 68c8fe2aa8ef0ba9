"""Metrics of the predicted probability, from scikit-learn where it has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, roc_auc_score

from auditkit import ScoreMetric
from auditkit_plugins.metrics.records import CalibrationOptions

Truth = NDArray[np.int8]
Floats = NDArray[np.float64]


class AUROC(ScoreMetric):
    """Chance that a positive scores above a negative, ties counting half (scikit-learn's roc_auc_score)."""

    percent = False
    bounds = (0.0, 1.0)

    def compute(self, truth: Truth, score: Floats, weight: Floats) -> float:
        """Area under the ROC curve; NaN with one class only."""
        if not 0 < weight[truth == 1].sum() < weight.sum():
            return float("nan")
        return float(roc_auc_score(truth, score, sample_weight=weight))

    def influence(self, truth: Truth, score: Floats, weight: Floats) -> Floats:
        """Placement of each row among the other class, less the area, over its class's weight (DeLong et al. 1988)."""
        positive = truth == 1
        result = np.zeros(len(truth))
        for mine, sign in ((positive, 1.0), (~positive, -1.0)):
            below, tied = _placement(score[mine], score[~mine], weight[~mine])
            share = (below + tied / 2) / weight[~mine].sum()
            place = share if sign > 0 else 1 - share
            result[mine] = (place - np.average(place, weights=weight[mine])) / weight[mine].sum()
        return result


class Brier(ScoreMetric):
    """Mean squared difference between probability and truth (scikit-learn's brier_score_loss)."""

    percent = False
    bounds = (0.0, 1.0)
    compares_classes = False

    def compute(self, truth: Truth, score: Floats, weight: Floats) -> float:
        """Brier score; NaN without rows."""
        if weight.sum() == 0:
            return float("nan")
        return float(brier_score_loss(truth, score, sample_weight=weight, pos_label=1))

    def influence(self, truth: Truth, score: Floats, weight: Floats) -> Floats:
        """Derivative of a weighted mean."""
        loss = (score - truth) ** 2
        return np.asarray((loss - np.average(loss, weights=weight)) / weight.sum(), dtype=np.float64)


class ExpectedCalibrationError(ScoreMetric):
    """Mean distance of share and probability over bins of equal width (Naeini et al. 2015; Guo et al. 2017)."""

    percent = False
    bounds = (0.0, 1.0)
    compares_classes = False
    Options = CalibrationOptions

    def compute(self, truth: Truth, score: Floats, weight: Floats) -> float:
        """Sum over bins of |sum of weight (truth - score)|, over all weight; NaN without rows."""
        total = weight.sum()
        if total == 0:
            return float("nan")
        return float(np.abs(self._excess(truth, score, weight)).sum() / total)

    def influence(self, truth: Truth, score: Floats, weight: Floats) -> Floats:
        """Derivative where no bin is balanced exactly."""
        sign = np.sign(self._excess(truth, score, weight))[self._bin(score)]
        value = self.compute(truth, score, weight)
        return np.asarray((sign * (truth - score) - value) / weight.sum(), dtype=np.float64)

    def _bin(self, score: Floats) -> NDArray[np.int64]:
        bins = int(self.options.bins)
        return np.minimum((score * bins).astype(np.int64), bins - 1)

    def _excess(self, truth: Truth, score: Floats, weight: Floats) -> Floats:
        summed = np.bincount(self._bin(score), weights=weight * (truth - score), minlength=self.options.bins)
        return np.asarray(summed, dtype=np.float64)


def _placement(score: Floats, other: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weight of `other` strictly below, and equal to, each score."""
    order = np.argsort(other, kind="stable")
    cumulative = np.concatenate([[0.0], np.cumsum(weight[order])])
    low = cumulative[np.searchsorted(other[order], score, side="left")]
    high = cumulative[np.searchsorted(other[order], score, side="right")]
    return low, high - low
