"""Small attribute tables and resolved arms for the tests of draws, samplers and composition."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from auditkit.cohort import SPLITS, Attributes, Cohort, Draw, OpenDataset
from auditkit.contracts import Need, Options, Sampler
from auditkit.engine.resolution import Chosen, ResolvedArm
from auditkit.predictions import Predictions
from auditkit.spec.model import Data, Recipe
from auditkit_plugins.datasets.celeba import CelebA
from auditkit_plugins.samplers.records import SAMPLERS


class NoPixels:
    """An image source that must not be asked: nothing here looks at pixels."""

    def read(self, index: int) -> bytes:
        raise AssertionError("a sampler or a draw asked for pixels")


def attributes(**columns: Sequence[int]) -> Attributes:
    """Binary attributes with levels 0 and 1; -1 is missing."""
    codes = np.stack([np.asarray(column, dtype=np.int8) for column in columns.values()], axis=1)
    return Attributes(tuple(columns), ((0, 1),) * len(columns), codes)


def toy(size: int = 1000, people: int = 200, seed: int = 0, *, splits: bool = True, known: bool = True) -> OpenDataset:
    """Bald is rare and male, Young common; every person is in one split only (70/10/20)."""
    rng = np.random.default_rng(seed)
    identity = np.arange(size) % people
    male = (identity % 2).astype(np.int8)
    bald = ((rng.random(size) < 0.1) & (male == 1)).astype(np.int8)
    young = (rng.random(size) < 0.7).astype(np.int8)
    split = np.searchsorted([0.7, 0.8], identity / people, side="right").astype(np.int8)
    return OpenDataset(
        file_names=tuple(f"{i:06}.jpg" for i in range(1, size + 1)),
        attributes=attributes(Male=male.tolist(), Bald=bald.tolist(), Young=young.tolist()),
        identities=identity.astype(np.int64) if known else None,
        splits=split if splits else None,
        images=NoPixels(),
        fingerprint="toy",
        kind="toy",
    )


def cohort(data: OpenDataset, split: str = "train") -> Cohort:
    assert data.splits is not None and data.identities is not None
    rows = np.flatnonzero(data.splits == SPLITS.index(split))
    return Cohort(rows, data.attributes, data.identities[rows])


def chosen(use: str, /, **options: object) -> Chosen:
    (component,) = (component for component in SAMPLERS if component.id == use)
    return Chosen("sampler", component, component.options.model_validate_json(json.dumps(options)), "auditkit", "0")


def sampler(use: str, /, **options: object) -> Sampler:
    return build(chosen(use, **options))


def build(of: Chosen) -> Sampler:
    module, _, name = of.component.factory.partition(":")
    found: type[Sampler] = getattr(import_module(module), name)
    return found(of.options)


def draw(
    use: str, of: Cohort, seed: int = 0, inputs: dict[Need, Draw | Predictions] | None = None, /, **options: object
) -> Draw:
    return sampler(use, **options).draw(of, inputs or {}, np.random.default_rng(seed))


def arm(name: str, use: str = "none", /, on: str = "train", **options: object) -> ResolvedArm:
    picked = chosen(use, **options)
    nothing = Chosen("objective", SAMPLERS[0], Options(), "auditkit", "0")
    needs = type(build(picked)).needs(picked.options)
    return ResolvedArm(name, "none", "all", on, picked, nothing, nothing, Recipe(), (0,), needs)


def real(shared: Path) -> OpenDataset:
    """All of CelebA's annotations, without images."""
    return CelebA(CelebA.Options()).open(shared / "celeba-annotations")


def rows_and_copies(of: Draw) -> list[tuple[int, int]]:
    return sorted(zip(of.rows.tolist(), of.copy.tolist(), strict=True))


def data(**sections: Any) -> Data:
    return Data.model_validate_json(json.dumps(sections))
