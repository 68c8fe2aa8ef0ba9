"""Whether images can be read, and how large they are: an evenly spread sample of them, decoded."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from auditkit.cohort import ImageSource
from auditkit.errors import DataError

SAMPLE = 200


@dataclass(frozen=True, slots=True)
class ImageSample:
    """What was seen of images.

    sizes: (width, height) in pixels of each that decodes. broken: positions, ascending, of those that do not.
    """

    sizes: tuple[tuple[int, int], ...]
    broken: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.sizes) + len(self.broken)

    @property
    def size(self) -> str:
        """The sizes in words, as in "89-200 x 218 pixels in a sample of 200"; "" where nothing decodes."""
        spans = " x ".join(_span(side) for side in zip(*self.sizes, strict=True))
        return f"{spans} pixels in a sample of {len(self.sizes)}" if spans else ""


def sample_images(images: ImageSource, count: int) -> ImageSample:
    """Decode 200 of `count` images, or all when there are fewer; the same ones every time."""
    sizes, broken = [], []
    for index in np.unique(np.linspace(0, count - 1, min(SAMPLE, count)).astype(np.int64)).tolist():
        try:
            with Image.open(io.BytesIO(images.read(index))) as image:
                image.load()
                sizes.append(image.size)
        except (OSError, SyntaxError, DataError):
            broken.append(index)
    return ImageSample(tuple(sizes), tuple(broken))


def _span(sides: tuple[int, ...]) -> str:
    return str(sides[0]) if min(sides) == max(sides) else f"{min(sides)}-{max(sides)}"
