"""People drawn anew: how often each is drawn, and what counts and estimates are then. Arrays in, arrays out.

Identities are drawn, all images of one together (a cluster bootstrap), with multinomial weights that arms and groups
share, so that contrasts are paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Replicates = NDArray[np.float32]
_CHUNK = 1 << 16
_ROWS = 512
"""So many rows are redrawn at once: products are slow with few, and memory is slow where their results leave the cache.
"""


def weights(rng: np.random.Generator, blocks: int, replicates: int) -> Replicates:
    """(blocks, replicates) float32: how often each block of people is drawn when as many are drawn with replacement."""
    result = np.empty((replicates, blocks), dtype=np.float32)
    step = max(1, _CHUNK // max(blocks, 1))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        drawn = rng.integers(0, blocks, size=(size, blocks), dtype=np.int32)
        drawn += np.arange(size, dtype=np.int32)[:, None] * blocks
        result[start : start + size] = np.bincount(drawn.ravel(), minlength=size * blocks).reshape(size, blocks)
    return result.T


def resample(per_block: Replicates, weight: Replicates) -> Replicates:
    """(..., replicates): weighted sums over the last axis of `per_block`, (..., blocks), as one matrix product."""
    flat = per_block.reshape(-1, per_block.shape[-1]) @ weight
    return flat.reshape(*per_block.shape[:-1], weight.shape[1])


def resample_cells(counts: Replicates, weight: Replicates) -> Replicates:
    """(4, units, groups, replicates): `resample` of (4, units, groups, blocks) confusion counts, in half the time.

    Images of a truth are mostly the same in every unit: those predicted negative are then what the positive ones leave.
    """
    images = counts[0] + counts[1], counts[2] + counts[3]
    if not all((each == each[:1]).all() for each in images):
        return resample(counts, weight)
    units = counts.shape[1]
    drawn = resample(np.concatenate([counts[1], counts[3], images[0][:1], images[1][:1]]), weight)
    result = np.empty((*counts.shape[:-1], weight.shape[1]), dtype=np.float32)
    for negative, (at, total) in zip((0, 2), ((0, -2), (units, -1)), strict=True):
        result[negative + 1] = drawn[at : at + units]
        np.subtract(drawn[total], result[negative + 1], out=result[negative])
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Redrawn:
    """What q estimates are, to first order, when other people are drawn; both (q, replicates) float32.

    value: deviations; variance: what each replicate would have taken for the variance of people, as a multiple of what
    the data gave.
    """

    value: Replicates
    variance: Replicates

    def take(self, rows: list[int]) -> Redrawn:
        """Those of some of the estimates."""
        return Redrawn(self.value[rows], self.variance[rows])


def people_variance(replicates: Replicates, people: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Variance over the last axis times m / (m - 1) for m people, and the number of undefined replicates.

    Multinomial weights give the variance with divisor m; the factor makes it unbiased.
    """
    missing = np.isnan(replicates).sum(axis=-1)
    if missing.any():
        variance = _variance_with_gaps(replicates)
    else:
        variance = np.var(replicates, axis=-1, ddof=1, dtype=np.float64)
    return variance * people / np.maximum(people - 1, 1), missing


def _variance_with_gaps(replicates: Replicates) -> Floats:
    known = ~np.isnan(replicates)
    size = np.maximum(known.sum(axis=-1, keepdims=True), 2)
    filled = np.where(known, replicates, 0).astype(np.float64)
    centred = np.where(known, filled - filled.sum(axis=-1, keepdims=True) / size, 0)
    variance = (centred**2).sum(axis=-1) / (size[..., 0] - 1)
    return np.asarray(np.where(known.sum(axis=-1) < 2, np.nan, variance), dtype=np.float64)


def redraw(influence: NDArray[Any], people: NDArray[np.int64], added: Floats, weight: Replicates) -> Redrawn:
    """Deviations, and the variance of its own people that each replicate gives, as the studentised bootstrap needs it.

    influence: (q, blocks); added: (q,), variance beside that of the influences; weight: (blocks, replicates). The
    variance is the sum of squares of a replicate's people less the square of their mean (Hall, Annals of Statistics
    1988): where a few people carry most of it, replicates that lack them say so. Both are made of sums over people, to
    first order, so that the number of images that a replicate happens to have drawn is in neither.
    """
    shape = len(influence), weight.shape[-1]
    found = Redrawn(np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32))
    drawn = np.minimum(people, influence.shape[-1]).astype(np.float32)[:, None]
    constant = added.astype(np.float32)[:, None]
    for start in range(0, len(influence), _ROWS):
        rows = slice(start, start + _ROWS)
        own = np.asarray(influence[rows], dtype=np.float32)
        own = own - own.mean(axis=-1, keepdims=True)
        value = np.matmul(own, weight, out=found.value[rows])
        variance = np.matmul(np.square(own), weight, out=found.variance[rows])
        variance -= np.square(value) / drawn[rows]
        np.maximum(variance, 0, out=variance)
        usual = np.square(own).sum(axis=-1, keepdims=True) + constant[rows]
        variance *= drawn[rows] / np.maximum(drawn[rows] - 1, 1)
        variance += constant[rows]
        variance /= np.where(usual > 0, usual, 1)
    return found
