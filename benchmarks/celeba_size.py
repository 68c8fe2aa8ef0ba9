"""The memory of an audit on as many images as CelebA has: its cache at 128 pixels takes 10 GB on the disk.

Rendered images stand in, each many times under other names. Two networks are trained for a few steps and predict
CelebA's 19,962 test images, two at a time, with everything decoded before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watch import watched

IMAGES, TEST = 202_599, 19_962
AUDIT = """\
[audit]
title = "Memory"
[data]
dataset = "celeba"
train = { from = ["train"] }
test = { from = ["test"] }
image = { size = 128 }
[[task]]
target = "Male"
[recipe]
init = "none"
budget = { steps = 8 }
batch_size = 128
flip = true
seeds = [0, 1]
[[arm]]
name = "plain"
[evidence]
groups = [["Male"]]
"""


def memory(folder: Path, faces: Path) -> dict[str, Any]:
    """Seconds and peak bytes of such an audit, made of rendered `faces`; `folder` must be on the same disk."""
    data = folder / "as many as CelebA"
    repeat(faces, data)
    file = folder / "memory.toml"
    file.write_text(AUDIT)
    command = [sys.executable, "-m", "auditkit", "run", str(file), "--data", str(data), "--quiet", "--progress", "none"]
    places = ["--store", f"{folder}/memory/store", "--reports", f"{folder}/memory/reports"]
    found = watched([*command, *places], {**os.environ, "AUDITKIT_CACHE": f"{folder}/memory/cache"})
    return {"images": IMAGES, "seconds": found["seconds"], "peak_bytes": found["peak_bytes"]}


def repeat(faces: Path, data: Path) -> None:
    """A folder in CelebA's layout with links to the same images again and again, of new people every time."""
    images = data / "img_align_celeba"
    images.mkdir(parents=True)
    rows = (faces / "list_attr_celeba.txt").read_text().splitlines()
    labels = [line.split(" ", 1)[1] for line in rows[2:]]
    for number in range(IMAGES):
        os.link(faces / "img_align_celeba" / f"{number % len(labels) + 1:06}.jpg", images / _name(number))
    _write(data / "list_attr_celeba.txt", lambda number: labels[number % len(labels)], f"{IMAGES}\n{rows[1]}\n")
    _write(data / "identity_CelebA.txt", lambda number: str(1 + number // 20))
    _write(data / "list_eval_partition.txt", lambda number: "0" if number < IMAGES - TEST else "2")


def _write(file: Path, value: Callable[[int], str], head: str = "") -> None:
    file.write_text(head + "".join(f"{_name(number)} {value(number)}\n" for number in range(IMAGES)))


def _name(number: int) -> str:
    return f"{number + 1:06}.jpg"
