"""Whom a number rests on: few people, one, or nobody; and how far its interval then reaches."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from evidence_toys import (
    ACCURACY,
    evidence,
    pick,
    toy_panel,
    with_column,
    with_margin,
)
from scipy import stats

from auditkit.evidence.findings import derive
from auditkit.evidence.panel import ArmScores

PANEL = toy_panel()


@pytest.mark.parametrize(("people", "few"), [(2, True), (12, False)])
def test_a_change_that_few_people_carry_says_so(people: int, few: bool) -> None:
    turned = np.isin(PANEL.identity, np.arange(people))
    before = PANEL.arms[0].margin
    panel = with_margin(PANEL, 1, np.where(turned, -before, before))
    found = pick(derive([panel], evidence(), ACCURACY).findings, quantity="change", over=(), arm="arm1")
    assert found.effective_identities == pytest.approx(people, rel=0.4)
    assert found.rests_on_few == few
    assert found.explanation.endswith("; resting on few people, the interval may hold less often than it says") == few


def test_the_change_of_a_gap_rests_on_those_who_make_it() -> None:
    """Of three groups, two make the gap; two people carry its change, and many the changes of the third group."""
    rng, n = np.random.default_rng(4), len(PANEL.identity)
    group = PANEL.identity % 3
    base = np.where(rng.random(n) < np.array([0.95, 0.5, 0.75])[group], 1.0, -1.0) * (2 * PANEL.truth - 1)
    turned = np.where(
        group == 2, rng.random(n) < 0.1, np.isin(PANEL.identity, [1, 4]) & (base * (2 * PANEL.truth - 1) > 0)
    )
    panel = with_column(PANEL, "Group", group, (0, 1, 2))
    panel = with_margin(with_margin(panel, 0, [base] * 3), 1, [np.where(turned, -base, base)] * 3)
    found = pick(
        derive([panel], evidence(groups=(("Group",),)), ACCURACY).findings,
        quantity="change_in_gap", over=("Group",), arm="arm1",
    )  # fmt: skip
    assert found.effective_identities is not None
    assert found.rests_on_few


def test_arms_that_are_the_same_rest_on_nobody() -> None:
    panel = with_margin(PANEL, 1, PANEL.arms[0].margin)
    found = pick(derive([panel], evidence(), ACCURACY).findings, quantity="change", over=(), arm="arm1")
    assert (found.effective_identities, found.rests_on_few) == (None, False)


def test_a_change_without_any_image_that_differs_rests_on_nobody() -> None:
    panel = toy_panel()
    women = panel.attributes["Male"] == 0
    margin = np.where(women, panel.arms[0].margin, panel.arms[1].margin)
    found = derive([with_margin(panel, 1, margin)], evidence(groups=(("Male",),)), ACCURACY).findings
    change = pick(found, over=("Male",), at=(("Male", 0),), quantity="change", arm=panel.arms[1].arm)
    assert (change.estimate, change.effective_identities, change.rests_on_few) == (0.0, None, False)
    assert change.interval is not None
    people = len(np.unique(panel.identity[women]))
    assert change.interval.high == pytest.approx(1 - 0.025 ** (1 / people), rel=0.1), "so many may, whom none is of"
    assert change.verdict == "cannot tell"
    needed = int(re.search(r"about ([\d,]+) people", change.explanation)[1].replace(",", ""))  # type: ignore[index]
    assert change.simultaneous is not None
    assert needed == pytest.approx(people * change.simultaneous.high / 0.005, rel=0.1)


def test_the_same_predictions_of_more_seeds_are_nobodys_change_too() -> None:
    panel = toy_panel(arms=2, seeds=1)
    margin = panel.arms[0].margin
    arms = tuple(
        ArmScores(name, tuple(range(n)), np.repeat(margin, n, axis=0)) for name, n in (("arm0", 3), ("arm1", 5))
    )
    found = derive([replace(panel, arms=arms)], evidence(groups=(("Male",),)), ACCURACY).findings
    change = pick(found, over=("Male",), at=(("Male", 1),), quantity="change")
    people = len(np.unique(panel.identity[panel.attributes["Male"] == 1]))
    assert (round(change.estimate or 0.0, 9), change.effective_identities) == (0.0, None)
    assert change.interval is not None
    assert change.interval.high == pytest.approx(1 - 0.025 ** (1 / people), rel=0.1)


def test_shares_that_nobody_or_one_misses_have_wilsons_interval_where_images_are_independent() -> None:
    n = 600  # more people than 2,048 are put into blocks
    panel = toy_panel(n=3 * n, people=3 * n, arms=1, seeds=1)
    panel = replace(panel, identity=np.arange(3 * n), attributes={"third": np.repeat([0, 1, 2], n).astype(np.int8)})
    panel = replace(panel, levels={"third": (0, 1, 2)})
    wrong = np.isin(np.arange(3 * n), [n, 2 * n, 2 * n + 1])
    panel = with_margin(panel, 0, np.where((panel.truth == 1) ^ wrong, 1.0, -1.0)[None])
    found = derive([panel], evidence(groups=(("third",),)), ACCURACY).findings
    for third, errors in enumerate((0, 1, 2)):
        one = pick(found, over=("third",), at=(("third", third),), arm="arm0")
        exact = stats.binomtest(n - errors, n).proportion_ci(method="wilson")
        assert one.interval is not None
        assert (one.interval.low, one.interval.high) == pytest.approx((exact.low, exact.high), abs=3e-4), (
            "within what 2,000 replicates tell"
        )
