"""A little table of images and an audit of it that is run in a second: the user's own data, with or without gaps."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from auditkit.testing import AuditProject, audit_project

AUDIT = """\
[audit]
title = "Little"
[data]
dataset = { use = "table", split = "part" }
place = "images.csv"
train = { from = ["train"] }
valid = { from = ["valid"] }
image = { size = 16 }
[[task]]
target = "Smiling"
[recipe]
model = "small-cnn"
init = "none"
budget = { epochs = 1 }
batch_size = 8
[[arm]]
name = "original"
"""
NO_EVIDENCE = '[evidence]\nreference = "original"\nreplicates = 200\nspillover = false\nscan = false\n'
PHOTOS = 24
PARTS = np.repeat(["train", "valid", "test"], PHOTOS // 3)
QUICK = ("--device", "cpu", "--workers", "1", "--progress", "plain", "--quiet")


def picture(shade: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (16, 16), (shade, shade, shade)).save(written, "PNG")
    return written.getvalue()


def project(audit: str, environment: dict[str, str] | None = None, **missing_in: str) -> AuditProject:
    """Images of people who smile or not, are bald or not, in three parts; an attribute may be missing in one part."""
    columns = {"Smiling": np.arange(PHOTOS) % 2, "Bald": np.arange(PHOTOS) // 2 % 2}
    lines = ["image,part,Smiling,Bald"]
    for i, part in enumerate(PARTS):
        values = ["" if missing_in.get(name) == part else str(column[i]) for name, column in columns.items()]
        lines.append(",".join([f"{i}.png", part, *values]))
    pictures = {f"{i}.png": picture(10 * i) for i in range(PHOTOS)}
    return audit_project({"a.toml": audit, "images.csv": "\n".join(lines) + "\n", **pictures}, environment)
