"""What a worker is asked to do, as plain data that any process can receive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from auditkit.cohort import Draw, ImageSource, Rows
from auditkit.contracts import Kind
from auditkit.engine.resolution import Chosen
from auditkit.spec.model import Recipe

DESCRIBE_MACHINE = "auditkit.engine.worker:describe_machine"
"""Takes a DeviceWork; gives a Machine."""


@dataclass(frozen=True, slots=True)
class ComponentRef:
    """A component by id, with resolved options as JSON values; the worker's own registry builds it."""

    kind: Kind
    id: str
    options: dict[str, Any]

    @classmethod
    def of(cls, chosen: Chosen) -> ComponentRef:
        """The component that an audit uses."""
        return cls(chosen.kind, chosen.address, chosen.options.model_dump(by_alias=True))


@dataclass(frozen=True, slots=True)
class ImageCacheRef:
    """A memory-mapped uint8 array (images, size, size, 3) on disk: a .npy file, of which so many are `used`."""

    path: str
    size: int
    used: int

    @property
    def used_bytes(self) -> int:
        """Of the images that are used."""
        return self.used * self.size**2 * 3


@dataclass(frozen=True, slots=True, eq=False)
class FillWork:
    """Some images to be decoded into the cache: `rows` (n,) int64 of the array at `path`."""

    source: ImageSource = field(repr=False)
    rows: Rows = field(repr=False)
    crop: int
    size: int
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class UnitWork:
    """One unit: train, predict, store.

    `truth` is (images of the data set,) int8: 1 where the image has the task's positive level, 0 where not, -1 where
    missing. `strata` is (images,) int64, opaque, -1 where an image is not trained on; `stratum_counts` counts them over
    the training draw. `identity` is (images,) int64 or None. `splits` maps "train", "valid", "test" to draws of
    images whose truth is known; `predict` lists those to be predicted.
    `init` is "none", "imagenet", "checkpoint:FILE" or "unit:DIGEST" (weights in the store).
    `train_first` False only predicts with the stored weights of the unit itself, adding `predict` to what is stored.
    `probes` maps keys to (images of the data set,) int8 columns of 0 and 1, -1 where missing: other questions that
    heads on the frozen features are fitted to.
    """

    digest: str
    label: str
    seed: int
    init: str
    train: Literal["all", "head"]
    model: ComponentRef
    objective: ComponentRef
    recipe: Recipe
    images: ImageCacheRef
    truth: NDArray[np.int8] = field(repr=False)
    identity: Rows | None = field(repr=False)
    strata: Rows | None = field(repr=False)
    stratum_counts: tuple[int, ...]
    splits: dict[str, Draw] = field(repr=False)
    predict: tuple[str, ...]
    probes: dict[str, NDArray[np.int8]] = field(repr=False)
    train_first: bool
    keep_weights: bool
    store: str
    device: str
    precision: str
    threads: int
    deterministic: bool
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class LookWork:
    """Some images to be predicted with the stored weights of a unit: `rows` (n,) int64, filled in the cache."""

    digest: str
    label: str
    model: ComponentRef
    images: ImageCacheRef
    rows: Rows = field(repr=False)
    store: str
    device: str


@dataclass(frozen=True, slots=True)
class DeviceWork:
    """A device to be looked at, by name or "auto", under the algorithms that will run there."""

    device: str
    deterministic: bool


@dataclass(frozen=True, slots=True)
class SpeedWork:
    """Part of a training step on the CPU, to be done again and again for `seconds`, with so many threads."""

    precision: str
    threads: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What a worker found: the device it will use and what the device can do.

    `free_bytes` is memory of a CUDA device that nobody uses; 0 for any other.
    """

    device: str
    device_name: str
    free_bytes: int
    precision: str
    cores: int
    torch: str
    torchvision: str
