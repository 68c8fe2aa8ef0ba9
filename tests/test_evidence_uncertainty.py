"""Intervals from arrays: against other hands' code, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_toys import spread
from fairlearn.metrics import MetricFrame
from scipy import stats
from sklearn.metrics import accuracy_score

from auditkit.evidence.resampling import people_variance, redraw, resample, resample_cells, weights
from auditkit.evidence.uncertainty import (
    Spread,
    effective_number,
    gap_bounds,
    gap_change_bounds,
    normal_quantile,
    people_df,
    satterthwaite,
    t_quantile,
    unseen_variance,
    wilson,
)


def test_as_many_people_are_drawn_as_there_are() -> None:
    weight = weights(np.random.default_rng(0), 37, 200)
    assert weight.shape == (37, 200)
    assert (weight.sum(axis=0) == 37).all()
    assert abs(weight.var() - (1 - 1 / 37)) < 0.05


def test_sums_over_people_are_exact() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 300, (4, 3, 50)).astype(np.float32)
    weight = weights(rng, 50, 20)
    expected = np.einsum("abp,pr->abr", counts.astype(np.int64), weight.astype(np.int64))
    np.testing.assert_array_equal(resample(counts, weight), expected)


@pytest.mark.parametrize("every_unit_has_all_images", [True, False])
def test_sums_of_confusion_counts_are_those_of_their_cells(every_unit_has_all_images: bool) -> None:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 300, (2, 1, 2, 50)) + np.zeros((2, 5, 2, 50), dtype=np.int64)
    if not every_unit_has_all_images:
        images[1, 3, 0, 7] += 1
    positive = rng.integers(0, images + 1)
    counts = np.stack([images[0] - positive[0], positive[0], images[1] - positive[1], positive[1]]).astype(np.float32)
    weight = weights(rng, 50, 20)
    np.testing.assert_array_equal(resample_cells(counts, weight), resample(counts, weight))


def test_one_image_per_person_is_the_bootstrap_of_scipy_and_of_fairlearn() -> None:
    rng = np.random.default_rng(2)
    truth, group = rng.integers(0, 2, 400), np.repeat([0, 1], [150, 250])
    prediction = np.where(rng.random(400) < 0.85, truth, 1 - truth)
    right = (truth == prediction).astype(np.float32)
    weight = weights(rng, 400, 4000)
    ours = resample(np.stack([right * (group == 0), 1.0 * (group == 0)]).astype(np.float32), weight)
    rate = ours[0] / ours[1]
    frame = MetricFrame(
        metrics={"accuracy": accuracy_score}, y_true=truth, y_pred=prediction, sensitive_features=group,
        n_boot=150, ci_quantiles=[0.025, 0.5, 0.975], random_state=1,
    )  # fmt: skip
    theirs = [float(quantiles["accuracy"][0]) for quantiles in frame.by_group_ci]
    np.testing.assert_allclose(np.quantile(rate, [0.025, 0.5, 0.975]), theirs, atol=0.016)
    alone = stats.bootstrap((right[group == 0],), np.mean, n_resamples=4000, rng=np.random.default_rng(3))
    assert rate.std() == pytest.approx(alone.standard_error, rel=0.06)
    variance, _ = people_variance(rate.astype(np.float32), np.array(150))
    assert np.sqrt(variance) == pytest.approx(alone.standard_error, rel=0.06)


def test_undefined_replicates_are_counted_and_left_out() -> None:
    replicates = np.array([[1.0, 2, np.nan, 3], [1, 2, 3, 4]], dtype=np.float32)
    variance, missing = people_variance(replicates, np.array([10, 10]))
    np.testing.assert_allclose(variance, np.array([1.0, 5 / 3]) * 10 / 9)
    assert missing.tolist() == [1, 0]
    variance, missing = people_variance(np.array([[np.nan, np.nan, 1.0]], dtype=np.float32), np.array([10]))
    assert np.isnan(variance[0])
    assert missing.tolist() == [2]


def test_degrees_of_freedom_are_those_of_the_people_who_matter() -> None:
    rng = np.random.default_rng(4)
    even, none, people = rng.normal(size=(1, 5000)), np.zeros(1), np.array([5000])
    assert people_df(effective_number(even, none), people)[0] == pytest.approx(5000, rel=0.1)
    few = np.zeros((1, 5000))
    few[0, :4] = [1, -1, 1, -1]
    assert effective_number(few, none).tolist() == [4]
    assert people_df(effective_number(few, none), people)[0] == pytest.approx(8, rel=0.01)
    assert people_df(effective_number(np.zeros((1, 40)), none), np.array([40]))[0] == 39


def test_every_replicate_has_the_variance_of_its_own_people() -> None:
    """As a sample of as many people, drawn one by one, has it."""
    rng = np.random.default_rng(11)
    influence = rng.standard_t(3, size=(2, 40))
    influence -= influence.mean(axis=1, keepdims=True)
    weight = weights(rng, 40, 300)
    people = np.array([40, 40])
    found = redraw(influence, people, np.zeros(2), weight)
    drawn = [np.repeat(influence, count.astype(int), axis=1) for count in weight.T]
    expected = np.stack([np.var(sample, axis=1, ddof=1) for sample in drawn], axis=1) * 40
    np.testing.assert_allclose(found.value, np.stack([one.sum(axis=1) for one in drawn], axis=1), atol=1e-4)
    np.testing.assert_allclose(found.variance * np.square(influence).sum(axis=1)[:, None], expected, rtol=1e-3)
    np.testing.assert_allclose(redraw(influence, people, np.full(2, 1e9), weight).variance, 1, atol=1e-4)


def test_what_images_show_of_the_seeds_costs_degrees_of_freedom() -> None:
    one = Spread(*(np.array([value]) for value in (0.0, 50.0, 1.0, 6.0, 4.0)), undefined=np.zeros(1, dtype=np.int64))
    assert one.added_df[0] == pytest.approx(6 * (1 + 1 / 4) / 2)
    assert one.half_width(normal_quantile(0.95))[0] == pytest.approx(stats.t.ppf(0.975, 3.75))
    widths = [
        Spread(*(np.array([value]) for value in (0.0, 50.0, kept, 1.0, 1.0)), undefined=np.zeros(1, dtype=np.int64))
        .half_width(1.96)[0]
        for kept in (1.0, 0.5, 0.1)
    ]  # fmt: skip
    assert widths == sorted(widths, reverse=True)


def test_each_variance_has_its_own_quantile() -> None:
    score = normal_quantile(0.95)
    assert score == pytest.approx(1.959964)
    assert t_quantile(score, np.array([4.0]))[0] == pytest.approx(stats.t.ppf(0.975, 4))
    both = spread(4.0, 9.0, 20.0, 2.0)
    expected = np.sqrt(stats.t.ppf(0.975, 20) ** 2 * 4 + stats.t.ppf(0.975, 2) ** 2 * 9)
    assert both.half_width(score)[0] == pytest.approx(expected)
    assert both.score(both.half_width(2.5))[0] == pytest.approx(2.5)


def test_wilson_is_wilsons_where_nothing_is_clustered() -> None:
    right, n = 27, 30
    rate = np.array([right / n])
    variance, people, carriers = rate * (1 - rate) / (n - 1), np.array([n]), np.array([4.0])
    low, high = wilson(rate, spread(variance), carriers, people, normal_quantile(0.95))
    t = stats.t.ppf(0.975, n - 1)
    exact = stats.binomtest(right, n).proportion_ci(2 * stats.norm.cdf(t * np.sqrt(n / (n - 1))) - 1, method="wilson")
    assert (low[0], high[0]) == pytest.approx((exact.low, exact.high), abs=1e-6)
    low, high = wilson(np.array([1.0]), spread(0.0), np.array([0.0]), people, normal_quantile(0.95))
    exact = stats.binomtest(n, n).proportion_ci(2 * stats.norm.cdf(t * np.sqrt(n / (n - 1))) - 1, method="wilson")
    assert (low[0], high[0]) == pytest.approx((exact.low, 1.0), abs=1e-6)


def test_the_fewer_people_err_the_more_their_errors_are_taken_to_clump() -> None:
    """Between the variance that they show and that of people who are right or wrong on all their images at once."""
    rate, people = np.full(3, 0.99), np.full(3, 1000)
    apart, carriers = np.full(3, 0.99 * 0.01 / 20_000), np.array([0.0, 2.0, 1e6])
    low, high = wilson(rate, spread(apart), carriers, people, normal_quantile(0.95))
    size = [1000, 2.5 / (2 / 20_000 + 0.5 / 1000), 20_000]
    for i, n in enumerate(size):
        exact = stats.binomtest(round(0.99 * 1e6), 10**6)
        assert exact.statistic == rate[i]
        z = stats.norm.ppf(0.975)
        half = z / np.sqrt(n) * np.sqrt(0.99 * 0.01 + z**2 / n / 4) / (1 + z**2 / n)
        assert (high[i] - low[i]) / 2 == pytest.approx(half, rel=0.01)


def test_a_sum_of_variances_has_degrees_of_freedom_between_those_of_its_parts() -> None:
    first, second, none = np.array([4.0]), np.array([1.0]), np.zeros(1)
    few, many = np.array([3.0]), np.array([30.0])
    assert satterthwaite((first, second), (few, many))[0] == pytest.approx(25 / (16 / 3 + 1 / 30))
    assert satterthwaite((none, second), (few, many))[0] == pytest.approx(30)
    assert satterthwaite((first, none), (few, many))[0] == 3


def test_what_nobody_shows_has_the_variance_of_the_rule_of_three() -> None:
    for people in (20, 60, 1000):
        most = 1 - 0.025 ** (1 / people)  # the chance that none of them does is then 2.5 %
        half = normal_quantile(0.95) * np.sqrt(unseen_variance(np.array([people]))[0])
        assert half == pytest.approx(most, rel=0.1)


def test_a_gap_of_nothing_contains_nothing() -> None:
    assert gap_bounds(np.array([-0.01, -0.03]), np.array([0.02, 0.01])) == (0.0, 0.03)
    assert gap_bounds(np.array([0.01, -0.05]), np.array([0.02, -0.03])) == (0.03, 0.05)


def test_the_change_of_a_gap_lies_within_its_bounds_whatever_the_pairs_are() -> None:
    rng = np.random.default_rng(5)
    first, second = np.triu_indices(4, 1)
    for _ in range(500):
        before, after = rng.normal(size=(2, 4))
        difference = [values[second] - values[first] for values in (before, after)]
        ends = []
        for pair in (*difference, difference[1] - difference[0]):
            below, above = rng.exponential(0.5, (2, 6))
            ends.append((pair - below, pair + above))
        low, high = gap_change_bounds(*ends)
        assert low <= np.ptp(after) - np.ptp(before) <= high


def test_a_gap_that_opened_where_there_was_none_widened() -> None:
    """Which group was ahead before does not matter, since it was not ahead by much."""
    one = np.array([1.0])
    before, after, change = (-0.03 * one, 0.03 * one), (0.15 * one, 0.25 * one), (0.18 * one, 0.22 * one)
    assert gap_change_bounds(before, after, change) == pytest.approx((0.12, 0.22))
    assert gap_change_bounds(after, before, (-change[1], -change[0])) == pytest.approx((-0.22, -0.12))


def test_the_change_of_a_gap_is_bounded_by_all_that_three_intervals_allow() -> None:
    """As a fine grid has it."""
    rng = np.random.default_rng(8)
    for _ in range(100):
        before, after = np.sort(rng.normal(size=2)), np.sort(rng.normal(size=2))
        first, second = np.meshgrid(np.linspace(*before, 401), np.linspace(*after, 401))
        change = np.sort(rng.choice((second - first).ravel(), 2))
        allowed = (second - first >= change[0]) & (second - first <= change[1])
        found = (np.abs(second) - np.abs(first))[allowed]
        low, high = gap_change_bounds(*((ends[:1], ends[1:]) for ends in (before, after, change)))
        assert low <= found.min() + 1e-9
        assert high >= found.max() - 1e-9


def test_a_gap_changes_by_no_more_than_the_gaps_before_and_after_allow() -> None:
    """Though no pair alone could tell: each may have been the widest one before, another is the widest one after."""
    before = np.array([-0.04, -0.04, -0.04]), np.array([0.04, 0.04, 0.04])
    after = np.array([0.10, -0.05, -0.05]), np.array([0.20, 0.05, 0.05])
    change = np.array([0.05, -0.09, -0.09]), np.array([0.25, 0.09, 0.09])
    low, high = gap_change_bounds(before, after, change)
    assert low == pytest.approx(0.10 - 0.04)
    assert high == pytest.approx(0.20)


def test_where_signs_are_known_the_gap_changes_as_its_pair() -> None:
    one = np.array([1.0])
    before, after, change = (0.05 * one, 0.07 * one), (0.08 * one, 0.12 * one), (0.02 * one, 0.06 * one)
    assert gap_change_bounds(before, after, change) == pytest.approx((0.02, 0.06))
    mirrored = [(-high, -low) for low, high in (before, after, change)]
    assert gap_change_bounds(*mirrored) == pytest.approx((0.02, 0.06))
