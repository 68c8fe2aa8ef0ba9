"""Pools of the splits, and what a unit trains on, validates on and is tested on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_cohorts import arm, build, real, rows_and_copies, toy

from auditkit.cohort import Cohort, Draw, OpenDataset
from auditkit.contracts import Need, Sampler
from auditkit.engine.draws import UnitDraws, arm_draws, pools
from auditkit.engine.resolution import ResolvedArm
from auditkit.errors import ImpossibleRequest, RunFailed
from auditkit.predictions import Predictions
from auditkit.spec.model import Data

OLD_MEN = {"Male": 1, "Young": 0}


def data(**sections: Any) -> Data:
    return Data.model_validate_json(json.dumps(sections))


def drawn(
    of: ResolvedArm,
    spec: Data,
    dataset: OpenDataset,
    seed: int = 0,
    inputs: dict[Need, Draw | Predictions] | None = None,
) -> UnitDraws:
    return arm_draws(of, spec, pools(spec, dataset), dataset, build(of.sampler), seed, inputs or {})


def problem(spec: Data, dataset: OpenDataset) -> tuple[tuple[str | int, ...], str, str]:
    with pytest.raises(ImpossibleRequest) as caught:
        pools(spec, dataset)
    found = caught.value.problem
    return found.path, found.message, found.hint


# ------------------------------------------------------------------------------------------------------------ pools


def test_pools_are_the_splits_they_name() -> None:
    dataset = toy()
    found = pools(data(train={"from": ["train", "valid"]}), dataset)
    assert len(found.train) == 800 and len(found.valid) == 0 and len(found.test) == 200


def test_a_pool_that_names_no_split_is_taken_from_its_own() -> None:
    dataset = toy()
    found = pools(data(train={"draw": 60}, valid={}, test={"draw": 40}), dataset)
    assert dataset.splits is not None
    parts = [dataset.splits[rows] for rows in (found.train, found.valid, found.test)]
    assert [(len(part), set(part.tolist())) for part in parts] == [(60, {0}), (100, {1}), (40, {2})]


def test_a_draw_is_exact_and_depends_on_the_data_seed_only() -> None:
    dataset = toy()
    one, same, other = (pools(data(seed=seed, train={"draw": 100}), dataset).train for seed in (1, 1, 2))
    assert len(np.unique(one)) == 100
    assert one.tolist() == same.tolist() != other.tolist()


def test_cells_are_exact_and_hold_nobody_else() -> None:
    dataset = toy()
    cells = [{"where": OLD_MEN, "count": 40}, {"where": {"Male": 0}, "count": 30}]
    rows = pools(data(train={"from": ["train"], "cells": cells}), dataset).train
    male, young = dataset.attributes.column("Male")[rows], dataset.attributes.column("Young")[rows]
    assert len(rows) == 70
    assert ((male == 1) & (young == 0)).sum() == 40 and (male == 0).sum() == 30


def test_hold_out_keeps_people_together() -> None:
    dataset = toy()
    assert dataset.identities is not None
    found = pools(data(train={"from": ["train"], "hold_out": 0.25}), dataset)
    assert not np.isin(dataset.identities[found.train], dataset.identities[found.valid]).any()
    assert len(np.unique(dataset.identities[found.valid])) == 35  # a quarter of 140
    assert len(found.train) + len(found.valid) == 700


def test_hold_out_takes_whoever_is_unknown_for_a_person_of_their_own() -> None:
    dataset = toy()
    assert dataset.identities is not None
    known = np.where(dataset.identities % 2 == 0, -1, dataset.identities)
    found = pools(data(train={"from": ["train"], "hold_out": 0.25}), replace(dataset, identities=known))
    held = known[found.valid]
    assert (held == -1).sum() + len(np.unique(held[held >= 0])) == 105  # a quarter of 350 unknown images and 70 people
    assert 0 < (held == -1).sum() < 350
    assert not np.isin(known[found.train], held[held >= 0]).any()


@pytest.mark.parametrize("known", [True, False])
def test_hold_out_by_image(known: bool) -> None:
    dataset = toy(known=known)
    split_by = "image" if known else "identity"
    found = pools(data(train={"from": ["train"], "hold_out": 0.25}, split_by=split_by), dataset)
    assert len(found.valid) == 175


@given(st.integers(0, 50), st.integers(10, 200), st.integers(10, 200), st.sampled_from(["identity", "image"]))
def test_no_row_is_in_two_pools(seed: int, train: int, test: int, by: str) -> None:
    everything = ["train", "valid", "test"]
    spec = data(
        seed=seed,
        split_by=by,
        train={"from": everything, "draw": train, "hold_out": 0.2},
        test={"from": everything, "draw": test},
    )
    found = pools(spec, toy())
    rows = np.concatenate([found.train, found.valid, found.test])
    assert len(np.unique(rows)) == len(rows) == train + test


def test_a_set_without_splits_is_split_by_person() -> None:
    dataset = toy(splits=False)
    assert dataset.identities is not None
    found = pools(data(valid={"from": ["valid"]}), dataset)
    sizes = [len(found.train), len(found.valid), len(found.test)]
    assert sizes == [700, 100, 200]
    people = [set(dataset.identities[rows]) for rows in (found.train, found.valid, found.test)]
    assert not (people[0] & people[1] | people[0] & people[2] | people[1] & people[2])


def test_what_a_set_without_splits_lacks_is_told_with_how_it_was_split() -> None:
    assert problem(data(valid={"draw": 200}), toy(splits=False)) == (
        ("data", "valid", "draw"),
        "asked for 200 images, but there are 100 images in valid (drawn 70/10/20, since the data has no splits)",
        "ask for at most 100, name more splits in from, or use --scale",
    )
    assert problem(data(), toy(size=4, people=4, splits=False)) == (
        ("data", "test", "from"),
        "there are no images in test (drawn 70/10/20, since the data has no splits)",
        "name a split in 'from' that has images which no earlier pool takes",
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            data(train={"from": ["train", "valid"], "draw": 6000}),
            (
                ("data", "train", "draw"),
                "asked for 6,000 images, but there are 800 images in train+valid",
                "ask for at most 800, name more splits in from, or use --scale",
            ),
        ),
        (
            data(train={"from": ["train"], "cells": [{"where": OLD_MEN, "count": 6000}]}),
            (
                ("data", "train", "cells", 0, "count"),
                "asked for 6,000 images, but there are 104 images with Male=1, Young=0 in train",
                "ask for at most 104, name more splits in from, or use --scale",
            ),
        ),
        (
            data(train={"cells": [{"where": OLD_MEN, "count": 1}, {"where": {"Male": 1}, "count": 1}]}),
            (
                ("data", "train", "cells", 1, "where"),
                "cells 1 and 2 overlap: 104 images in train belong to both",
                "make the conditions exclude each other",
            ),
        ),
        (
            data(train={"draw": 3, "hold_out": 0.1}),
            (
                ("data", "train", "hold_out"),
                "holding out 0.1 of 3 people or images leaves one side empty",
                "draw more images or choose another share",
            ),
        ),
        (
            data(train={"from": ["test"]}),
            (
                ("data", "test", "from"),
                "there are no images in test (rows of earlier pools left out)",
                "name a split in 'from' that has images which no earlier pool takes",
            ),
        ),
    ],
)
def test_impossible_requests_say_the_numbers(spec: Data, expected: tuple[Any, str, str]) -> None:
    assert problem(spec, toy()) == expected


# ------------------------------------------------------------------------------------------------------ arm's draws


def test_an_arm_trains_on_its_sampler_and_is_tested_on_plain_rows() -> None:
    dataset, spec = toy(), data(train={"from": ["train"]}, valid={"from": ["valid"]})
    found = drawn(arm("a", "oversample", where={"Bald": 1}, times=2), spec, dataset)
    bald = int(dataset.attributes.column("Bald")[:].take(pools(spec, dataset).train).sum())
    assert len(found.train) == 700 + 2 * bald
    assert found.train is found.sampled
    assert found.test.rows.tolist() == pools(spec, dataset).test.tolist() and not found.test.copy.any()
    assert len(found.valid) == 100


def test_an_arm_on_valid_has_nothing_to_validate_on() -> None:
    dataset, spec = toy(), data(valid={"from": ["valid"]})
    found = drawn(arm("a", on="valid"), spec, dataset)
    assert found.train.rows.tolist() == pools(spec, dataset).valid.tolist()
    assert len(found.valid) == 0 and len(found.test) == 200


def test_a_samplers_refusal_names_the_arm() -> None:
    with pytest.raises(ImpossibleRequest) as caught:
        drawn(arm("big", "undersample", over=["Male"], to=1000), data(), toy())
    assert caught.value.problem.path == ("sampler",)
    assert caught.value.message == "arm 'big': asked to keep 1,000 images of each group, but Male=0 has 350"
    assert caught.value.hint == "set to = 350 or less, or leave it out"


class Rogue(Sampler):
    """A sampler that returns what it is given."""

    def draw(self, cohort: Cohort, inputs: Any, rng: np.random.Generator) -> Draw:
        return Draw(*self.options)


@pytest.mark.parametrize(
    ("rows", "copy", "message"),
    [
        ([0, 999], [0, 0], "sampler 'none' of arm 'a' drew 1 row that is not in its cohort"),
        ([0, 1], [0, -1], "sampler 'none' of arm 'a' drew negative copy numbers"),
        ([], [], "sampler 'none' of arm 'a' drew no rows from 700"),
    ],
)
def test_a_sampler_is_held_to_its_contract(rows: list[int], copy: list[int], message: str) -> None:
    dataset, spec = toy(), data(train={"from": ["train"]})
    rogue = Rogue((np.array(rows, dtype=np.int64), np.array(copy, dtype=np.int64)))
    with pytest.raises(RunFailed) as caught:
        arm_draws(arm("a"), spec, pools(spec, dataset), dataset, rogue, 0, {})
    assert caught.value.message == message


class Broken(Sampler):
    """A sampler that does what it is told to, wrong."""

    def draw(self, cohort: Cohort, inputs: Any, rng: np.random.Generator) -> Any:
        return self.options(cohort)


@pytest.mark.parametrize(
    ("does", "message"),
    [
        (lambda cohort: {}["Bald"], "cannot draw: KeyError: 'Bald'"),
        (lambda cohort: None, "drew NoneType, not an auditkit.Draw"),
        (lambda cohort: Draw(cohort.rows * 1.0), "drew rows that are float64 (700,), not one row of int64"),
        (lambda cohort: Draw([0, 1], [0, 0]), "drew rows that are list, not one row of int64"),
        (
            lambda cohort: Draw(cohort.rows, cohort.rows[:1]),
            "cannot draw: ValueError: a draw of 700 rows has 1 copy numbers",
        ),
    ],
)
def test_a_broken_sampler_fails_with_its_plugin_named(does: Any, message: str) -> None:
    dataset, spec = toy(), data(train={"from": ["train"]})
    with pytest.raises(RunFailed) as caught:
        arm_draws(arm("a"), spec, pools(spec, dataset), dataset, Broken(does), 0, {})
    assert caught.value.message == f"sampler 'none' of arm 'a' {message}"
    assert caught.value.where.startswith("plugin auditkit ")


def test_a_sampler_never_gets_a_test_row() -> None:
    seen: list[Cohort] = []

    class Spy(Sampler):
        def draw(self, cohort: Cohort, inputs: Any, rng: np.random.Generator) -> Draw:
            seen.append(cohort)
            return Draw(cohort.rows)

    dataset, spec = toy(), data(train={"from": ["train"], "hold_out": 0.1})
    found = pools(spec, dataset)
    arm_draws(arm("a"), spec, found, dataset, Spy(None), 0, {})
    assert seen[0].rows.tolist() == found.train.tolist()


# --------------------------------------------------------------------------------------------- split after resampling

AS_PUBLISHED = {"split_after_resampling": {"train": 0.8, "valid": 0.1}, "train": {"from": ["train", "valid", "test"]}}


def test_splitting_after_resampling_loses_and_doubles_nothing() -> None:
    dataset, spec = toy(), data(**AS_PUBLISHED)
    found = drawn(arm("a", "oversample", where={"Bald": 1}, times=5), spec, dataset)
    parts = [found.train, found.valid, found.test]
    together = sorted(pair for part in parts for pair in rows_and_copies(part))
    assert together == rows_and_copies(found.sampled)
    total = len(found.sampled)
    assert [len(part) for part in parts] == [
        round(0.8 * total), round(0.1 * total), total - round(0.8 * total) - round(0.1 * total)
    ]  # fmt: skip
    assert (found.test.copy > 0).any(), "copies fall on the test side, as published"


def test_arms_agree_on_nearly_all_photos_that_they_share() -> None:
    dataset, spec = toy(), data(**AS_PUBLISHED)
    plain = drawn(arm("a"), spec, dataset)
    more = drawn(arm("b", "oversample", where={"Bald": 1}, times=5), spec, dataset)
    one, two = ({row for row, copy in rows_and_copies(found.train) if copy == 0} for found in (plain, more))
    assert len(one & two) > 0.95 * len(one)


def test_plain_duplicates_are_split_one_by_one() -> None:
    dataset, spec = toy(), data(**AS_PUBLISHED)
    found = drawn(arm("a", "oversample", where={"Bald": 1}, times=20, copies="duplicate"), spec, dataset)
    bald = np.flatnonzero(dataset.attributes.column("Bald"))
    both = [row for row in bald if row in found.train.rows and row in found.test.rows]
    assert len(both) > 0.7 * len(bald)


def test_a_placebo_sees_the_whole_draw_not_the_training_part() -> None:
    dataset, spec = toy(), data(**AS_PUBLISHED)
    more = drawn(arm("b", "oversample", where={"Bald": 1}, times=5), spec, dataset)
    like = drawn(arm("p", "oversample", like="b"), spec, dataset, inputs={Need("b", "draw"): more.sampled})
    assert len(like.sampled) == len(more.sampled)


# --------------------------------------------------------------------------------------------------- the real tables


def test_the_publication_counts(shared: Path) -> None:
    dataset = real(shared)
    cells = [{"where": {"Bald": 1}, "count": 219}, {"where": {"Bald": 0}, "count": 9781}]
    spec = data(**{**AS_PUBLISHED, "train": {"from": ["train", "valid", "test"], "cells": cells}})
    found = drawn(arm("a", "oversample", where={"Bald": 1}, times=44), spec, dataset)
    assert [len(part) for part in (found.sampled, found.train, found.valid, found.test)] == [19636, 15709, 1964, 1963]


def test_more_old_women_than_there_are(shared: Path) -> None:
    cells = [{"where": {"Male": 0, "Young": 0}, "count": 2000}]
    path, message, _ = problem(data(test={"from": ["test"], "cells": cells}), real(shared))
    assert path == ("data", "test", "cells", 0, "count")
    assert message == "asked for 2,000 images, but there are 1,916 images with Male=0, Young=0 in test"
