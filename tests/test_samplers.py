"""The built-in samplers: counts, replacement, determinism, directions, never a row from outside, and their refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from toy_cohorts import attributes, chosen, cohort, draw, real, rows_and_copies, toy

from auditkit.cohort import Cohort, Draw, OpenDataset
from auditkit.contracts import Condition, Need
from auditkit.errors import AuditError
from auditkit.predictions import Predictions
from auditkit_plugins.samplers.records import SAMPLERS

BALD, MEN = Condition({"Bald": 1}), Condition({"Male": 1})
TOY = toy()
TRAIN = cohort(TOY)
COUNT = int(TRAIN.matches(BALD).sum())


def copies_of_each(drawn: Draw, of: Cohort, where: Condition) -> np.ndarray[Any, Any]:
    """Rows of each matching image beyond the image itself."""
    return np.array([(drawn.rows == row).sum() - 1 for row in of.rows[of.matches(where)]])


def is_whole(drawn: Draw, of: Cohort) -> bool:
    """Whether every image of the cohort is drawn itself."""
    return set(of.rows.tolist()) <= set(drawn.rows[drawn.copy == 0].tolist())


def bald_in(drawn: Draw, data: OpenDataset = TOY) -> int:
    return int(data.attributes.column("Bald")[drawn.rows].sum())


# ----------------------------------------------------------------------------------------------------- any of them

ANY: list[tuple[str, dict[str, Any]]] = [
    ("none", {}),
    ("oversample", {"where": {"Bald": 1}, "until": "balanced"}),
    ("oversample", {"where": {"Bald": 1}, "until": "balanced", "replacement": True}),
    ("oversample", {"where": {"Bald": 1}, "times": 3, "copies": "duplicate"}),
    ("oversample", {"where": {"Male": 1, "Young": [0, 1]}, "extra": 0.1, "of": "dataset"}),
    ("oversample", {"extra": 1.7, "of": "attribute", "replacement": True}),
    ("oversample", {"like": "other"}),
    ("oversample", {"like": "other", "distinct": True}),
    ("augment-everyone", {}),
    ("augment-everyone", {"like": "other"}),
    ("undersample", {"over": ["Male", "Young"]}),
    ("undersample", {"where": {"Male": 1}, "to": 5}),
    ("balance", {"over": ["Male"]}),
    ("balance", {"over": ["Male", "Young"], "how": "reweight", "copies": "augmented"}),
    ("cells", {"cells": [{"where": {"Male": 0}, "count": 9}]}),
    ("cells", {"cells": [{"where": {"Male": 1}, "count": 400}], "copies": "augmented"}),
    ("upweight-errors", {"arm": "other", "times": 4}),
]  # fmt: skip


def inputs_for(use: str, options: dict[str, Any], of: Cohort) -> dict[Need, Draw | Predictions]:
    """The draw or the predictions of an arm that oversamples bald images three times and gets each tenth wrong."""
    if use == "upweight-errors":
        margin = np.where(np.arange(len(of)) % 10 == 0, -1.0, 1.0).astype(np.float32)
        zeros = np.zeros(len(of), dtype=np.int64)
        truth = np.ones(len(of), dtype=np.int8)
        return {
            Need("other", "predictions"): Predictions(zeros.astype(np.int8), of.rows, zeros, zeros - 1, truth, margin)
        }
    if "like" in options:
        return {Need("other", "draw"): draw("oversample", of, where={"Bald": 1}, times=3)}
    return {}


@st.composite
def cohorts(drawing: st.DrawFn) -> tuple[OpenDataset, Cohort]:
    data = toy(drawing(st.integers(300, 500)), people=100, seed=drawing(st.integers(0, 10)))
    return data, cohort(data)


@pytest.mark.parametrize(("use", "options"), ANY)
@given(made=cohorts(), seed=st.integers(0, 2**32 - 1))
def test_a_draw_is_lawful_and_repeatable(
    use: str, options: dict[str, Any], made: tuple[OpenDataset, Cohort], seed: int
) -> None:
    _, of = made
    inputs = inputs_for(use, options, of)
    one, two = (draw(use, of, seed, inputs, **options) for _ in range(2))
    assert rows_and_copies(one) == rows_and_copies(two)
    assert len(one) and np.isin(one.rows, of.rows).all() and (one.copy >= 0).all()
    augmented = rows_and_copies(Draw(one.rows[one.copy > 0], one.copy[one.copy > 0]))
    assert len(set(augmented)) == len(augmented), "no augmented copy is drawn twice"


def test_every_sampler_is_among_those_tested() -> None:
    assert {use for use, _ in ANY} == {component.id for component in SAMPLERS}


# ------------------------------------------------------------------------------------------------------- oversample


def test_none_is_everyone_once() -> None:
    assert rows_and_copies(draw("none", TRAIN)) == [(row, 0) for row in TRAIN.rows.tolist()]


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


def profile(drawn: Draw) -> list[int]:
    return sorted(np.unique(drawn.rows, return_counts=True)[1].tolist())


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


# ----------------------------------------------------------------------------------------------------------- groups


def sizes(drawn: Draw, *names: str) -> list[int]:
    return np.unique(Cohort(drawn.rows, TOY.attributes).strata(names)[0], return_counts=True)[1].tolist()


@given(st.integers(0, 1000))
def test_undersampling_keeps_as_many_of_each_group(seed: int) -> None:
    drawn = draw("undersample", TRAIN, seed, over=["Male", "Young"])
    smallest = min(sizes(Draw(TRAIN.rows), "Male", "Young"))
    assert sizes(drawn, "Male", "Young") == [smallest] * 4
    assert max(profile(drawn)) == 1 and not drawn.copy.any()


def test_undersampling_a_condition_cuts_the_others() -> None:
    drawn = draw("undersample", TRAIN, where={"Bald": 1})
    assert bald_in(drawn) == COUNT and len(drawn) == 2 * COUNT


def test_undersampling_to_a_number() -> None:
    assert sizes(draw("undersample", TRAIN, over=["Male", "Young"], to=7), "Male", "Young") == [7] * 4


@given(st.integers(0, 1000))
def test_balancing_repeats_groups_up_to_the_largest(seed: int) -> None:
    drawn = draw("balance", TRAIN, seed, over=["Male", "Young"])
    largest = max(sizes(Draw(TRAIN.rows), "Male", "Young"))
    assert sizes(drawn, "Male", "Young") == [largest] * 4 and is_whole(drawn, TRAIN)


def test_reweighting_draws_as_many_rows_with_every_group_alike() -> None:
    counts = [sizes(draw("balance", TRAIN, seed, over=["Young"], how="reweight"), "Young") for seed in range(200)]
    assert {sum(pair) for pair in counts} == {700}
    assert abs(np.mean([pair[0] for pair in counts]) - 350) < 4.5 * 13.2 / np.sqrt(200)


@given(st.integers(1, 100), st.integers(1, 900))
def test_cells_are_exact(women: int, men: int) -> None:
    cells = [{"where": {"Male": 0}, "count": women}, {"where": {"Male": 1}, "count": men}]
    drawn = draw("cells", TRAIN, cells=cells, copies="augmented")
    assert sizes(drawn, "Male") == [women, men]
    each = np.unique(drawn.rows[TOY.attributes.column("Male")[drawn.rows] == 1], return_counts=True)[1]
    assert each.max() - (each.min() if men >= 350 else 1) <= 1


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


# --------------------------------------------------------------------------------------------------------- refusals


def other_arm(**options: Any) -> dict[Need, Draw | Predictions]:
    return {Need("a", "draw"): draw("oversample", TRAIN, **options)}


REFUSED: list[tuple[str, dict[str, Any], Callable[[], dict[Need, Any]], str]] = [
    (
        "oversample", {"where": {"Male": 0, "Bald": 1}, "times": 2}, dict,
        "none of 700 images is Male=0, Bald=1\n  widen where, or draw more images in [data]",
    ),
    (
        "oversample", {"where": {"Young": 1}, "until": "balanced"}, dict,
        "cannot balance by adding: 509 images with Young=1 already outnumber the 191 others\n"
        "  oversample the others, or use the sampler 'undersample'",
    ),
    (
        "oversample", {"where": {"Bald": 1}, "extra": 0.2, "of": "dataset"}, dict,
        f"extra = 0.2 of the dataset asks for 140 copies of different images, but {COUNT} of 700 images match Bald=1\n"
        "  lower extra, or set replacement = true",
    ),
    (
        "oversample", {"like": "a", "where": {"Bald": 1, "Young": 0}}, lambda: other_arm(where={"Bald": 1}, times=2),
        f"arm 'a' copies {COUNT} different images, but 8 images match Bald=1, Young=0\n"
        "  widen where, or draw more images in [data]",
    ),
    (
        "oversample", {"like": "a", "distinct": True}, lambda: other_arm(where={"Bald": 1}, times=50),
        f"arm 'a' makes {COUNT * 50:,} copies, but 700 images match anyone\n"
        "  drop distinct, or widen where",
    ),
    (
        "oversample", {"like": "a"}, lambda: {Need("a", "draw"): Draw(TRAIN.rows)},
        "arm 'a' makes no copies, so that there is nothing to be like",
    ),
    (
        "augment-everyone", {"like": "a"}, lambda: {Need("a", "draw"): Draw(np.array([0, 998, 999]))},
        "arm 'a' draws 2 images that this arm may not train on\n  give both arms the same on",
    ),
    (
        "undersample", {"over": ["Male", "Bald"]}, dict,
        "none of 700 images has Male=0, Bald=1, so that the groups cannot be made equal\n"
        "  group over fewer attributes, or draw more images in [data]",
    ),
    (
        "balance", {"over": ["Male", "Bald"]}, dict,
        "none of 700 images has Male=0, Bald=1, so that the groups cannot be made equal\n"
        "  group over fewer attributes, or draw more images in [data]",
    ),
    (
        "undersample", {"where": {"Bald": 1}, "to": 500}, dict,
        f"asked to keep 500 images of each group, but Bald=1 has {COUNT}\n"
        f"  set to = {COUNT} or less, or leave it out",
    ),
    (
        "cells", {"cells": [{"where": {"Bald": 1}, "count": 500}]}, dict,
        f"asked for 500 rows with Bald=1, but there are {COUNT} images\n"
        '  ask for fewer, or set copies = "augmented"',
    ),
    (
        "cells", {"cells": [{"where": {"Bald": 1, "Male": 0}, "count": 1}], "copies": "augmented"}, dict,
        "asked for 1 row with Bald=1, Male=0, but there are 0 images\n"
        "  leave the cell out, or draw more images in [data]",
    ),
    (
        "cells", {"cells": [{"where": {"Bald": 1}, "count": 1}, {"where": {"Male": 1}, "count": 1}]}, dict,
        f"cells 1 and 2 overlap: {COUNT} images match both\n  make the conditions exclude each other",
    ),
    (
        "upweight-errors", {"arm": "other", "times": 2},
        lambda: inputs_for("upweight-errors", {}, Cohort(TRAIN.rows[:690], TRAIN.attributes)),
        "arm 'other' has no prediction for 10 of 700 images\n"
        "  read the errors of an arm that trains on every image, such as one with the sampler \"none\"",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("use", "options", "inputs", "text"), REFUSED)
def test_a_refusal_has_the_numbers_and_a_remedy(
    use: str, options: dict[str, Any], inputs: Callable[[], dict[Need, Any]], text: str
) -> None:
    with pytest.raises(AuditError) as caught:
        draw(use, TRAIN, 0, inputs(), **options)
    assert str(caught.value) == text


ONE = "give exactly one of until, times, extra and like; found"


@pytest.mark.parametrize(
    ("use", "options", "message"),
    [
        ("oversample", {}, f"{ONE} none of them"),
        ("oversample", {"times": 2, "like": "a"}, f"{ONE} times and like"),
        ("oversample", {"extra": 0.1}, 'extra needs of = "dataset" or of = "attribute": a fraction of what?'),
        ("oversample", {"times": 1, "of": "dataset"}, "of goes with extra, not with times"),
        ("oversample", {"until": "balanced"}, "needs a condition in where: anyone has no others to balance"),
        ("oversample", {"where": [], "times": 1}, 'where is an empty array; write where = "anyone" for every image'),
        ("oversample", {"times": 1, "distinct": True}, "distinct goes with like, not with times"),
        ("oversample", {"times": 1, "replacement": True}, "replacement goes with until or extra, not with times"),
        ("undersample", {}, "give exactly one of where and over"),
        ("undersample", {"where": {"Bald": 1}, "over": ["Male"]}, "give exactly one of where and over"),
    ],
)
def test_options_that_contradict_each_other(use: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        chosen(use, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("component", SAMPLERS, ids=lambda component: component.id)
def test_every_option_is_explained(component: Any) -> None:
    assert component.summary
    assert all(field.description for field in component.options.model_fields.values())


# --------------------------------------------------------------------------------------------------- the real tables


@pytest.fixture(scope="module")
def celeba(shared: Path) -> OpenDataset:
    return real(shared)


def test_on_celeba_until_balanced(celeba: OpenDataset) -> None:
    of = cohort(celeba)
    drawn = draw("oversample", of, where={"Bald": 1}, until="balanced")
    assert len(drawn) == 2 * 159_057 and bald_in(drawn, celeba) == 159_057
    each = np.unique(drawn.rows[drawn.copy > 0], return_counts=True)[1]
    assert set(each.tolist()) == {41, 42}, "159,057 / 3,713 is 42.8, the image itself among them"


@pytest.mark.parametrize(
    ("of", "added", "share"), [("dataset", 36_623, 0.3760), ("attribute", 8_627, 0.2740)]
)  # fmt: skip
def test_on_celeba_both_readings_of_ratio(celeba: OpenDataset, of: str, added: int, share: float) -> None:
    drawn = draw("oversample", cohort(celeba), where={"Big_Nose": 1}, extra=0.225, of=of)
    assert len(drawn) == 162_770 + added
    assert celeba.attributes.column("Big_Nose")[drawn.rows].mean() == pytest.approx(share, abs=5e-5)


def test_on_celeba_no_copies_of_bald_women_balance_anything(celeba: OpenDataset) -> None:
    with pytest.raises(AuditError, match="but 9 of 162,770 images match Bald=1, Male=0"):
        draw("oversample", cohort(celeba), where={"Bald": 1, "Male": 0}, extra=0.1, of="dataset")


@pytest.mark.parametrize(("use", "options"), ANY)
def test_on_celeba_a_draw_is_lawful(celeba: OpenDataset, use: str, options: dict[str, Any]) -> None:
    of = cohort(celeba)
    drawn = draw(use, of, 7, inputs_for(use, options, of), **options)
    assert celeba.splits is not None and (celeba.splits[drawn.rows] == 0).all() and (drawn.copy >= 0).all()
