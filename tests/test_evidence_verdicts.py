"""Verdicts in words, each with its number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import ACCURACY, evidence, toy_panel

from auditkit.evidence.findings import derive
from auditkit.evidence.results import Interval
from auditkit.evidence.uncertainty import Spread
from auditkit.evidence.verdicts import Basis, Decision, decide

EVIDENCE = evidence(groups=(("Bald",), ("Male", "Young")))


def basis(**changes: Any) -> Basis:
    one = np.ones(1)
    spread = Spread(4e-5 * one, 99 * one, 6e-5 * one, 4 * one, 6e-5 * one, np.zeros(1, dtype=np.int64))
    plain = Basis(
        estimate=-0.031,
        interval=Interval(-0.040, -0.022),
        told=False,
        margin=0.005,
        percent=True,
        people=100,
        seeds=3,
        spread=spread,
        score=2.5,
        noise=0.012,
    )
    return replace(plain, **changes)


def test_changed() -> None:
    assert decide(basis()) == Decision(
        "changed",
        "changed by -3.1 points [-4.0, -2.2]; seeds alone move it by up to 1.2",
    )


def test_what_the_step_down_test_tells_from_zero_is_changed_and_its_interval_stays() -> None:
    wide = Interval(-0.040, 0.001)
    assert decide(basis(interval=wide))[0] == "cannot tell"
    assert decide(basis(interval=wide, told=True, noise=None)) == Decision(
        "changed",
        "changed by -3.1 points [-4.0, +0.1]; the step-down test tells it from 0, the interval alone does not",
        "the step-down test tells it from 0",
    )


def test_numbers_that_are_no_percentages_have_three_decimals() -> None:
    assert decide(basis(percent=False, noise=None))[1] == "changed by -0.031 [-0.040, -0.022]"


def test_no_change_even_where_it_differs_from_zero() -> None:
    verdict, words, because = decide(basis(estimate=0.002, interval=Interval(0.001, 0.003)))
    assert verdict == "no change larger than the margin"
    assert words == "no change larger than the declared margin of 0.5: +0.2 points [+0.1, +0.3]"
    assert because == ""


def test_cannot_tell_and_what_would_help() -> None:
    wide = Interval(-0.05, 0.01)
    verdict, words, because = decide(basis(estimate=-0.02, interval=wide))
    assert verdict == "cannot tell"
    assert words.startswith(f"cannot tell (-2.0 points [-5.0, +1.0]): {because}")
    assert because.startswith("about ")
    one = np.ones(1)
    seeds_only = Spread(1e-7 * one, 99 * one, 2e-4 * one, 4 * one, 2e-4 * one, np.zeros(1, dtype=np.int64))
    people_only = replace(seeds_only, people=2e-4 * one, seeds=0 * one)
    for spread, needed in (
        (seeds_only, " seeds would be needed; more people alone would not help"),
        (people_only, " people per group would be needed; more seeds alone would not help"),
        (replace(seeds_only, people=2e-4 * one), " seeds would be needed; neither alone would help"),
        (replace(seeds_only, people=9.0 * one), "even 1000 times as many people and seeds would not decide it"),
    ):
        _, words, because = decide(basis(estimate=-0.02, interval=wide, spread=spread))
        assert because.endswith(needed)
        assert words.endswith(f"): {because}")
        few = decide(basis(estimate=-0.02, interval=wide, spread=spread, few=True))
        assert few == ("cannot tell", f"{words}; resting on few people, the interval may hold less often than it says",
                       because)  # fmt: skip


def test_people_are_needed_per_group_where_there_are_groups() -> None:
    derived = derive([toy_panel(people=40, arms=2, seeds=6, effect=0.4)], EVIDENCE, ACCURACY).findings
    needed = {bool(f.over): f.because for f in derived if f.because.startswith("about ")}
    assert " people would be needed; more seeds alone would not help" in needed[False]
    assert " people per group" in needed[True]


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-0.2, 0.0004, "[-20.0, +0.04]"),
        (-0.2, 0.0, "[-20.0, 0.0]"),
        (-0.000003, 0.07, "[-0.0003, +7.0]"),
        (-1e-17, 0.07, "[0.0, +7.0]"),
    ],
)
def test_only_an_end_that_is_0_is_told_as_0(low: float, high: float, told: str) -> None:
    assert f" points {told}" in decide(basis(estimate=0.0001, interval=Interval(low, high))).explanation
    assert decide(basis(estimate=0.0001, interval=Interval(low, high))).explanation.startswith(
        "cannot tell (0.0 points"
    )


def test_an_interval_that_reaches_further_than_its_spread_needs_more_people() -> None:
    """As that of a gap's change does, which is bounded by what is known of the gaps before and after."""
    half = float(basis().spread.half_width(2.0)[0])

    def needed(low: float, high: float) -> int:
        words = decide(basis(estimate=-0.025, interval=Interval(low, high), score=2.0))[1]
        return int(words.split("about ")[1].split(" people")[0])

    usual = needed(-0.025 - half, -0.025 + half)
    assert needed(-0.025 - 2 * half, -0.025 + half) == usual, "the other end says nothing of 0"
    assert needed(-0.025 - half, -0.025 + 1.1 * half) > usual


def test_what_would_be_needed_is_enough() -> None:
    half = float(basis().spread.half_width(2.0)[0])
    wide = basis(estimate=-0.025, interval=Interval(-0.025 - half, -0.025 + half), score=2.0)
    words = decide(wide)[1].split("about ")[1]
    people, seeds = int(words.split(" people")[0]), int(words.split("or ")[1].split(" seeds")[0])
    spread = wide.spread
    for more, fewer in ((people, people - 5), (seeds, seeds - 1)):
        enough, short = (
            replace(spread, people=spread.people * 100 / count, people_df=spread.people_df * count / 100)
            if more == people
            else replace(spread, seeds=spread.seeds * 3 / count, seeds_df=spread.seeds_df * (count - 1) / 2)
            for count in (more, fewer)
        )
        assert enough.half_width(2.0)[0] <= 0.025 < short.half_width(2.0)[0]


def test_one_seed_has_no_verdict() -> None:
    verdict, words, because = decide(basis(seeds=1))
    assert (verdict, because) == ("cannot tell", "training variance not measured with one seed")
    assert words == (
        "training variance not measured: with one seed, -3.1 points [-4.0, -2.2] holds for these trained networks on "
        "other people, not for training again; about 5 seeds would be needed"
    )
