"""Two audits of the same people: differences of values and of changes from the predictions of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import ACCURACY, evidence, toy_panel, with_margin
from numpy.typing import NDArray
from scipy import stats

from auditkit.evidence.compare import Difference, key
from auditkit.evidence.estimates import estimate
from auditkit.evidence.findings import derive
from auditkit.evidence.grouping import group
from auditkit.evidence.layout import lay_out
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import measure
from auditkit.evidence.paired import paired
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.resampling import weights


def differences(first: Panel, second: Panel, **options: Any) -> dict[tuple[str, str, Any], Difference]:
    """Paired differences of accuracy, by the quantity, arm and place that they are of."""
    asked = evidence(**options)
    known = [{key(f): f for f in derive([panel], asked, ACCURACY).findings} for panel in (first, second)]
    found = paired([first], [second], asked, ACCURACY, (known[0], known[1]), seed=0)
    return {(one.first.quantity, one.first.arm, one.first.at): one for one in found}


def width(one: Difference) -> float:
    assert one.interval is not None
    return one.interval.high - one.interval.low


@pytest.mark.parametrize(("anew", "sign"), [(1, 1), (0, -1)])
def test_of_a_change_from_the_same_predictions_only_the_other_arm_is_asked(anew: int, sign: int) -> None:
    first = toy_panel(arms=2)
    second = with_margin(first, anew, toy_panel(arms=2, effect=1.5).arms[1].margin)
    found = differences(first, second)
    for change, value in (("change", "value"), ("change_in_gap", "gap"), ("change_in_signed_gap", "signed_gap")):
        for place in {at for quantity, _, at in found if quantity == change}:
            one, of_arm = found[change, "arm1", place], found[value, f"arm{anew}", place]
            assert one.estimate == pytest.approx(sign * (of_arm.estimate or 0.0))
            assert width(one) == pytest.approx(width(of_arm))
            assert one.estimate == pytest.approx((one.second.estimate or 0.0) - (one.first.estimate or 0.0))


def test_the_interval_of_a_difference_of_changes_is_as_wide_as_that_of_scipy() -> None:
    """Of one seed, where every image is a person of its own."""
    every = toy_panel(n=4000, people=4000, arms=4, seeds=1, effect=0.5)
    first, second = (replace(every, arms=every.arms[two]) for two in (slice(0, 2), slice(2, 4)))
    second = replace(second, arms=tuple(replace(b, arm=a.arm) for a, b in zip(first.arms, second.arms, strict=True)))
    one = differences(first, second, groups=(), replicates=4000)["change", "arm1", ()]
    right = [((arm.margin[0] > 0) == every.truth).astype(float) for arm in every.arms]

    def statistic(*arms: Any, axis: int = -1) -> Any:
        before, after, then_before, then_after = (arm.mean(axis=axis) for arm in arms)
        return then_after - then_before - (after - before)

    theirs = stats.bootstrap(
        right, statistic, paired=True, vectorized=True, n_resamples=2000, batch=200, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert one.estimate == pytest.approx(float(statistic(*right)), abs=1e-12)
    assert width(one) == pytest.approx(theirs.high - theirs.low, rel=0.1)


def _with(arm: ArmScores, margin: NDArray[np.float32]) -> ArmScores:
    return replace(arm, margin=margin)


def test_seeds_add_to_a_difference_of_changes_what_they_add_to_both() -> None:
    """Every seed is more or less right in an arm as a whole."""
    rng, n = np.random.default_rng(6), 500
    panel, found = toy_panel(n=n, people=n, arms=4), []
    for _ in range(400):
        sign, skill = 2 * panel.truth - 1, 1 + 0.3 * rng.normal(size=(4, 3, 1))
        moved = (sign * skill + rng.normal(size=(4, 3, n))).astype(np.float32)
        layout = lay_out(replace(panel, arms=tuple(map(_with, panel.arms, moved))), rng)
        weight = weights(rng, layout.blocks, 50)
        (one,) = measure(layout, group(layout.panel, ()), ACCURACY, evidence(minimum_images=1), weight)
        found.append(estimate(layout, [Line(one, (0,))], [(1, 0), (1, 0, 3, 2), (1, 0, 1, 0)], weight))
    seeds = np.array([each.spread.seeds for each in found])
    assert seeds[:, 1] == pytest.approx(2 * seeds[:, 0])
    assert all(each.spread.seeds_df[0] == each.spread.seeds_df[1] for each in found)
    values = np.array([each.value for each in found])
    total = np.array([each.spread.total for each in found])
    assert values[:, :2].var(axis=0) == pytest.approx(total[:, :2].mean(axis=0), rel=0.25)
    assert not values[:, 2].any()
    assert all(each.each[2].same and not each.each[1].same for each in found)


def test_changes_that_came_out_otherwise_for_another_reference_are_told() -> None:
    """Both arms were trained anew; the second audit's arm loses bald men, the first's does not."""
    one = differences(toy_panel(arms=2), toy_panel(arms=2, effect=2.5))["change", "arm1", (("Male", 1),)]
    assert one.how == "paired"
    assert one.verdict == "differs"
    assert one.estimate is not None and one.estimate < -0.05
    missing = with_margin(toy_panel(arms=2), 0, np.full((3, 1500), np.nan))
    one = differences(toy_panel(arms=2, effect=2.5), missing)["change", "arm1", (("Male", 1),)]
    assert (one.verdict, one.estimate) == ("not estimable", None)
    assert one.reason == (
        "in 'second audit: arm0': arm 'second audit: arm0' has no prediction for any image of this group"
    )


@pytest.mark.parametrize(("people", "few"), [(2, True), (12, False)])
def test_a_difference_that_few_people_carry_says_so(people: int, few: bool) -> None:
    first = toy_panel(arms=1)
    before = first.arms[0].margin
    second = with_margin(first, 0, np.where(first.identity < people, -before, before))
    asked = evidence(groups=())
    known = [{key(f): f for f in derive([panel], asked, ACCURACY).findings} for panel in (first, second)]
    (one,) = paired([first], [second], asked, ACCURACY, (known[0], known[1]), seed=0)
    assert one.estimate is not None
    assert ("resting on few people" in one.reason) == few
