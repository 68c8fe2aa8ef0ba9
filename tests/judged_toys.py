"""Predictions simulated with NumPy: as tables made elsewhere, and as units of a store that nothing was trained for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from auditkit.cohort import SPLITS
from auditkit.engine.prepare import Prepared, Settings, prepare
from auditkit.predictions import Predictions

SIMULATED = """\
[audit]
title = "Simulated"

[data]
dataset = { use = "faces", images = 600 }
train = { from = ["train"] }
test = { from = ["test", "valid"] }

[[task]]
target = "Male"

[recipe]
model = "small-cnn"
init = "none"
seeds = [0, 1, 2]

[[arm]]
name = "original"

[[arm]]
name = "oversampled"
sampler = { use = "oversample", where = { Bald = 1 }, until = "balanced" }

[evidence]
reference = "original"
groups = [["Young"]]
metrics = ["accuracy", "true_positive_rate", "brier"]
replicates = 400
spillover = false
scan = false

[[gate]]
name = "young stay right"
finding = { task = "Male", arm = "oversampled", metric = "accuracy", over = ["Young"], at = { Young = 1 } }
at_least = 0.6

[[gate]]
finding = { task = "Male", arm = "oversampled", metric = "accuracy" }
at_least = 0.999

[[gate]]
name = "cannot be told"
finding = { task = "Male", arm = "oversampled", quantity = "change" }
at_most = 0.0
"""


def table(people: int = 150, photos: int = 3, seeds: int = 2) -> pd.DataFrame:
    """Two arms on the same images, some of which are hard for both, named a and b; b is worse for gender f."""
    rng = np.random.default_rng(5)
    n = people * photos
    person = np.repeat(np.arange(people), photos)
    gender = np.where(rng.integers(0, 2, people)[person] == 1, "m", "f")
    young, truth = rng.integers(0, 2, n), rng.integers(0, 2, n)
    hard = rng.normal(0, 0.8, n)
    parts = []
    for arm, worse in (("a", 0.0), ("b", 1.3)):
        for seed in range(seeds):
            margin = (2 * truth - 1) * (1.6 - worse * (gender == "f")) + hard + rng.normal(0, 0.6, n)
            photo = [f"{i:04}.jpg" for i in range(n)]
            parts.append(
                pd.DataFrame(
                    {
                        "image": photo, "person": person, "gender": gender, "young": young,
                        "truth": truth, "score": expit(margin), "arm": arm, "seed": seed,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def prepared(file: Path, store: Path) -> Prepared:
    """The audit as the command line prepares it."""
    return prepare(Settings(path=file, store=store))


def simulate(ready: Prepared, skill: float = 1.0, stream: int = 0) -> None:
    """Fill the store with predictions of every unit's test images: right by `skill`, the oversampled arm by less."""
    male = ready.dataset.attributes.column("Male")
    rows = ready.pools.test
    identities = ready.dataset.identities
    assert identities is not None
    for number, unit in enumerate(ready.plan.units):
        rng = np.random.default_rng((stream, number))
        lift = skill - (0.02 if unit.arm.name == "oversampled" else 0.0)
        margin = (2.0 * male[rows] - 1) * lift + rng.normal(0, 0.8, len(rows))
        found = Predictions(
            np.full(len(rows), SPLITS.index("test")), rows, np.zeros(len(rows)), identities[rows], male[rows], margin
        )
        facts = {"device": "none", "precision": "float32", "threads": 1, "seconds": 2.0, "images_per_second": 1.0}
        more = {"visits": 1, "processes": 1, "inputs": dict(unit.inputs)}
        ready.store.finish(unit.digest, found, [], {**facts, **more})
