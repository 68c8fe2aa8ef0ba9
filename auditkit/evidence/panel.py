"""What the evidence wing works on: the predictions of one task, aligned over arms and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import Level


@dataclass(frozen=True, slots=True, eq=False)
class ArmScores:
    """Logit margins of one arm: (seeds, n) float32, NaN where the arm has no prediction for an image."""

    arm: str
    seeds: tuple[int, ...]
    margin: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One task on one test set.

    row, copy, identity: (n,) int64; truth: (n,) int8 of 0 and 1. attributes: name -> (n,) int8 codes into
    levels[name], -1 where missing. `target` is the attribute that the task predicts, or the column of the truth where
    predictions came from elsewhere; a group over it is defined by the truth itself. Without known identities every
    image is its own. Without known rows the same image may stand for every arm under another number. A prediction is
    positive where its margin lies above `threshold`.
    """

    task: str
    target: str
    test: str
    row: NDArray[np.int64]
    copy: NDArray[np.int64]
    identity: NDArray[np.int64]
    truth: NDArray[np.int8]
    attributes: Mapping[str, NDArray[np.int8]] = field(repr=False)
    levels: Mapping[str, tuple[Level, ...]] = field(repr=False)
    arms: tuple[ArmScores, ...] = field(repr=False)
    identities_known: bool = True
    rows_known: bool = True
    threshold: float = 0.0
