"""The built-in samplers: draws that are lawful and repeatable, never of a row from outside; groups made equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampler_toys import COUNT, TOY, TRAIN, bald_in, inputs_for, is_whole, profile
from toy_cohorts import cohort, draw, real, rows_and_copies, toy

from auditkit.cohort import Cohort, Draw, OpenDataset
from auditkit.errors import AuditError
from auditkit_plugins.samplers.records import SAMPLERS

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


def test_none_is_everyone_once() -> None:
    assert rows_and_copies(draw("none", TRAIN)) == [(row, 0) for row in TRAIN.rows.tolist()]


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
