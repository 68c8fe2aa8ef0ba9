"""Intervals of findings beside those of scipy's and fairlearn's bootstrap, where every image is a person of its own."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from evidence_toys import COUNTING, SCORING, evidence, pick, toy_panel
from fairlearn.metrics import MetricFrame
from scipy import stats
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score

from auditkit.evidence.findings import derive
from auditkit.evidence.results import Finding

PANEL = toy_panel(n=4000, people=4000, arms=2, seeds=1, effect=0.5)
TRUTH = PANEL.truth
PREDICTED = [(arm.margin[0] > 0).astype(np.int8) for arm in PANEL.arms]
METRICS = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate", "precision")
OVER = ("Bald",)
GROUPS = (0, 1)
MONTE_CARLO = 0.05
"""Relative error of a width that 2,000 replicates give, twice over, and of the t quantile beside the normal one."""


@cache
def findings() -> tuple[Finding, ...]:
    asked = evidence(replicates=4000, groups=(OVER,))
    metrics = {name: COUNTING[name] for name in METRICS} | {"auroc": SCORING["auroc"]}
    return derive([PANEL], asked, metrics).findings


def interval(metric: str, group: int, quantity: str) -> tuple[float, float, float]:
    found = pick(findings(), metric=metric, over=OVER, at=(("Bald", group),), quantity=quantity)
    assert found.estimate is not None
    assert found.interval is not None
    return found.estimate, found.interval.low, found.interval.high


def parts(metric: str, arm: int) -> tuple[Any, Any]:
    """What a rate counts, and out of what, image by image."""
    predicted, right = PREDICTED[arm] == 1, PREDICTED[arm] == TRUTH
    everyone, positive = np.ones(len(TRUTH), dtype=bool), TRUTH == 1
    return {
        "accuracy": (right, everyone),
        "selection_rate": (predicted, everyone),
        "true_positive_rate": (predicted & positive, positive),
        "false_positive_rate": (predicted & ~positive, ~positive),
        "precision": (predicted & positive, predicted),
    }[metric]


def ratio(above: Any, below: Any, axis: int = -1) -> Any:
    return above.sum(axis=axis) / below.sum(axis=axis)


def difference(above: Any, below: Any, above_before: Any, below_before: Any, axis: int = -1) -> Any:
    return ratio(above, below, axis) - ratio(above_before, below_before, axis)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("quantity", ["value", "change"])
def test_an_interval_is_as_wide_as_that_of_scipy(quantity: str, metric: str, group: int) -> None:
    inside = PANEL.attributes["Bald"] == group
    after = [part[inside].astype(float) for part in parts(metric, 1)]
    before = [part[inside].astype(float) for part in parts(metric, 0)]
    data, statistic = (after, ratio) if quantity == "value" else ([*after, *before], difference)
    theirs = stats.bootstrap(
        data, statistic, paired=True, vectorized=True, n_resamples=2000, batch=200, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    estimate, low, high = interval(metric, group, quantity)
    assert estimate == pytest.approx(float(statistic(*data)), abs=1e-12)
    width = high - low
    assert width == pytest.approx(theirs.high - theirs.low, rel=2 * MONTE_CARLO)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.1 * width)


def test_an_interval_of_the_area_under_the_curve_is_as_wide_as_that_of_scipy() -> None:
    inside = PANEL.attributes["Bald"] == 1
    truth, score = TRUTH[inside], PANEL.arms[1].margin[0][inside]
    theirs = stats.bootstrap(
        (truth, score), roc_auc_score, paired=True, vectorized=False, n_resamples=600, method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    estimate, low, high = interval("auroc", 1, "value")
    assert estimate == pytest.approx(roc_auc_score(truth, score))
    assert high - low == pytest.approx(theirs.high - theirs.low, rel=0.15)


def test_intervals_are_those_of_fairlearn() -> None:
    """A share of the images of a group, and one of those predicted positive; it takes as long for every metric more."""
    theirs = {"accuracy": accuracy_score, "precision": precision_score}
    frame = MetricFrame(
        metrics=theirs, y_true=TRUTH, y_pred=PREDICTED[1], sensitive_features=PANEL.attributes["Bald"],
        n_boot=300, ci_quantiles=[0.025, 0.975], random_state=3,
    )  # fmt: skip
    low, high = frame.by_group_ci
    for metric in theirs:
        for group in GROUPS:
            _, ours_low, ours_high = interval(metric, group, "value")
            width = ours_high - ours_low
            assert width == pytest.approx(high[metric][group] - low[metric][group], rel=0.2)
            assert (ours_low, ours_high) == pytest.approx((low[metric][group], high[metric][group]), abs=0.15 * width)
