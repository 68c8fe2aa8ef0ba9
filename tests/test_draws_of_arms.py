"""What an arm trains on, validates on and is tested on, and that a sampler is held to its contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_cohorts import arm, build, data, real, rows_and_copies, toy

from auditkit.cohort import Cohort, Draw, OpenDataset
from auditkit.contracts import Need, Sampler
from auditkit.engine.draws import UnitDraws, arm_draws, pools
from auditkit.engine.resolution import ResolvedArm
from auditkit.errors import ImpossibleRequest, RunFailed
from auditkit.predictions import Predictions
from auditkit.spec.model import Data


def drawn(
    of: ResolvedArm,
    spec: Data,
    dataset: OpenDataset,
    seed: int = 0,
    inputs: dict[Need, Draw | Predictions] | None = None,
) -> UnitDraws:
    return arm_draws(of, spec, pools(spec, dataset), dataset, build(of.sampler), seed, inputs or {})


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
