"""Images are decoded right: their pixels, their channels, and the side that is up."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from training_toys import Photos, encoded, photos, picture

from auditkit.cohort import ImageSource
from auditkit.training.images import centre_square, decode, fill, resize


def filled(tmp_path: Path, source: ImageSource, count: int, crop: int, size: int) -> np.ndarray[Any, Any]:
    path = tmp_path / "pixels.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, size, size, 3)).flush()
    assert fill(source, np.arange(count), crop, size, path) == []
    return np.load(path)


@pytest.mark.parametrize(("height", "width", "crop"), [(218, 178, 178), (95, 89, 178), (100, 300, 80), (40, 40, 40)])
def test_pixels_are_those_of_a_slow_reference(tmp_path: Path, height: int, width: int, crop: int) -> None:
    """Pillow decodes, crops and resizes; both antialias by a triangle filter. One level of rounding may differ."""
    data = encoded(picture(height, width), quality=95)
    side = min(height, width, crop)
    top, left = (height - side) // 2, (width - side) // 2
    plain = Pillow.open(io.BytesIO(data)).convert("RGB").crop((left, top, left + side, top + side))
    expected = np.asarray(plain.resize((64, 64), Pillow.Resampling.BILINEAR)).astype(int)
    found = filled(tmp_path, Photos((data,)), 1, crop, 64)[0].astype(int)
    assert np.abs(found - expected).max() <= 2
    assert np.abs(found - expected).mean() < 0.5


def test_what_a_batch_holds_beside_an_image_does_not_matter(tmp_path: Path) -> None:
    source = Photos(tuple(photos(20)))
    together = filled(tmp_path, source, 20, 24, 16)
    for row in range(20):
        alone = resize([centre_square(decode(source.read(row)), 24)], 16)
        np.testing.assert_array_equal(together[row], alone[0])


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "L"), ("PNG", "P"), ("WEBP", "RGB")]
)
def test_other_formats_become_three_channels(kind: str, mode: str) -> None:
    image = Pillow.fromarray(picture(20, 30)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, lossless=True)
    found = decode(buffer.getvalue())
    expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(found.numpy(), expected)


def test_sixteen_bits_lose_the_lower_eight() -> None:
    grey = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    buffer = io.BytesIO()
    Pillow.fromarray(grey).save(buffer, "PNG")
    found = decode(buffer.getvalue())
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found[0].numpy(), grey >> 8)


def test_a_photo_stands_upright() -> None:
    image = Pillow.fromarray(picture(20, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, quality=95)
    assert decode(buffer.getvalue()).shape == (3, 30, 20)


def test_real_photos_decode(shared: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared / "celeba-mini" / "img_align_celeba.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")][:40]
        source = Photos(tuple(archive.read(name) for name in names))
    pixels = filled(tmp_path, source, 40, 178, 64)
    assert pixels.std(axis=(1, 2, 3)).min() > 5
