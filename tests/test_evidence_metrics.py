"""Every built-in metric against plain NumPy, fairlearn and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_toys import COUNTING, SCORING
from fairlearn.metrics import (
    MetricFrame,
    count,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)
from scipy.special import expit
from scipy.stats import rankdata
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score

from auditkit.contracts import CountMetric, ScoreMetric
from auditkit.evidence.disparity import tabulate
from auditkit.evidence.parts import probabilities
from auditkit_plugins.metrics.counting import ErrorShare
from auditkit_plugins.metrics.records import METRICS
from auditkit_plugins.metrics.scoring import AUROC, Brier, CalibrationOptions, ExpectedCalibrationError

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 2, 400)
PREDICTION = np.where(RNG.random(400) < 0.8, TRUTH, 1 - TRUTH)
WEIGHT = RNG.integers(1, 5, 400)
GROUP = RNG.integers(0, 3, 400)
WITHIN = RNG.integers(0, 2, 400)
SCORE = np.clip(RNG.normal(0.3 + 0.4 * TRUTH, 0.3), 0.01, 0.99).round(2)

BY_HAND = {
    "accuracy": lambda t, p, w: w[t == p].sum() / w.sum(),
    "error_rate": lambda t, p, w: w[t != p].sum() / w.sum(),
    "selection_rate": lambda t, p, w: w[p == 1].sum() / w.sum(),
    "true_positive_rate": lambda t, p, w: w[(t == 1) & (p == 1)].sum() / w[t == 1].sum(),
    "false_positive_rate": lambda t, p, w: w[(t == 0) & (p == 1)].sum() / w[t == 0].sum(),
    "true_negative_rate": lambda t, p, w: w[(t == 0) & (p == 0)].sum() / w[t == 0].sum(),
    "false_negative_rate": lambda t, p, w: w[(t == 1) & (p == 0)].sum() / w[t == 1].sum(),
    "precision": lambda t, p, w: w[(t == 1) & (p == 1)].sum() / w[p == 1].sum(),
    "prevalence": lambda t, p, w: w[t == 1].sum() / w.sum(),
    "count": lambda t, p, w: w.sum(),
}
FAIRLEARN = {
    "accuracy": accuracy_score,
    "selection_rate": selection_rate,
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
    "true_negative_rate": true_negative_rate,
    "false_negative_rate": false_negative_rate,
    "precision": precision_score,
}


def counts() -> np.ndarray:
    """(4, 1 unit, 3, 2) weighted counts per cell and group."""
    result = np.zeros((4, 1, 3, 2))
    np.add.at(result, (2 * TRUTH + PREDICTION, 0, GROUP, WITHIN), WEIGHT)
    return result


@pytest.mark.parametrize("name", COUNTING)
def test_a_count_metric_is_what_it_says(name: str) -> None:
    metric = COUNTING[name]
    assert isinstance(metric, CountMetric)
    tn, fp, fn, tp = counts().sum(axis=(1, 2, 3))
    numerator, denominator = metric.compute(tp, fp, fn, tn)
    assert numerator / denominator == pytest.approx(BY_HAND[name](TRUTH, PREDICTION, WEIGHT))


@pytest.mark.parametrize("held", [(), (0,), (1,)])
def test_tables_equal_metric_frame_on_rows_with_weights_and_control_features(held: tuple[int, ...]) -> None:
    tables = tabulate(counts(), {name: COUNTING[name] for name in FAIRLEARN}, held)
    features = [GROUP, WITHIN]
    frame = MetricFrame(
        metrics=FAIRLEARN,
        y_true=TRUTH,
        y_pred=PREDICTION,
        sensitive_features={str(axis): features[axis] for axis in (0, 1) if axis not in held},
        control_features={str(axis): features[axis] for axis in held} or None,
        sample_params={name: {"sample_weight": WEIGHT} for name in FAIRLEARN},
    )
    for name, table in tables.items():
        order = [*held, *(axis for axis in (0, 1) if axis not in held)]
        by_group = frame.by_group[name].sort_index().to_numpy().reshape([(3, 2)[axis] for axis in order])
        np.testing.assert_allclose(np.transpose(table.by_group[0], order), by_group, rtol=1e-12)
        np.testing.assert_allclose(table.difference[0], frame.difference()[name], rtol=1e-12)
        np.testing.assert_allclose(table.ratio[0], frame.ratio()[name], rtol=1e-12)


def test_the_number_of_images_equals_fairlearns_count() -> None:
    cells = np.zeros((4, 1, 3))
    np.add.at(cells, (2 * TRUTH + PREDICTION, 0, GROUP), 1)
    frame = MetricFrame(metrics={"n": count}, y_true=TRUTH, y_pred=PREDICTION, sensitive_features=GROUP)
    table = tabulate(cells, {"count": COUNTING["count"]})["count"]
    assert table.by_group[0].tolist() == frame.by_group["n"].tolist()


def test_error_shares_are_shares_of_all_errors() -> None:
    tn, fp, fn, tp = counts()[:, 0].sum(axis=2)
    numerator, denominator = ErrorShare(None).compute(tp, fp, fn, tn)
    wrong = [WEIGHT[(TRUTH != PREDICTION) & (group == GROUP)].sum() for group in range(3)]
    np.testing.assert_allclose(numerator / denominator, np.array(wrong) / sum(wrong))


def test_scores_against_plain_numpy() -> None:
    weight = WEIGHT.astype(float)
    higher = (SCORE[TRUTH == 1][:, None] > SCORE[TRUTH == 0]) + 0.5 * (SCORE[TRUTH == 1][:, None] == SCORE[TRUTH == 0])
    each = np.outer(weight[TRUTH == 1], weight[TRUTH == 0])
    assert AUROC(None).compute(TRUTH, SCORE, weight) == pytest.approx((higher * each).sum() / each.sum())
    assert AUROC(None).compute(TRUTH, SCORE, weight) == pytest.approx(roc_auc_score(TRUTH, SCORE, sample_weight=weight))
    assert Brier(None).compute(TRUTH, SCORE, weight) == pytest.approx(np.average((SCORE - TRUTH) ** 2, weights=weight))
    error = 0.0
    for number in range(10):
        inside = np.floor(SCORE * 10 + 1e-9) == number
        gap = np.average(TRUTH[inside], weights=weight[inside]) - np.average(SCORE[inside], weights=weight[inside])
        error += abs(gap) * weight[inside].sum() / weight.sum()
    shifted = SCORE + 1e-9
    found = ExpectedCalibrationError(CalibrationOptions(bins=10)).compute(TRUTH, shifted, weight)
    assert found == pytest.approx(error, abs=1e-6)


@pytest.mark.parametrize("name", SCORING)
def test_influence_is_the_derivative_with_respect_to_each_weight(name: str) -> None:
    metric = SCORING[name]
    assert isinstance(metric, ScoreMetric)
    weight = WEIGHT.astype(float)
    influence = metric.influence(TRUTH, SCORE, weight)
    assert influence is not None
    for row in range(0, 400, 40):
        more, less = weight.copy(), weight.copy()
        more[row] += 1e-4
        less[row] -= 1e-4
        slope = (metric.compute(TRUTH, SCORE, more) - metric.compute(TRUTH, SCORE, less)) / 2e-4
        assert influence[row] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("spread", [1e-20, 1e-7, 3, 25, 40, 900, 1e30])
def test_different_margins_have_different_probabilities_in_their_order(spread: float) -> None:
    margin = np.append(RNG.normal(0, spread, 20_000), [0, -0.0, np.inf, -np.inf]).astype(np.float32)
    found = probabilities(margin)
    np.testing.assert_array_equal(rankdata(found), rankdata(margin))
    np.testing.assert_allclose(found, expit(margin.astype(float)), rtol=0, atol=1e-11)
    assert 0 <= found.min() <= found.max() <= 1


def test_one_class_only_is_no_ranking() -> None:
    assert np.isnan(AUROC(None).compute(np.ones(5, dtype=np.int8), np.linspace(0, 1, 5), np.ones(5)))


def test_records_name_every_metric_and_import_little() -> None:
    assert [record.id for record in METRICS] == [*COUNTING, "error_share", *SCORING]
    assert all(record.factory.startswith("auditkit_plugins.metrics.") and record.summary for record in METRICS)
