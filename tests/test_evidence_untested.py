"""What arms or seeds were not tested on: told where it counts, and compared on what each has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_toys import ACCURACY, MALE, MEN, WOMEN, evidence, right, toy_panel, value, with_margin

from auditkit.evidence.findings import derive

PANEL = toy_panel()


def test_a_group_that_one_arm_was_not_tested_on() -> None:
    margin = PANEL.arms[1].margin.copy()
    margin[:, PANEL.attributes["Male"] == 1] = np.nan
    found = derive([with_margin(PANEL, 1, margin)], evidence(), ACCURACY)
    assert value(found, over=MALE, at=MEN).reason == "arm 'arm1' has no prediction for any image of this group"
    assert value(found, over=MALE, at=MEN, quantity="change").status == "not estimable"
    assert value(found, over=MALE, at=MEN, quantity="change", arm="arm2").status == "estimable"
    assert value(found, over=MALE, at=WOMEN, quantity="change").status == "estimable"
    reverse = derive([with_margin(PANEL, 0, margin)], evidence(), ACCURACY)
    change = value(reverse, over=MALE, at=MEN, quantity="change")
    assert change.reason == "in 'arm0': arm 'arm0' has no prediction for any image of this group"


def test_a_group_that_one_seed_was_not_tested_on() -> None:
    margin = PANEL.arms[1].margin.copy()
    margin[2, PANEL.attributes["Male"] == 1] = np.nan
    found = derive([with_margin(PANEL, 1, margin)], evidence(), ACCURACY)
    told = "arm 'arm1' with seed 2 has no prediction for any image of this group"
    assert value(found, over=MALE, at=MEN, arm="arm1").reason == told


def test_arms_tested_on_different_images_are_compared_on_what_each_has() -> None:
    first, second = PANEL.arms[0].margin.copy(), PANEL.arms[1].margin.copy()
    first[:, :500] = np.nan
    second[:, 1000:] = np.nan
    panel = with_margin(with_margin(PANEL, 0, first), 1, second)
    found = derive([panel], evidence(groups=()), ACCURACY)
    change = value(found, quantity="change")
    mine, theirs = right(panel, 1)[:, :1000].mean(), right(panel, 0)[:, 500:].mean()
    assert change.estimate == pytest.approx(mine - theirs)
    assert (
        "Smiling: every network of arms 'arm0' and 'arm1' was tested on 1000 of 1500 images; all arms share 500: "
        "changes are partly between different images, so they tell of the images that are missing too, and not of the "
        "arms alone"
    ) in found.remarks


def test_arms_that_share_no_image_are_told_how_much_of_their_changes_that_is() -> None:
    margins = [arm.margin.copy() for arm in PANEL.arms]
    margins[0][:, 700:] = margins[1][:, :700] = np.nan
    two = replace(PANEL, arms=tuple(replace(a, margin=m) for a, m in zip(PANEL.arms[:2], margins[:2], strict=True)))
    tell = "so they tell of the images too, and not of the arms alone"
    wholly = f"Smiling: no image was put to two arms: changes are wholly between different images, {tell}"
    assert wholly in derive([two], evidence(groups=()), ACCURACY).remarks
    three = replace(two, arms=(*two.arms, PANEL.arms[2]))
    assert (
        "Smiling: every network of arms 'arm0' and 'arm1' was tested on 700 to 800 of 1500 images; all arms together "
        f"share none: some changes are between different images, {tell}"
    ) in derive([three], evidence(groups=()), ACCURACY).remarks


@pytest.mark.parametrize("left", [0, 3])
def test_an_arm_with_few_in_a_group_leaves_the_intervals_of_other_arms_there(left: int) -> None:
    """Though few people, or nobody, say nothing of what people show of the other arms' seeds."""
    panel, rng = toy_panel(arms=3, seeds=5), np.random.default_rng(8)
    for number, arm in enumerate(panel.arms):
        panel = with_margin(panel, number, arm.margin + 0.5 * rng.normal(size=(5, 1)) * (2 * panel.truth - 1))
    men = panel.attributes["Male"] == 1
    few = np.unique(panel.identity[men])[:left]
    lacking = with_margin(panel, 2, np.where(men & ~np.isin(panel.identity, few), np.nan, panel.arms[2].margin))
    asked = evidence(placebo=None)
    alone, beside = (derive([each], asked, ACCURACY) for each in (replace(panel, arms=panel.arms[:2]), lacking))
    for quantity in ("value", "change"):
        wanted = {"arm": "arm1", "over": MALE, "at": MEN, "quantity": quantity}
        assert value(beside, **wanted).interval == value(alone, **wanted).interval
        assert value(beside, **wanted).noise == value(alone, **wanted).noise
    assert value(beside, arm="arm2", over=MALE, at=MEN).status == "not estimable"


def test_a_missing_reference_leaves_the_values() -> None:
    found = derive([PANEL], evidence(reference="nobody"), ACCURACY)
    assert not [f for f in found.findings if "change" in f.quantity]
    assert value(found).estimate is not None
    assert "Smiling: no predictions of arm 'nobody', so no change from it is reported" in found.remarks


def test_a_panel_of_one_arm_has_no_changes() -> None:
    found = derive([replace(PANEL, arms=PANEL.arms[:1])], evidence(spillover=True), ACCURACY)
    assert {f.quantity for f in found.findings} == {"value", "gap", "ratio", "signed_gap"}
