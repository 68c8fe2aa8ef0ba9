"""Samplers refuse what cannot be drawn, with the numbers and a remedy, and options that contradict each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sampler_toys import COUNT, TRAIN, inputs_for
from toy_cohorts import chosen, draw

from auditkit.cohort import Cohort, Draw
from auditkit.contracts import Need
from auditkit.errors import AuditError
from auditkit.predictions import Predictions
from auditkit_plugins.samplers.records import SAMPLERS


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
