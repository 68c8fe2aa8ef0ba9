"""Pools of the splits: exact, apart from each other, and refused with the numbers where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_cohorts import data, real, toy

from auditkit.cohort import OpenDataset
from auditkit.engine.draws import pools
from auditkit.errors import ImpossibleRequest
from auditkit.spec.model import Data

OLD_MEN = {"Male": 1, "Young": 0}


def problem(spec: Data, dataset: OpenDataset) -> tuple[tuple[str | int, ...], str, str]:
    with pytest.raises(ImpossibleRequest) as caught:
        pools(spec, dataset)
    found = caught.value.problem
    return found.path, found.message, found.hint


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


def test_more_old_women_than_there_are(shared: Path) -> None:
    cells = [{"where": {"Male": 0, "Young": 0}, "count": 2000}]
    path, message, _ = problem(data(test={"from": ["test"], "cells": cells}), real(shared))
    assert path == ("data", "test", "cells", 0, "count")
    assert message == "asked for 2,000 images, but there are 1,916 images with Male=0, Young=0 in test"
