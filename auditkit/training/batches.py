"""A draw as batches on the device: which rows, in which order, mirrored or not, all decided on the CPU by keys.

An epoch visits every row of the draw exactly once, in full batches, of which the last two share what is left: no row is
dropped and no batch is so small that its statistics are noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from auditkit import streams
from auditkit.cohort import Draw, Rows
from auditkit.spec.model import Augment
from auditkit.training.augment import parameters, render
from auditkit.training.pixels import Pixels, upload

KEPT_BYTES = 2**30
"""Augmented copies of a draw are kept up to this size."""
_RENDERED_AT_ONCE = 256

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Pictures:
    """The images of a draw, as they are or as augmented copies.

    Copies are rendered once and kept on the device while they take up to `kept_bytes`, else again in every epoch: a
    fiftieth of the time on a CPU, where half of the rows are copies (`benchmarks/techniques.py`).
    """

    def __init__(
        self, pixels: Pixels, draw: Draw, augment: Augment, seed: int, *, kept_bytes: int = KEPT_BYTES
    ) -> None:
        pixels.hold(draw.rows)
        self.pixels = pixels
        self._rows = torch.from_numpy(draw.rows)
        self._is_copy = torch.from_numpy(draw.copy > 0)
        self._drawn = torch.from_numpy(parameters(augment, seed, draw.rows, draw.copy))
        self._kept = torch.zeros(0)
        self._kept_at = self._is_copy.cumsum(0) - 1
        if 0 < int(self._is_copy.sum()) * pixels.size**2 * 3 <= kept_bytes:
            parts = torch.split(self._is_copy.nonzero()[:, 0], _RENDERED_AT_ONCE)
            self._kept = torch.cat([self._render(index) for index in parts])

    @classmethod
    def plain(cls, pixels: Pixels, rows: Rows) -> Pictures:
        """The images of some rows as they are."""
        return cls(pixels, Draw(rows), Augment(), 0)

    def __len__(self) -> int:
        return len(self._rows)

    def gather(self, index: torch.Tensor) -> torch.Tensor:
        """(n, size, size, 3) uint8 on the device; `index` is (n,) int64 positions in the draw, on the CPU."""
        images, touched = self.pixels.gather(self._rows[index]), self._is_copy[index]
        return _replaced(images, touched, self._copies(index[touched])) if bool(touched.any()) else images

    def _copies(self, index: torch.Tensor) -> torch.Tensor:
        if not len(self._kept):
            return self._render(index)
        return self._kept.index_select(0, upload(self._kept_at[index], self._kept.device))

    def _render(self, index: torch.Tensor) -> torch.Tensor:
        gathered = self.pixels.gather(self._rows[index])
        return render(gathered, upload(self._drawn[index], gathered.device))


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """truth: (n,) float32 of 0 and 1; stratum: (n,) int64, opaque; on the device, in the order of the draw."""

    truth: torch.Tensor
    stratum: torch.Tensor

    @staticmethod
    def of(draw: Draw, truth: NDArray[np.int8], strata: Rows | None, device: torch.device) -> Labels:
        """Look up the labels of a draw in tables over all images."""
        stratum = np.zeros(len(draw), dtype=np.int64) if strata is None else strata[draw.rows]
        return Labels(
            torch.from_numpy(truth[draw.rows].astype(np.float32)).to(device),
            torch.from_numpy(stratum).to(device),
        )


class Batches(Protocol):
    """What the training loop reads: inputs and labels of one epoch after another."""

    rows: int

    def steps(self) -> int:
        """Batches per epoch."""

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0."""


def order(seed: int, epoch: int, rows: int, batch_size: int) -> list[torch.Tensor]:
    """The positions of an epoch's batches: a permutation of all rows, cut at `_ends`."""
    shuffled = streams.generator(seed, "order", epoch).permutation(rows)
    return [torch.from_numpy(part) for part in np.split(shuffled, _ends(rows, batch_size)[:-1])]


def _ends(rows: int, batch_size: int) -> list[int]:
    """Where batches end: all are full, but for the last two, which share what is left.

    So draws of different sizes have batches of one size, for which one step is compiled and captured.
    """
    full = max(0, -(-rows // batch_size) - 2) * batch_size
    left = rows - full
    ends = list(range(batch_size, full + 1, batch_size))
    return [*ends, full + (left + 1) // 2, rows] if left > batch_size else [*ends, rows]


class ImageBatches:
    """Batches of (n, size, size, 3) uint8 images; with `flip`, each row is mirrored or not anew in every epoch."""

    def __init__(self, pictures: Pictures, labels: Labels, batch_size: int, seed: int, *, flip: bool) -> None:
        self.rows = len(pictures)
        self._pictures, self._labels = pictures, labels
        self._batch_size, self._seed, self._flip = batch_size, seed, flip

    def steps(self) -> int:
        """Batches per epoch."""
        return -(-self.rows // self._batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield (images, truth, stratum)."""
        mirrored = torch.from_numpy(streams.generator(self._seed, "flip", epoch).random(self.rows) < 0.5)
        for index in order(self._seed, epoch, self.rows, self._batch_size):
            images = self._pictures.gather(index)
            if self._flip:
                images = mirror(images, mirrored[index])
            at = upload(index, images.device)
            yield images, self._labels.truth[at], self._labels.stratum[at]


def mirror(images: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """(n, size, size, 3) images of which some are mirrored; `which` is (n,) bool on the CPU."""
    at = upload(which.nonzero()[:, 0], images.device)
    return _replaced(images, which, images.index_select(0, at).flip(2))


def _replaced(images: torch.Tensor, which: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """`images` with `others`, in their order, in the places of `which`: (n,) bool on the CPU.

    Looked up beside each other: to write into places, deterministic algorithms make a GPU's host wait for the largest
    index, twice a batch, and a CPU takes twice as long.
    """
    place = torch.arange(len(images))
    place[which] = len(images) + torch.arange(len(others))
    return torch.cat([images, others]).index_select(0, upload(place, images.device))


class FeatureBatches:
    """Batches of features that were computed once."""

    def __init__(self, features: torch.Tensor, labels: Labels, batch_size: int, seed: int) -> None:
        self.rows = len(features)
        self._features, self._labels = features, labels
        self._batch_size, self._seed = batch_size, seed

    def steps(self) -> int:
        """Batches per epoch."""
        return -(-self.rows // self._batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield (features, truth, stratum)."""
        for index in order(self._seed, epoch, self.rows, self._batch_size):
            at = upload(index, self._features.device)
            yield self._features[at], self._labels.truth[at], self._labels.stratum[at]
