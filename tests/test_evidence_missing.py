"""Everything that can be missing from a panel: each says so where it is missing, and the rest stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_toys import (
    ACCURACY,
    COUNTING,
    MALE,
    MEN,
    SCORING,
    WOMEN,
    evidence,
    right,
    toy_panel,
    value,
    with_column,
    with_margin,
)

from auditkit.evidence.findings import derive
from auditkit_plugins.metrics.counting import ErrorShare

PANEL = toy_panel()


def test_too_little_data_says_how_much_is_there_and_needed() -> None:
    panel = with_column(PANEL, "Rare", (PANEL.identity < 2) & (np.cumsum(PANEL.identity < 2) <= 3))
    found = derive([panel], evidence(groups=(("Rare",),)), ACCURACY)
    one = value(found, over=("Rare",), at=(("Rare", 1),))
    assert (one.status, one.reason, one.estimate) == (
        "not estimable",
        "3 images of 2 people (needs 30 images of 10 people)",
        None,
    )
    assert (one.images, one.identities, one.denominator) == (3, 2, 3)
    gap = value(found, over=("Rare",), quantity="gap")
    assert (gap.status, gap.reason) == ("not estimable", "Rare=1: 3 images of 2 people (needs 30 images of 10 people)")
    change = value(found, over=("Rare",), quantity="change_in_gap")
    assert change.status == "not estimable"


def test_a_lowered_minimum_still_gets_no_interval_below_ten_people() -> None:
    panel = with_column(PANEL, "Few", PANEL.identity < 6)
    found = derive([panel], evidence(groups=(("Few",),), minimum_identities=2), ACCURACY)
    one = value(found, over=("Few",), at=(("Few", 1),))
    assert one.estimate is not None
    assert one.interval is None
    assert one.reason == "no interval: 6 people are too few to vouch for one (needs 10)"


def test_few_of_one_class_are_too_few_to_rank() -> None:
    few = np.flatnonzero(PANEL.truth)[:5]
    panel = replace(PANEL, truth=np.isin(np.arange(len(PANEL.row)), few).astype(np.int8))
    found = derive([panel], evidence(groups=()), SCORING)
    people = len(np.unique(PANEL.identity[few]))
    one = value(found, metric="auroc")
    assert (one.status, one.reason) == (
        "not estimable",
        f"5 images of {people} people (needs 30 images of 10 people)",
    )
    assert (one.images, one.identities) == (5, people)
    mean = value(found, metric="brier")
    assert (mean.status, mean.images) == ("estimable", 1500)


def test_few_errors_are_too_few_to_share_out() -> None:
    truth = PANEL.truth == 1
    margin = np.where(truth, 1.0, -1.0)
    wrong = np.arange(3)
    panel = PANEL
    for arm in range(3):
        panel = with_margin(panel, arm, np.stack([np.where(np.isin(np.arange(1500), wrong), -margin, margin)] * 3))
    found = derive([panel], evidence(), {"error_share": ErrorShare(None)})
    people = len(np.unique(PANEL.identity[wrong]))
    for at in (WOMEN, MEN):
        one = value(found, metric="error_share", over=MALE, at=at)
        assert (one.status, one.images, one.identities) == ("not estimable", 3, people)
        assert one.reason == f"3 images of {people} people (needs 30 images of 10 people)"


def test_copies_of_an_image_make_no_interval_narrower() -> None:
    """Arms that agree everywhere: the width of the change is that of pseudo-observations alone, which count images."""
    alike = PANEL.arms[0].margin
    panel = with_margin(with_margin(PANEL, 1, 1.5 * alike), 2, 1.5 * alike)
    many = replace(
        panel,
        **{name: np.tile(getattr(panel, name), 4) for name in ("row", "identity", "truth")},
        copy=np.repeat(np.arange(4), len(panel.row)),
        attributes={name: np.tile(column, 4) for name, column in panel.attributes.items()},
        arms=tuple(replace(arm, margin=np.tile(arm.margin, 4)) for arm in panel.arms),
    )
    once, four = (
        value(derive([one], evidence(), ACCURACY), quantity="change", against="arm0") for one in (panel, many)
    )
    assert once.interval is not None and four.interval is not None
    assert four.interval.high == pytest.approx(once.interval.high, rel=1e-6)
    assert once.interval.high > 0


def test_groups_that_contain_the_target_allow_accuracy_only() -> None:
    metrics = {name: COUNTING[name] for name in ("accuracy", "true_positive_rate")}
    found = derive([PANEL], evidence(groups=(("Smiling",),)), metrics)
    at = {"over": ("Smiling",), "at": (("Smiling", 1),)}
    assert value(found, **at).status == "estimable"
    other = value(found, metric="true_positive_rate", **at)
    assert other.status == "undefined by definition"
    reason = "the groups are defined by 'Smiling', which the task predicts"
    assert other.reason == reason
    undefined = [f for f in found.findings if f.metric == "true_positive_rate" and f.over == ("Smiling",)]
    assert {f.reason for f in undefined} == {reason}, "of gaps and changes, too, with no group before it"


def test_an_attribute_without_any_value_leaves_the_rest_standing() -> None:
    panel = with_column(PANEL, "Hat", np.full(1500, -1), ())
    found = derive([panel], evidence(groups=(("Male",), ("Hat",), ("Male", "Hat")), spillover=True), ACCURACY)
    without = derive([PANEL], evidence(spillover=True), ACCURACY)
    hatless = tuple(one for one in found.findings if "Hat" not in one.over)
    assert (hatless, found.families) == (without.findings, without.families)
    for over in (("Hat",), ("Male", "Hat")):
        gap = value(found, over=over, quantity="gap")
        assert (gap.status, gap.reason) == ("not estimable", "'Hat' has no value in the test set")


def test_missing_values_are_left_out_and_said() -> None:
    codes = PANEL.attributes["Male"].copy()
    codes[:100] = -1
    found = derive([with_column(PANEL, "Male", codes)], evidence(), ACCURACY)
    assert "Smiling: 100 of 1500 images have no value of 'Male' and are left out of its groups" in found.remarks
    images = sum(value(found, over=MALE, at=at).images for at in (MEN, WOMEN))
    assert (images, value(found).images) == (1400, 1500)


def test_one_level_makes_no_gap() -> None:
    found = derive([with_column(PANEL, "Male", np.ones(1500))], evidence(spillover=True), ACCURACY)
    gap = value(found, over=MALE, quantity="gap")
    assert (gap.status, gap.reason) == ("not estimable", "Male=0: no image of this group was tested")
    assert "Smiling: 'Male' has fewer than two levels in the test set, so no gap over it is estimable" in found.remarks
    only = with_column(PANEL, "Only", np.zeros(1500), ("yes",))
    found = derive([only], evidence(groups=(("Only",),), spillover=True), ACCURACY)
    assert value(found, over=("Only",), at=(("Only", "yes"),)).status == "estimable"
    assert value(found, over=("Only",), quantity="gap").reason == "'Only' has one level only"


def test_a_gap_within_the_only_level_is_the_whole_gap_and_told_once() -> None:
    only = with_column(PANEL, "Only", np.zeros(1500), ("yes",))
    crossed = ("Male", "Only")
    found = derive([only], evidence(groups=(MALE, crossed)), ACCURACY)
    gaps = [f for f in found.findings if f.over == crossed and f.arm == "arm1" and f.quantity == "signed_gap"]
    assert [f.at for f in gaps] == [()]
    assert gaps[0].estimate == value(found, over=MALE, quantity="signed_gap").estimate


def test_one_person_only() -> None:
    found = derive([replace(PANEL, identity=np.zeros(1500, dtype=np.int64))], evidence(), ACCURACY | SCORING)
    assert found.remarks == (), "nothing is told of the making of changes that nobody can tell"
    assert value(found).reason == "1,500 images of 1 person (needs 30 images of 10 people)"
    assert {f.status for f in found.findings} == {"not estimable"}


def test_unknown_identities_cost_something_and_say_so() -> None:
    many = evidence(replicates=4000)
    found = derive([replace(PANEL, identities_known=False)], many, ACCURACY)
    assert value(found).identities is None
    assert found.remarks[0].startswith("Smiling: who is on the images is not known; every image counts as a person")
    known = value(derive([PANEL], many, ACCURACY)).interval
    unknown = value(found).interval
    assert known is not None
    assert unknown is not None
    assert unknown.high - unknown.low < known.high - known.low
    partly = replace(PANEL, identity=np.where(PANEL.identity < 5, -1, PANEL.identity))
    remarks = derive([partly], evidence(), ACCURACY).remarks
    assert remarks[0] == (
        f"Smiling: {(PANEL.identity < 5).sum()} of 1500 images have no identity; each counts as a person of its own, "
        "so intervals are too narrow where several are of the same person"
    )
    one = replace(PANEL, identity=np.where(PANEL.row == 10, -1, PANEL.identity))
    assert derive([one], evidence(), ACCURACY).remarks[0] == (
        "Smiling: 1 of 1500 images has no identity; it counts as a person of its own, so intervals are too narrow "
        "where it is of one of the others"
    )


def test_what_several_seeds_or_tasks_have_in_common_is_told_once() -> None:
    margin = PANEL.arms[1].margin.copy()
    margin[[0, 2]] = -1
    one = with_margin(PANEL, 1, margin)
    remarks = derive([one, replace(one, task="Old", truth=1 - one.truth)], evidence(), ACCURACY).remarks
    assert remarks == (
        "Smiling; Old: the variance between seeds is pooled over arms, which supposes that it is the same in all",
        "Smiling; Old: arms and seeds are too few to pair seeds; the variance of a change is that of independent "
        "networks",
        "Smiling; Old: arm 'arm1' with seeds 0, 2 predicts the same for every image, negative",
    )
    resampled = derive([PANEL, replace(PANEL, test="resampled")], evidence(), ACCURACY).remarks
    assert all(remark.startswith("Smiling; Smiling, resampled test: ") for remark in resampled)


def test_copies_of_an_image_are_one_image() -> None:
    twice = np.concatenate([np.arange(1500), np.arange(300)])
    panel = replace(
        PANEL,
        test="resampled",
        **{name: getattr(PANEL, name)[twice] for name in ("row", "identity", "truth")},
        copy=np.repeat([0, 1], [1500, 300]),
        attributes={name: codes[twice] for name, codes in PANEL.attributes.items()},
        arms=tuple(replace(arm, margin=arm.margin[:, twice]) for arm in PANEL.arms),
    )
    found = derive([panel], evidence(), ACCURACY)
    one = value(found)
    assert (one.test, one.denominator, one.images) == ("resampled", 1800, 1500)
    assert "changes of Smiling, resampled test" in found.families


def test_more_people_than_are_resampled_one_by_one() -> None:
    panel = toy_panel(n=9000, people=6000, arms=2, seeds=2)
    found = derive([panel], evidence(groups=()), ACCURACY)
    one = value(found)
    people = len(np.unique(panel.identity))
    assert one.identities == people
    assert one.interval is not None
    independent = 2 * 1.96 * right(panel, 1).mean(axis=0).std() / np.sqrt(9000)
    assert 0.95 < (one.interval.high - one.interval.low) / independent < 1.3
    assert any("random blocks" in remark for remark in found.remarks)
