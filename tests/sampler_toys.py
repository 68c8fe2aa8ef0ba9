"""A cohort to draw from, and what the tests of samplers ask of a draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from toy_cohorts import cohort, draw, toy

from auditkit.cohort import Cohort, Draw, OpenDataset
from auditkit.contracts import Condition, Need
from auditkit.predictions import Predictions

BALD = Condition({"Bald": 1})
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


def profile(drawn: Draw) -> list[int]:
    return sorted(np.unique(drawn.rows, return_counts=True)[1].tolist())
