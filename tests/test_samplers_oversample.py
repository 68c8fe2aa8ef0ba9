"""Copies: of whom, how many and how evenly; placebos that make as many; and the errors of another arm repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampler_toys import BALD, COUNT, TRAIN, bald_in, copies_of_each, inputs_for, is_whole, profile
from toy_cohorts import attributes, chosen, draw, rows_and_copies

from auditkit.cohort import Cohort
from auditkit.contracts import Condition, Need
from auditkit.errors import AuditError
from auditkit.predictions import Predictions

# ------------------------------------------------------------------------------------------------------- oversample


@given(st.integers(0, 1000), st.sampled_from(["augmented", "duplicate"]))
def test_until_balanced_spreads_copies_evenly(seed: int, copies: str) -> None:
    drawn = draw("oversample", TRAIN, seed, where={"Bald": 1}, until="balanced", copies=copies)
    each = copies_of_each(drawn, TRAIN, BALD)
    assert bald_in(drawn) == len(drawn) - bald_in(drawn) == len(TRAIN) - COUNT
    assert each.max() - each.min() <= 1
    assert is_whole(drawn, TRAIN)
    assert (drawn.copy > 0).sum() == (each.sum() if copies == "augmented" else 0)


GAPS = Cohort(np.arange(90), attributes(Bald=[1] * 10 + [0] * 20 + [-1] * 60, Male=[0, 1, -1] * 30))


def test_photos_that_may_or_may_not_match_are_drawn_once_and_count_for_neither_side() -> None:
    drawn = draw("oversample", GAPS, where={"Bald": 1}, until="balanced")
    bald = GAPS.attributes.column("Bald")[drawn.rows]
    assert [int((bald == code).sum()) for code in (1, 0, -1)] == [20, 20, 60]
    assert is_whole(drawn, GAPS)


def test_one_known_value_may_decide_that_a_photo_does_not_match() -> None:
    either = [{"Bald": 1, "Male": 1}, {"Bald": 1, "Male": 0}]
    drawn = draw("oversample", GAPS, where=either, until="balanced")
    # 7 are bald of known gender; the 20 who are not bald match neither; bald or gender of the others is not known
    assert len(drawn) == 90 + 20 - 7
    with pytest.raises(AuditError, match="already outnumber the 0 others"):
        draw("oversample", Cohort(np.arange(10), GAPS.attributes), where={"Bald": 1}, until="balanced")


def test_undersampling_leaves_out_whom_it_cannot_place() -> None:
    drawn = draw("undersample", GAPS, where={"Bald": 1})
    bald = GAPS.attributes.column("Bald")[drawn.rows]
    assert [int((bald == code).sum()) for code in (1, 0, -1)] == [10, 10, 0]


def test_until_balanced_with_replacement_is_uneven() -> None:
    drawn = draw("oversample", TRAIN, where={"Bald": 1}, until="balanced", replacement=True)
    each = copies_of_each(drawn, TRAIN, BALD)
    assert bald_in(drawn) == len(TRAIN) - COUNT and each.max() - each.min() > 1


def test_times_is_copies_beside_the_photo() -> None:
    drawn = draw("oversample", TRAIN, where={"Bald": 1}, times=44)
    assert set(copies_of_each(drawn, TRAIN, BALD)) == {44}
    first = TRAIN.rows[TRAIN.matches(BALD)][0]
    assert sorted(drawn.copy[drawn.rows == first]) == list(range(45))


@pytest.mark.parametrize(("of", "wanted"), [("dataset", round(0.04 * 700)), ("attribute", round(0.04 * COUNT))])
def test_extra_says_of_what(of: str, wanted: int) -> None:
    drawn = draw("oversample", TRAIN, where={"Bald": 1}, extra=0.04, of=of)
    each = copies_of_each(drawn, TRAIN, BALD)
    assert each.sum() == len(drawn) - 700 == wanted and each.max() == 1


def test_several_conditions_are_any_of_them() -> None:
    drawn = draw("oversample", TRAIN, where=[{"Male": 1, "Young": 1}, {"Male": 0, "Young": 0}], times=1)
    twice = {row for row, copy in rows_and_copies(drawn) if copy == 1}
    wanted = TRAIN.matches(Condition({"Male": 1, "Young": 1})) | TRAIN.matches(Condition({"Male": 0, "Young": 0}))
    assert twice == set(TRAIN.rows[wanted].tolist())


# --------------------------------------------------------------------------------------------------------- placebos


@given(st.integers(0, 1000))
def test_a_placebo_copies_as_many_photos_as_often(seed: int) -> None:
    other = draw("oversample", TRAIN, seed, where={"Bald": 1}, until="balanced")
    like = draw("oversample", TRAIN, seed + 1, {Need("a", "draw"): other}, like="a")
    assert profile(like) == profile(other) and is_whole(like, TRAIN)
    assert bald_in(like) < bald_in(other) / 2, "its copies are of anyone"


def test_a_matched_placebo_copies_only_who_matches() -> None:
    other = draw("oversample", TRAIN, where={"Bald": 1}, times=9)
    men = {"Male": 1, "Bald": 0}
    like = draw("oversample", TRAIN, 0, {Need("a", "draw"): other}, like="a", where=men)
    copied = np.unique(like.rows[like.copy > 0])
    assert profile(like) == profile(other)
    assert Cohort(copied, TRAIN.attributes).matches(Condition(men)).all()


def test_a_diverse_placebo_copies_everyone_once_at_most() -> None:
    other = draw("oversample", TRAIN, where={"Bald": 1}, times=9)
    like = draw("oversample", TRAIN, 0, {Need("a", "draw"): other}, like="a", distinct=True)
    assert len(like) == len(other) and max(profile(like)) == 2


@pytest.mark.parametrize(("given_copies", "copies", "found"), [
    ("duplicate", None, False), ("augmented", None, True), ("duplicate", "augmented", True),
])  # fmt: skip
def test_a_placebo_makes_copies_as_the_other_arm_does(given_copies: str, copies: str | None, found: bool) -> None:
    other = draw("oversample", TRAIN, where={"Bald": 1}, times=2, copies=given_copies)
    like = draw("oversample", TRAIN, 0, {Need("a", "draw"): other}, like="a", copies=copies)
    assert bool(like.copy.any()) is found


def test_a_placebo_needs_the_other_arms_draw() -> None:
    from auditkit_plugins.samplers.oversample import AugmentEveryone, Oversample

    assert Oversample.needs(chosen("oversample", like="a").options) == (Need("a", "draw"),)
    assert Oversample.needs(chosen("oversample", times=1).options) == ()
    assert AugmentEveryone.needs(chosen("augment-everyone", like="a").options) == (Need("a", "draw"),)


def test_augment_everyone_leaves_no_photo_as_it_is() -> None:
    drawn = draw("augment-everyone", TRAIN)
    assert rows_and_copies(drawn) == [(row, 1) for row in TRAIN.rows.tolist()]


def test_augment_everyone_like_another_arm_keeps_its_rows() -> None:
    other = draw("oversample", TRAIN, where={"Bald": 1}, times=2)
    drawn = draw("augment-everyone", TRAIN, 0, {Need("a", "draw"): other}, like="a")
    assert rows_and_copies(drawn) == [(row, copy + 1) for row, copy in rows_and_copies(other)]


# ----------------------------------------------------------------------------------------------------------- errors


def test_errors_are_what_is_repeated() -> None:
    inputs = inputs_for("upweight-errors", {}, TRAIN)
    drawn = draw("upweight-errors", TRAIN, 0, inputs, arm="other", times=4)
    times = dict(zip(*np.unique(drawn.rows, return_counts=True), strict=True))
    assert [times[row] for row in TRAIN.rows] == [5 if i % 10 == 0 else 1 for i in range(len(TRAIN))]


def test_errors_of_augmented_copies_do_not_count() -> None:
    rows = np.repeat(TRAIN.rows, 2)
    copy = np.tile([0, 1], len(TRAIN))
    margin = np.where(copy == 0, 1, -1).astype(np.float32)
    ones = np.ones(len(rows), dtype=np.int8)
    there = Predictions(ones - 1, rows, copy, copy, ones, margin)
    drawn = draw("upweight-errors", TRAIN, 0, {Need("a", "predictions"): there}, arm="a", times=4)
    assert len(drawn) == len(TRAIN)
