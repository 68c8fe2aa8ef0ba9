"""An audit whose story is told once: trained without weights, then asked other targets, then all of them."""

from __future__ import annotations

from contextlib import chdir
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from auditkit.engine.prepare import Prepared, Settings, prepare
from auditkit.testing import AuditProject, audit_project
from auditkit.testing.projects import Outcome

TOY = """\
[audit]
title = "Toy"

[data]
dataset = { use = "faces", images = 240 }
train = { from = ["train"], hold_out = 0.2 }
image = { size = 32 }

[[task]]
target = "Male"

[recipe]
model = "small-cnn"
init = "none"
optimizer = { use = "sgd", lr = 0.05 }
budget = { epochs = 1 }
batch_size = 32
seeds = [0, 1]

[[arm]]
name = "original"

[[arm]]
name = "oversampled"
sampler = { use = "oversample", where = { Bald = 1 }, until = "balanced" }

[evidence]
reference = "original"
groups = [["Male"]]
replicates = 200
minimum_images = 5
minimum_identities = 3
"""
QUICK = ("--device", "cpu", "--workers", "1", "--progress", "none", "--quiet")
ONE = TOY + 'targets = ["Smiling"]\n'
ALL = TOY + 'targets = "*"\n'


@dataclass(frozen=True)
class Story:
    """What was seen on the way; the store holds the probes of all targets at the end."""

    project: AuditProject
    shown_without_weights: Outcome
    plan_without_weights: Outcome
    smiling: dict[str, np.ndarray]
    plan_with_weights: Outcome


@lru_cache
def story() -> Story:
    """The same project for all tests of a process."""
    project = audit_project({"toy.toml": TOY, "one.toml": ONE, "all.toml": ALL})
    project.run("run", "toy.toml", *QUICK).assert_success()
    shown = project.run("show", "toy.toml", "--image", photo(project, "train"))
    plan = project.run("plan", "one.toml", "--json")
    project.run("run", "one.toml", *QUICK).assert_success()
    ready = prepared(project, "one.toml")
    smiling = {u.digest: ready.store.probes(u.digest).margins["Smiling=1"] for u in ready.plan.units}
    later = project.run("plan", "all.toml", "--json")
    project.run("run", "all.toml", *QUICK).assert_success()
    return Story(project, shown, plan, smiling, later)


def prepared(project: AuditProject, name: str = "all.toml") -> Prepared:
    """The audit as commands see it; its store is named by its whole path."""
    with chdir(project.folder):
        return prepare(Settings(Path(name), store=project.folder / ".auditkit"))


def photo(project: AuditProject, split: str) -> str:
    """The first file of a split."""
    ready = prepared(project, "toy.toml")
    return ready.dataset.file_names[int(getattr(ready.pools, split)[0])]
