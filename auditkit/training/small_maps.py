"""Convolutions whose maps are so small that they are one matrix product.

The last stage of a ResNet-18 on images of 64 pixels works on 2 x 2 maps with 512 channels. There a 3 x 3 kernel
connects every pixel with every other: the convolution is a (4 x 512) x (4 x 512) matrix, with four ninths of the
multiplications that padding with zeros makes of it, and a matrix product runs at the processor's peak, which a
convolution of this shape does not. The result is the convolution's, up to the order of sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch

_MOST_PIXELS_IN, _MOST_PIXELS_OUT = 16, 4
_LEAST_DENSITY = 0.4


@lru_cache(maxsize=64)
def taps_of(size: Any, kernel: Any, stride: Any, padding: Any) -> torch.Tensor | None:
    """(pixels out, pixels in) int64: which tap of the kernel connects them, the number of taps where none does.

    None where the maps are too large, or too few pixels are connected, for a matrix to pay.
    """
    out = [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, kernel, stride, padding, strict=True)]
    if min(out) < 1 or size[0] * size[1] > _MOST_PIXELS_IN or out[0] * out[1] > _MOST_PIXELS_OUT:
        return None
    rows, columns = (
        s * torch.arange(o)[:, None] * -1 + torch.arange(n) + p
        for o, n, s, p in zip(out, size, stride, padding, strict=True)
    )
    fits = [(tap >= 0) & (tap < k) for tap, k in zip((rows, columns), kernel, strict=True)]
    tap = rows[:, None, :, None] * kernel[1] + columns[None, :, None, :]
    there = fits[0][:, None, :, None] & fits[1][None, :, None, :]
    found = torch.where(there, tap, kernel[0] * kernel[1]).reshape(out[0] * out[1], size[0] * size[1])
    return found if bool(there.double().mean() >= _LEAST_DENSITY) else None


class OneProduct(torch.autograd.Function):
    """The convolution as one matrix product, on a CPU.

    `apply(x, weight, taps)`: x (n, channels in, height, width), weight (channels out, channels in, height, width)
    float32, taps as `taps_of` gives them for the maps. Gives (n, channels out, height, width) as x is.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
        """Keep the flattened maps and the matrix for the way back."""
        matrix = _matrix(weight.to(x.dtype), taps)
        flat = x.permute(0, 2, 3, 1).reshape(len(x), -1)
        ctx.save_for_backward(flat, matrix, taps)
        ctx.shapes = (x.shape, weight.shape)
        return _maps(flat @ matrix.T, len(taps), weight.shape[0])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None]:
        """Two products; the kernel's gradient is the sum of its copies in the matrix."""
        flat, matrix, taps = ctx.saved_tensors
        shape, kernel = ctx.shapes
        grad = grads[0].permute(0, 2, 3, 1).reshape(len(flat), -1)
        to_x = _maps(grad @ matrix, taps.shape[1], shape[1]).view(shape) if ctx.needs_input_grad[0] else None
        return to_x, _kernel(grad.T @ flat, taps, kernel), None


def _maps(flat: torch.Tensor, pixels: int, channels: int) -> torch.Tensor:
    side = round(pixels**0.5)
    return flat.view(len(flat), side, pixels // side, channels).permute(0, 3, 1, 2)


def _matrix(weight: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """(pixels out * channels out, pixels in * channels in) of (channels out, channels in, height, width).

    The order of channels is that of channels_last weights in memory, so that whole rows are copied.
    """
    out, into = weight.shape[:2]
    blocks = weight.permute(0, 2, 3, 1).reshape(out, -1, into)
    pixels_out, pixels_in = taps.shape
    matrix = weight.new_zeros(pixels_out, out, pixels_in, into)
    for o, i, tap in _connections(taps, blocks.shape[1]):
        matrix[o, :, i] = blocks[:, tap]
    return matrix.view(pixels_out * out, pixels_in * into)


def _kernel(grad: torch.Tensor, taps: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """The gradient of the kernel, float32: the sum of the matrix's blocks that are the same tap."""
    out, into, height, width = shape
    blocks = grad.view(taps.shape[0], out, taps.shape[1], into)
    found = torch.zeros(out, height * width, into)
    for o, i, tap in _connections(taps, height * width):
        found[:, tap] += blocks[o, :, i]
    return found.view(out, height, width, into).permute(0, 3, 1, 2)


def _connections(taps: torch.Tensor, count: int) -> Iterator[tuple[int, int, int]]:
    """(pixel out, pixel in, tap) wherever a tap connects them."""
    for o, row in enumerate(taps.tolist()):
        yield from ((o, i, tap) for i, tap in enumerate(row) if tap < count)
