"""How often each image of a cohort is drawn, and the draw that follows: all that the built-in samplers share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from auditkit import Draw
from auditkit_plugins.counted import counted

Times = NDArray[np.int64]


def repeated(rows: NDArray[np.int64], times: Times, copies: str) -> Draw:
    """Each row as often as `times` says; repetitions are numbered 1, 2, ... unless they are plain duplicates."""
    drawn = np.repeat(rows, times)
    if copies == "duplicate":
        return Draw(drawn)
    first = np.repeat(np.cumsum(times) - times, times)
    return Draw(drawn, np.arange(len(drawn), dtype=np.int64) - first)


def spread(total: int, over: int, rng: np.random.Generator) -> Times:
    """(over,) int64 that sum to `total` and differ by one at most; who gets one more is drawn."""
    times = np.full(over, total // over, dtype=np.int64)
    times[rng.permutation(over)[: total % over]] += 1
    return times


def independent(total: int, over: int, rng: np.random.Generator) -> Times:
    """(over,) int64 that sum to `total`: how often each is met in independent draws with replacement."""
    return np.bincount(rng.integers(over, size=total), minlength=over).astype(np.int64)


def once(total: int, over: int, rng: np.random.Generator) -> Times:
    """(over,) int64 of 0 and 1: a draw of `total` without replacement."""
    times = np.zeros(over, dtype=np.int64)
    times[rng.permutation(over)[:total]] = 1
    return times


def images(count: int) -> str:
    """A count with its noun: "1 image", "1,200 images"."""
    return counted(count, "image")
