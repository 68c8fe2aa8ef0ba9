"""Audit files that have no mistakes: one that has something of everything, and how they are read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from auditkit.spec.consequences import distilled
from auditkit.spec.model import Audit
from auditkit.spec.reader import invalid, parse, read
from auditkit.spec.source import Source

FILE = """\
[audit]
title = "x"
[data]
train = { from = ["train"], draw = 100, hold_out = 0.1 }
test = { from = ["test"], cells = [{ where = { Male = 1 }, count = 5 }] }
[[task]]
target = "Male"
[[task]]
name = "Old"
target = "Young"
positive = 0
[recipe]
model = "resnet18"
budget = { epochs = 10 }
optimizer = { use = "sgd", lr = 0.1, momentum = 0.5 }
seeds = [0, 1]
[[arm]]
name = "original"
[[arm]]
name = "over"
sampler = { use = "oversample", where = { Bald = 1 }, until = "balanced" }
[[arm]]
name = "placebo"
sampler = "none"
[evidence]
reference = "original"
placebo = "placebo"
groups = [["Male"]]
[[gate]]
finding = { task = "Male", arm = "over", over = ["Male"], quantity = "gap" }
at_most = 0.1
[[gate]]
finding = { task = "Old", arm = "placebo" }
at_most = 0.9
[profile.small]
arms = ["original", "over"]
tasks = ["Male"]
[profile.small.recipe]
model = { use = "resnet18", width = 8 }
budget = { steps = 5 }
optimizer = { lr = 0.2 }
seeds = [7]
[profile.faster]
recipe.optimizer = { use = "adamw" }
[stand_in]
dataset = { use = "faces", images = 500 }
profile = "faster"
"""


def load_valid(
    path: Path, *, profile: str | None = None, sets: Sequence[str] = (), stand_in: bool = False
) -> tuple[Audit, Source]:
    """Read and parse; raise InvalidAudit with the report of all mistakes unless there are none."""
    source = read(path, profile=profile, sets=sets, stand_in=stand_in)
    audit, found = parse(source)
    problems = distilled(found, source)
    if audit is None or problems:
        raise invalid(problems, source)
    return audit, source


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.toml"
    path.write_text(FILE)
    return path


def line(source: Source, *path: str | int) -> tuple[int, int, str]:
    """Where a value stands, and the text there."""
    place = source.locate(path)
    return place.line, place.column, place.text[place.column - 1 :][: place.length]
