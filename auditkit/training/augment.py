"""What an augmented copy looks like: parameters per (row, copy) from stateless keys, applied to a batch at once.

Rendering ends in uint8, like an image in the cache, so that a copy is the same whether it is kept or rendered again.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name the field gives it
from numpy.typing import NDArray

from auditkit import streams
from auditkit.cohort import Rows
from auditkit.spec.model import Augment

PURPOSE = "augment"
_NUMBERS = 8
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in Pillow and torchvision


def parameters(augment: Augment, seed: int, rows: Rows, copies: Rows) -> NDArray[np.float32]:
    """(n, 9) float32 for each (row, copy): a 2x3 affine map from output to input, brightness, contrast, saturation.

    Coordinates run from -1 to 1. The crop keeps between 1 - scale and 1 of the side, and lies anywhere in the image.
    """
    u = streams.uniforms(seed, PURPOSE, rows, copies, _NUMBERS)
    mirror = np.where(augment.flip & (u[:, 0] < 0.5), -1.0, 1.0)
    angle = np.deg2rad(augment.rotate) * (2 * u[:, 1] - 1)
    kept = 1 - augment.scale * u[:, 2]
    across, down = ((1 - kept) * (2 * u[:, k] - 1) for k in (3, 4))
    cos, sin = kept * np.cos(angle), kept * np.sin(angle)
    ranges = (augment.brightness, augment.contrast, augment.saturation)
    colours = [1 + most * (2 * u[:, 5 + k] - 1) for k, most in enumerate(ranges)]
    columns = [cos * mirror, -sin, across, sin * mirror, cos, down, *colours]
    return np.stack(columns, axis=1).astype(np.float32)


def render(images: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    """Change (n, size, size, 3) uint8 images as the rows of `drawn` (n, 9) say; same shape and dtype.

    What a rotation would show beyond the edge is reflected: a black corner would tell a network which are the copies.
    All in float32, whoever asks: a grid is a matrix product, which autocast would round to eight bits.
    """
    theta = drawn[:, :6].view(-1, 2, 3)
    planes = images.permute(0, 3, 1, 2).to(torch.float32)
    with torch.autocast(images.device.type, enabled=False):
        grid = F.affine_grid(theta, list(planes.shape), align_corners=False)
        moved = F.grid_sample(planes, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        coloured = _recolour(moved, *drawn[:, 6:].T)
    return coloured.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def _recolour(
    x: torch.Tensor, brightness: torch.Tensor, contrast: torch.Tensor, saturation: torch.Tensor
) -> torch.Tensor:
    """Scale the light, then stretch about the mean grey of the image, then about the grey of each pixel."""
    bright, wide, rich = (factor[:, None, None, None] for factor in (brightness, contrast, saturation))
    x = x * bright
    mean = _grey(x).mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * wide
    grey = _grey(x)
    return grey + (x - grey) * rich


def _grey(x: torch.Tensor) -> torch.Tensor:
    red, green, blue = (x[:, channel, None] for channel in range(3))
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
