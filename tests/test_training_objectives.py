"""Objectives against NumPy, and the direction of each: weight goes up where its name says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from auditkit_plugins.objectives import losses, options

COUNTS = (90, 8, 0, 2)


@pytest.fixture(params=range(3))
def batch(request: pytest.FixtureRequest) -> tuple[np.ndarray[Any, Any], ...]:
    rng = np.random.default_rng(request.param)
    return rng.normal(0, 3, 40), rng.integers(0, 2, 40).astype(float), rng.choice([0, 1, 3], 40)


def value(loss: torch.nn.Module, batch: tuple[np.ndarray[Any, Any], ...]) -> float:
    margin, truth, stratum = batch
    return float(loss(torch.tensor(margin).float(), torch.tensor(truth).float(), torch.tensor(stratum)))


def negative_log_likelihood(margin: Any, truth: Any) -> Any:
    """-log of the softmax over the two logits (0, margin), at the truth."""
    shifted = np.stack([np.zeros_like(margin), margin], axis=1)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.take_along_axis(log_softmax, truth.astype(int)[:, None], axis=1)[:, 0]


def test_cross_entropy_is_the_mean_negative_log_likelihood(batch: Any) -> None:
    loss = losses.CrossEntropy(options.CrossEntropyOptions()).build((40,))
    assert value(loss, batch) == pytest.approx(negative_log_likelihood(*batch[:2]).mean(), rel=1e-5)


def test_label_smoothing_mixes_in_the_uniform_distribution(batch: Any) -> None:
    margin, truth, _ = batch
    both = (negative_log_likelihood(margin, truth) + negative_log_likelihood(margin, 1 - truth)) / 2
    expected = 0.9 * negative_log_likelihood(margin, truth) + 0.1 * both
    loss = losses.CrossEntropy(options.CrossEntropyOptions(label_smoothing=0.1)).build((40,))
    assert value(loss, batch) == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_reweight_weighs_images_by_a_power_of_their_count(batch: Any, power: float) -> None:
    counts = np.array(COUNTS, dtype=float)
    raw = np.array([n**-power if n else 0.0 for n in counts])
    weight = raw * counts.sum() / (raw * counts).sum()
    loss = losses.Reweight(options.ReweightOptions(strata=("Bald",), power=power)).build(COUNTS)
    expected = (negative_log_likelihood(*batch[:2]) * weight[batch[2]]).mean()
    assert value(loss, batch) == pytest.approx(expected, rel=1e-5)
    assert (weight * counts).sum() / counts.sum() == pytest.approx(1.0)


def test_reweight_at_power_one_is_balanced_and_favours_the_rare() -> None:
    loss = losses.Reweight(options.ReweightOptions(strata=("Bald",))).build(COUNTS)
    common, rarer, absent, rarest = loss.get_buffer("weight").tolist()
    assert common < rarer < rarest
    assert absent == 0
    assert common * 90 == pytest.approx(rarest * 2) == pytest.approx(100 / 3)


def test_focal_discounts_what_is_already_right(batch: Any) -> None:
    margin, truth, _ = batch
    nll = negative_log_likelihood(margin, truth)
    loss = losses.Focal(options.FocalOptions(gamma=2.0)).build((40,))
    assert value(loss, batch) == pytest.approx(((1 - np.exp(-nll)) ** 2 * nll).mean(), rel=1e-4)
    sure = (np.array([6.0, -6.0]), np.array([1.0, 0.0]), np.array([0, 0]))
    wrong = (-sure[0], *sure[1:])
    assert value(loss, sure) < 1e-6 * negative_log_likelihood(*sure[:2]).mean() * 100
    assert value(loss, wrong) == pytest.approx(negative_log_likelihood(*wrong[:2]).mean(), rel=0.01)


def test_group_dro_follows_algorithm_1(batch: Any) -> None:
    loss = losses.GroupDRO(options.GroupDROOptions(strata=("Bald",), step_size=0.1)).build(COUNTS)
    q = np.array([1, 1, 0, 1]) / 3
    for _ in range(3):
        nll = negative_log_likelihood(*batch[:2])
        by_group = np.array([nll[batch[2] == g].mean() if (batch[2] == g).any() else 0.0 for g in range(4)])
        q = q * np.exp(0.1 * by_group)
        q = q / q.sum()
        assert value(loss, batch) == pytest.approx((q * by_group).sum(), rel=1e-5)
        np.testing.assert_allclose(loss.get_buffer("q").numpy(), q, rtol=1e-5)


def test_group_dro_turns_to_the_group_with_the_highest_loss() -> None:
    loss = losses.GroupDRO(options.GroupDROOptions(strata=("Bald",), step_size=1.0)).build((10, 10))
    batch = (np.array([3.0, -3.0]), np.array([1.0, 1.0]), np.array([0, 1]))
    for _ in range(5):
        value(loss, batch)
    right, wrong = loss.get_buffer("q").tolist()
    assert wrong > 0.99 > 0.01 > right


def test_the_gradient_of_group_dro_is_that_of_the_weighted_loss() -> None:
    loss = losses.GroupDRO(options.GroupDROOptions(strata=("Bald",))).build((2, 2))
    margin = torch.tensor([1.0, -1.0], requires_grad=True)
    loss(margin, torch.tensor([1.0, 1.0]), torch.tensor([0, 1])).backward()
    q = loss.get_buffer("q")
    assert margin.grad is not None
    torch.testing.assert_close(margin.grad, -q * torch.sigmoid(-margin.detach()))
