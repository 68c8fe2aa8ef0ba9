"""Small things that the tests of the training wing share: images in memory, a cache, work items, batches."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from auditkit.cohort import Draw
from auditkit.engine.executors import resolve
from auditkit.engine.work import ComponentRef, ImageCacheRef, UnitWork
from auditkit.events import Send
from auditkit.spec.model import Recipe
from auditkit.training import graph
from auditkit_plugins.models.options import SmallCNNOptions
from auditkit_plugins.models.small import SmallCNN
from auditkit_plugins.objectives.losses import CrossEntropy, GroupDRO
from auditkit_plugins.objectives.options import CrossEntropyOptions, GroupDROOptions

SIZE = 16
COUNT = 160
OBJECTIVE = ComponentRef("objective", "group-dro", {"strata": ("Bald",), "step_size": 0.5})
ADAM = {"use": "adamw", "lr": 0.01, "weight_decay": 0.1}
OPTIMIZERS = pytest.mark.parametrize("changes", [{}, {"optimizer": ADAM}], ids=["sgd", "adamw"])


def encoded(array: np.ndarray[Any, Any], kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


@dataclass(frozen=True)
class Photos:
    """Encoded images in memory."""

    data: tuple[bytes, ...] = field(repr=False)

    def read(self, index: int) -> bytes:
        return self.data[index]


def learnable() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(images, size, size, 3) uint8 whose brighter half tells the truth, mostly; and the truth."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, COUNT).astype(np.int8)
    pixels = rng.normal(110, 50, (COUNT, SIZE, SIZE, 3))
    pixels[:, : SIZE // 2] += 50 * truth[:, None, None, None]
    return pixels.clip(0, 255).astype(np.uint8), truth


def build(ref: ComponentRef) -> Any:
    """Build a component as the registry would."""
    if ref.id == "small-cnn":
        return SmallCNN(SmallCNNOptions.model_validate(ref.options))
    if ref.id == "group-dro":
        return GroupDRO(GroupDROOptions.model_validate(ref.options))
    return CrossEntropy(CrossEntropyOptions.model_validate(ref.options))


def recipe(**changes: Any) -> Recipe:
    plain = {
        "init": "none",
        "optimizer": {"use": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True},
        "schedule": {"use": "one-cycle"},
        "budget": {"epochs": 4},
        "batch_size": 16,
        "precision": "float32",
    }
    return Recipe.model_validate(plain | changes)


def draw(*rows: int | range) -> Draw:
    return Draw(np.concatenate([np.atleast_1d(np.asarray(r, dtype=np.int64)) for r in rows]))


def unit_work(folder: Path, **changes: Any) -> UnitWork:
    """A unit of the small network on the learnable images; its cache is written when missing."""
    pixels, truth = learnable()
    path = folder / "pixels.npy"
    if not path.exists():
        np.save(path, pixels)
    strata = np.arange(COUNT) % 3
    plain: dict[str, Any] = {
        "digest": "d1",
        "label": "Male original seed 0",
        "seed": 0,
        "init": "none",
        "train": "all",
        "model": ComponentRef("model", "small-cnn", {"width": 8, "blocks": 2}),
        "objective": ComponentRef("objective", "cross-entropy", {}),
        "recipe": recipe(),
        "images": ImageCacheRef(str(path), SIZE, COUNT),
        "truth": truth,
        "identity": np.arange(COUNT) // 4,
        "strata": strata,
        "stratum_counts": tuple(np.bincount(strata[:96]).tolist()),
        "splits": {"train": draw(range(96)), "valid": draw(range(96, 128)), "test": draw(range(128, 160))},
        "predict": ("valid", "test"),
        "probes": {},
        "train_first": True,
        "keep_weights": False,
        "store": str(folder / "store"),
        "device": "cpu",
        "threads": 1,
        "deterministic": False,
        "facts": {},
    }
    given = plain | changes
    return UnitWork(**({"precision": given["recipe"].precision} | given))


class Inline:
    """Runs every item at once, in this process."""

    processes = 1

    def __init__(self, send: Send) -> None:
        self._send = send

    def submit(self, function: str, item: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(resolve(function)(item, self._send))
        except Exception as error:
            future.set_exception(error)
        return future


class Events(list[Any]):
    """Collects what is sent."""

    def __call__(self, event: Any) -> None:
        self.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]


Build = Callable[[ComponentRef], Any]


def noise(rng: torch.Generator, rows: int) -> torch.Tensor:
    return torch.randint(0, 256, (rows, 16, 16, 3), generator=rng, dtype=torch.uint8)


def batches() -> list[graph.Batch]:
    rng = torch.Generator().manual_seed(1)
    return [(noise(rng, n), (torch.arange(n) % 2).float(), torch.arange(n) % 2) for n in (6, 5, 6)]


def picture(height: int, width: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """A smooth colourful picture, which JPEG hardly changes."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def photos(count: int) -> list[bytes]:
    return [encoded(picture(30 + k % 7, 26, seed=k)) for k in range(count)]
