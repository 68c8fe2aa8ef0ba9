"""Twelve images in CelebA's layout: its three text files and its folder, written as they are passed around."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditkit_plugins.datasets.celeba import CelebA
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.records import CelebAOptions

ROWS = 12
NAMES = [f"{number:06d}.jpg" for number in range(1, ROWS + 1)]
CODES = np.random.default_rng(7).integers(0, 2, size=(ROWS, 40)).astype(np.int8)
SPLITS = [0] * 8 + [1] * 2 + [2] * 2
PEOPLE = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def text(newline: str = "\r\n", count: bool = True, last: bool = True, low: int = -1, comma: bool = False) -> bytes:
    values = np.where(CODES == 1, 1, low)
    if comma:
        lines = ["image_id," + ",".join(ATTRIBUTES)]
        lines += [",".join([name, *map(str, row)]) for name, row in zip(NAMES, values, strict=True)]
    else:
        lines = [str(ROWS)] * count + [" ".join(ATTRIBUTES) + " "]
        lines += [f"{name} " + " ".join(f"{v:2d}" for v in row) for name, row in zip(NAMES, values, strict=True)]
    return (newline.join(lines) + newline * last).encode()


def column(values: list[int], newline: str = "\r\n", header: str = "", between: str = " ") -> bytes:
    lines = [header] * bool(header) + [f"{n}{between}{v}" for n, v in zip(NAMES, values, strict=True)]
    return (newline.join(lines) + newline).encode()


def jpeg(number: int, size: tuple[int, int] = (178, 218)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (number * 17 % 256, 80, 120)).save(out, "JPEG")
    return out.getvalue()


def write_images(folder: Path, names: list[str] = NAMES) -> None:
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        (folder / name).write_bytes(jpeg(number))


def write_zip(path: Path, prefix: str = "img_align_celeba/", names: list[str] = NAMES, method: int = 0) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for number, name in enumerate(names):
            archive.writestr(prefix + name, jpeg(number))


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """The official layout: three text files, images in a folder."""
    (tmp_path / "list_attr_celeba.txt").write_bytes(text())
    (tmp_path / "list_eval_partition.txt").write_bytes(column(SPLITS))
    (tmp_path / "identity_CelebA.txt").write_bytes(column(PEOPLE))
    write_images(tmp_path / "img_align_celeba")
    return tmp_path


def opened(place: Path):
    return CelebA(CelebAOptions()).open(place)


def attributes(**options: object) -> Callable[[Path], None]:
    return lambda place: (place / "list_attr_celeba.txt").write_bytes(text(**options)) and None  # type: ignore[arg-type]
