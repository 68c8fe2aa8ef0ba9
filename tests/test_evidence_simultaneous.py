"""Many questions at once: how wide their intervals are together, and what is told from zero."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_toys import spread
from scipy import stats

from auditkit.evidence.resampling import Redrawn, redraw, weights
from auditkit.evidence.simultaneous import simultaneous


def redrawn(value: object) -> Redrawn:
    """Replicates that all estimate the same variance."""
    values = np.asarray(value, dtype=np.float32)
    return Redrawn(values, np.ones_like(values))


def test_groups_of_other_people_ask_for_no_wider_intervals() -> None:
    """The number of images that a replicate draws from a small group says nothing of its rate."""
    rng = np.random.default_rng(13)
    groups, people = 8, 20
    line = np.arange(groups)

    def score(influence: object, blocks: int) -> float:
        drawn = redraw(np.asarray(influence), np.full(groups, people), np.zeros(groups), weights(rng, blocks, 4000))
        t = spread(np.ones(groups), people_df=people - 1.0)
        return simultaneous(drawn, np.zeros(groups), t, line, 0.95, rng).score

    own = rng.standard_normal((groups, people))
    own -= own.mean(axis=1, keepdims=True)
    apart = np.zeros((groups, groups * people))
    for g in range(groups):
        apart[g, g * people : (g + 1) * people] = own[g]
    assert score(apart, groups * people) == pytest.approx(score(own, people), rel=0.06)
    assert score(own, people) == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / groups)) / 2), rel=0.1)


def test_what_replicates_say_of_their_own_variance_decides_how_far_is_far() -> None:
    """Deviations that come with a large variance are no surprise; those that come with a small one are."""
    rng = np.random.default_rng(12)
    value = rng.standard_normal((20, 20_000), dtype=np.float32)
    line = np.arange(20)

    def score(variance: object) -> float:
        drawn = Redrawn(value, np.asarray(variance, dtype=np.float32))
        return simultaneous(drawn, np.zeros(20), spread(np.ones(20)), line, 0.95, rng).score

    alike = score(np.ones_like(value))
    assert score(np.maximum(np.abs(value), 0.5)) < 0.9 * alike
    assert score(1 / np.maximum(np.abs(value), 0.5)) > 1.2 * alike


def test_independent_estimates_share_the_error_among_them() -> None:
    rng = np.random.default_rng(6)
    deviations = rng.standard_normal((20, 20_000), dtype=np.float32)
    line = np.arange(20)
    found = simultaneous(redrawn(deviations), np.zeros(20), spread(np.ones(20)), line, 0.95, rng)
    assert found.score == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / 20)) / 2), abs=0.05)
    assert not found.rejected.any()


@pytest.mark.parametrize("replicates", [200, 300])
def test_a_family_may_be_larger_than_the_number_of_replicates(replicates: int) -> None:
    rng = np.random.default_rng(6)
    deviations = rng.standard_normal((400, replicates), dtype=np.float32)
    line = np.arange(400)
    found = simultaneous(redrawn(deviations), np.zeros(400), spread(np.ones(400), 0.5), line, 0.95, rng)
    assert 3.2 < found.score < 4.6


def test_what_is_told_from_zero_makes_it_easier_for_the_rest() -> None:
    rng = np.random.default_rng(6)
    deviations = rng.standard_normal((2, 20_000), dtype=np.float32)
    line = np.arange(2)
    found = simultaneous(redrawn(deviations), np.array([2.1, 5.0]), spread(np.ones(2)), line, 0.95, rng)
    assert found.score > 2.15
    assert found.rejected.tolist() == [True, True]
    alone = simultaneous(redrawn(deviations), np.array([2.1, 0.5]), spread(np.ones(2)), line, 0.95, rng)
    assert not alone.rejected.any()


def test_equal_estimates_are_one_question() -> None:
    rng = np.random.default_rng(7)
    deviations = np.repeat(rng.standard_normal((1, 20_000), dtype=np.float32), 30, axis=0)
    line = np.zeros(30, dtype=int)
    found = simultaneous(redrawn(deviations), np.zeros(30), spread(np.ones(30)), line, 0.95, rng)
    assert found.score == pytest.approx(1.96, abs=0.05)


def test_seeds_of_questions_that_are_one_are_one_question_too() -> None:
    """Thirty times the same accuracy, with four degrees of freedom: t of one question, not of thirty."""
    rng = np.random.default_rng(7)
    one = rng.standard_normal((1, 20_000), dtype=np.float32)
    line = np.arange(30)
    few = spread(np.full(30, 0.1), np.full(30, 0.9), 1e6, np.full(30, 4.0))
    same = simultaneous(redrawn(np.repeat(one, 30, axis=0)), np.zeros(30), few, line, 0.95, rng)
    alone = simultaneous(redrawn(one), np.zeros(1), few.take([0]), line[:1], 0.95, rng)
    others = simultaneous(redrawn(rng.standard_normal((30, 20_000))), np.zeros(30), few, line, 0.95, rng)
    assert same.score == pytest.approx(alone.score, abs=0.05)
    assert others.score == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / 30)) / 2), abs=0.15)


def test_the_order_of_estimates_does_not_matter() -> None:
    rng = np.random.default_rng(9)
    deviations = rng.standard_normal((6, 2000), dtype=np.float32)
    estimate, line = rng.normal(size=6), np.arange(6) // 2
    few = spread(np.ones(6), rng.random(6), np.full(6, 20.0), np.full(6, 4.0))
    plain = simultaneous(redrawn(deviations), estimate, few, line, 0.95, np.random.default_rng(1))
    turn = [5, 2, 0, 3, 1, 4]
    turned = simultaneous(
        redrawn(deviations[turn]), estimate[turn], few.take(turn), line[turn], 0.95, np.random.default_rng(1)
    )
    assert turned.score == pytest.approx(plain.score, rel=1e-6)
    assert turned.rejected.tolist() == plain.rejected[turn].tolist()


def test_no_estimates_make_no_family() -> None:
    nothing = np.zeros((0, 0), dtype=np.float32)
    found = simultaneous(
        redrawn(nothing), np.zeros(0), spread(np.zeros(0)), np.zeros(0, dtype=int), 0.9, np.random.default_rng(0)
    )
    assert found.score == pytest.approx(1.645, abs=1e-3)
    assert len(found.rejected) == 0
