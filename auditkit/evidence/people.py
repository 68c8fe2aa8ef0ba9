"""People numbered by what is known of them, so that neither names nor the order of anything decide who is drawn when.

Replicates draw people by number. Were numbers given by identity or by place, then other names for the same people, or
another order of their photos, would give other intervals: only by chance, but visibly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.panel import Panel
from auditkit.streams import mix

Hashes = NDArray[np.uint64]
_ABSENT = np.uint64(0x6A09E667F3BCC909)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Keys of the people of a test set, sorted, and the number of each, both (people,) int64."""

    key: NDArray[np.int64]
    number: NDArray[np.int64]

    def of(self, panel: Panel) -> NDArray[np.int64]:
        """(n,) int64: the number of the person on each image of a panel that shows no others."""
        return np.asarray(self.number[np.searchsorted(self.key, keys(panel))], dtype=np.int64)


def number(panel: Panel) -> People:
    """Number people by truth and predictions on all their images; by attributes where these are the same."""
    key, person = np.unique(keys(panel), return_inverse=True)
    predicted = predictions(panel)
    told_apart = _per_person(_described(panel, predicted), person, len(key)), _per_person(predicted, person, len(key))
    result = np.empty(len(key), dtype=np.int64)
    result[np.lexsort(told_apart)] = np.arange(len(key))
    return People(key, result)


def predictions(panel: Panel) -> Hashes:
    """(n,) uint64: of each image's truth and predictions, whatever the order and the names of arms and seeds."""
    truth = mix(panel.truth.astype(np.uint64) + np.uint64(1))
    result = truth.copy()
    for arm in panel.arms:
        each = np.stack([_prediction(truth, margin) for margin in arm.margin])
        # whose predictions they are is told by all of them, not by a name
        unit = mix(each.sum(axis=1, keepdims=True, dtype=np.uint64))
        unit = mix(unit ^ unit.sum(axis=0, keepdims=True, dtype=np.uint64))
        result += (mix(each ^ unit) * (each != 0)).sum(axis=0, dtype=np.uint64)
    return result


def _prediction(truth: Hashes, margin: NDArray[np.float32]) -> Hashes:
    """Of one unit, 0 where it has no prediction."""
    bits = (margin + np.float32(0)).view(np.uint32).astype(np.uint64)  # of two zeros one
    return np.where(np.isnan(margin), np.uint64(0), mix(truth + bits))


def _described(panel: Panel, predicted: Hashes) -> Hashes:
    """Of each image's attributes, a level being known by the predictions on its images, not by its name."""
    result = np.zeros_like(predicted)
    for codes in panel.attributes.values():
        used, inverse = np.unique(codes, return_inverse=True)
        levels = _per_person(predicted, inverse, len(used))
        levels[used < 0] = _ABSENT
        result += mix(levels ^ levels.sum(keepdims=True, dtype=np.uint64))[inverse]
    return mix(result ^ predicted)


def keys(panel: Panel) -> NDArray[np.int64]:
    """(n,) int64: whose image each is; whoever is unknown is a person of their own, one per photo."""
    known = panel.identities_known & (panel.identity >= 0)
    return np.where(known, panel.identity, -1 - panel.row)


def _per_person(hashes: Hashes, person: NDArray[np.int64], people: int) -> Hashes:
    result = np.zeros(people, dtype=np.uint64)
    np.add.at(result, person, mix(hashes))
    return result
