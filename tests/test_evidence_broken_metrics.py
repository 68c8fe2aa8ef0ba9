"""Metrics that fail, or have no number, in some groups: these say so, and the others stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import (
    ACCURACY,
    COUNTING,
    MALE,
    MEN,
    WOMEN,
    evidence,
    toy_panel,
    value,
    with_margin,
)

from auditkit.contracts import CountMetric, ScoreMetric
from auditkit.evidence.findings import derive

PANEL = toy_panel()


def test_no_denominator_is_not_estimable() -> None:
    margin = PANEL.arms[1].margin.copy()
    margin[1] = -1
    found = derive([with_margin(PANEL, 1, margin)], evidence(), {"precision": COUNTING["precision"]} | ACCURACY)
    one = value(found, metric="precision")
    assert (one.status, one.estimate) == ("not estimable", None)
    assert one.reason == "no image counts in the denominator with seed 1"
    change = value(found, metric="precision", arm="arm2", quantity="change")
    assert change.status == "estimable"
    assert value(found).status == "estimable"
    assert "Smiling: arm 'arm1' with seed 1 predicts the same for every image, negative" in found.remarks


def test_a_metric_that_raises_in_one_group_leaves_the_others_alone() -> None:
    class Touchy(CountMetric):
        def compute(self, tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
            if np.sum(tp) > 0 and np.sum(fn) == 0:
                raise ZeroDivisionError("no misses")
            return tp, fn + tp

    margin = np.where(PANEL.attributes["Male"] == 1, 2.0 * PANEL.truth - 1, PANEL.arms[1].margin)
    panel = replace(PANEL, arms=(PANEL.arms[0], replace(PANEL.arms[1], margin=margin.astype(np.float32))))
    panel = with_margin(panel, 0, margin)
    found = derive([panel], evidence(), {"touchy": Touchy(None)})
    men = value(found, metric="touchy", over=MALE, at=MEN)
    assert (men.status, men.reason) == ("not estimable", "the metric raised ZeroDivisionError: no misses")
    assert value(found, metric="touchy", over=MALE, at=WOMEN).status == "estimable"


class Unusable(CountMetric):
    """Returns something that is no share where nobody is missed."""

    def __init__(self, found: Any) -> None:
        super().__init__(None)
        self.found = found

    def compute(self, tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
        return (self.found, fn + tp) if np.sum(tp) > 0 and np.sum(fn) == 0 else (tp, fn + tp)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ("many", "TypeError: it returned 'many', and numerator and denominator must be numbers"),
        (None, "TypeError: it returned None, and numerator and denominator must be numbers"),
        (np.ones(7), "ValueError: operands could not be broadcast together with remapped shapes [original->remapped]: "
                     "(7,)  and requested shape (6,)"),
    ],
    ids=["text", "nothing", "another shape"],
)  # fmt: skip
def test_a_metric_that_returns_no_numbers_in_one_group_leaves_the_others_alone(found: Any, reason: str) -> None:
    margin = np.where(PANEL.attributes["Male"] == 1, 2.0 * PANEL.truth - 1, PANEL.arms[1].margin)
    two = replace(PANEL, arms=PANEL.arms[:2])
    panel = with_margin(with_margin(two, 0, margin), 1, margin)
    findings = derive([panel], evidence(), {"unusable": Unusable(found)} | ACCURACY)
    men = value(findings, metric="unusable", over=MALE, at=MEN)
    assert (men.status, men.reason) == ("not estimable", f"the metric raised {reason}")
    assert value(findings, metric="unusable", over=MALE, at=WOMEN).status == "estimable"
    assert value(findings).interval is not None


class Likelihood(CountMetric):
    """A ratio that is infinite where nobody is taken for positive by mistake, and no ratio of sums."""

    percent = False

    def compute(self, tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.divide(tp, fp), np.ones_like(tp)


class LikelihoodOfScores(ScoreMetric):
    """The same of scores."""

    percent = False

    def compute(self, truth: Any, score: Any, weight: Any) -> float:
        wrong = weight[(truth == 0) & (score > 0.5)].sum()
        return float(weight[truth == 1].sum() / wrong) if wrong else float("inf")


def test_a_metric_that_is_not_finite_is_not_estimable_there() -> None:
    right_about_men = np.where(PANEL.attributes["Male"] == 1, 2.0 * PANEL.truth - 1, PANEL.arms[1].margin)
    panel = with_margin(with_margin(PANEL, 0, right_about_men), 1, right_about_men)
    found = derive([panel], evidence(), {"counts": Likelihood(None), "scores": LikelihoodOfScores(None)} | ACCURACY)
    reasons = {name: value(found, metric=name, over=MALE, at=MEN).reason for name in ("counts", "scores")}
    assert reasons == {
        "counts": "the metric raised ValueError: numerator and denominator must be finite: a metric of counts is a "
        "ratio of sums",
        "scores": "not defined here: one class only, no scores, or not a finite number",
    }
    assert value(found, metric="scores", over=MALE, at=WOMEN).status == "estimable"
    assert value(found, metric="scores", over=MALE, quantity="gap", at=()).estimate is None
    assert value(found).interval is not None


def test_a_score_metric_that_raises_is_reported_too() -> None:
    class Broken(ScoreMetric):
        def compute(self, truth: Any, score: Any, weight: Any) -> float:
            raise ValueError("out of order")

    found = derive([PANEL], evidence(), {"broken": Broken(None)} | ACCURACY)
    assert value(found, metric="broken").reason == "the metric raised ValueError: out of order"
    assert value(found).status == "estimable"
