"""Encoded images to rows of a uint8 array: decoded once, cropped to their centre, resized in batches.

One decoder (libjpeg-turbo through torchvision, on the CPU) makes every pixel, so that no result depends on the device.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name the field gives it
from torchvision.io import ImageReadMode, decode_image

from auditkit.cohort import ImageSource, Rows

Damage = tuple[int, str]
_AT_ONCE = 8
"""So many images are resized together: fewer cost calls, more leave the processor's cache in between."""
_KINDS = {b"\xff\xd8": "JPEG", b"\x89PNG": "PNG", b"RIFF": "WebP", b"GIF8": "GIF"}
"""How the bytes of an image begin."""
_SOURCE_LINE = re.compile(r"^.*?\.(?:cpp|cu|py):\d+,?\s*")


def fill(source: ImageSource, rows: Rows, crop: int, size: int, path: Path) -> list[Damage]:
    """Decode the images of `rows` into the array at `path`: (images, size, size, 3) uint8, a .npy file.

    Returns (row, what is wrong with it) for every image that cannot be read; its pixels stay zero. Whoever notes that
    rows are there must sync the file first. Raises OSError when it cannot be written.
    """
    damaged: list[Damage] = []
    first = int(np.load(path, mmap_mode="r").offset)
    # Writing takes a quarter of the time that a memory map takes, whose new pages fault one by one.
    with path.open("r+b") as file:
        for start in range(0, len(rows), _AT_ONCE):
            squares: dict[int, list[tuple[int, torch.Tensor]]] = defaultdict(list)
            for row, image in _decoded(source, rows[start : start + _AT_ONCE], damaged):
                square = centre_square(image, crop)
                squares[square.shape[1]].append((row, square))
            for group in squares.values():
                rows_of_group, images = zip(*group, strict=True)
                _write(file, first, rows_of_group, resize(images, size))
    return damaged


def _write(
    file: BinaryIO, first: int, rows: Sequence[int], pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    """Write images to their rows of an array that begins at byte `first`."""
    for row, image in zip(rows, pixels, strict=True):
        file.seek(first + row * image.nbytes)
        file.write(image.data)


def _decoded(source: ImageSource, rows: Rows, damaged: list[Damage]) -> Iterator[tuple[int, torch.Tensor]]:
    for row in rows.tolist():
        try:
            yield row, decode(source.read(row))
        except Exception as error:  # whatever is wrong with one image, the others are looked at too
            said = (error.strerror if isinstance(error, OSError) else None) or str(error)
            damaged.append((row, said.split("\n", 1)[0] or type(error).__name__))


def decode(data: bytes) -> torch.Tensor:
    """(3, height, width) uint8 of a JPEG, PNG, WebP or GIF, upright as its EXIF orientation says.

    Raises:
        ValueError: the bytes are none of these, or damaged.
    """
    if not data:
        raise ValueError("the file is empty")
    buffer = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    try:
        image: torch.Tensor = decode_image(buffer, ImageReadMode.RGB, apply_exif_orientation=True)
    except RuntimeError as error:
        raise ValueError(_not_readable(data, str(error))) from error
    if image.ndim != 3:
        raise ValueError("an animation, not an image")
    return image if image.dtype == torch.uint8 else (image.int() >> 8).byte()


def _not_readable(data: bytes, said: str) -> str:
    """What is wrong with an image; the decoder's advice to programmers is left out."""
    kind = next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
    if kind is None:
        return "not a readable JPEG, PNG, WebP or GIF"
    reason = _SOURCE_LINE.sub("", said).split("\n", 1)[0].rstrip(".")
    return f"not a readable {kind}: {reason[:1].lower()}{reason[1:]}"


def centre_square(image: torch.Tensor, crop: int) -> torch.Tensor:
    """The (3, side, side) centre, where side is the smallest of height, width and `crop`."""
    _, height, width = image.shape
    side = min(height, width, crop)
    top, left = (height - side) // 2, (width - side) // 2
    return image[:, top : top + side, left : left + side]


def resize(squares: Sequence[torch.Tensor], size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """(n, size, size, 3) uint8 of squares of one side, bilinear with antialiasing.

    The batch is channels_last: torch's uint8 resize is twice as fast on it as on planes.
    """
    batch = torch.stack([square.permute(1, 2, 0) for square in squares]).permute(0, 3, 1, 2)
    if batch.shape[-1] != size:
        batch = F.interpolate(batch, size=(size, size), mode="bilinear", antialias=True)
    array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = batch.permute(0, 2, 3, 1).numpy()
    return array
