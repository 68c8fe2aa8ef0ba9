"""A ResNet's first convolution on images that are bytes, forward and backward, by the kernels of `gpu_stem_kernels`.

cuDNN fills three channels up to eight, and then takes a fifth of a whole step of a ResNet-18 for them; this takes half
of that (`benchmarks/results/nvidia-h100-steps.md`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import triton
from torch.autograd.function import once_differentiable

from auditkit.training import gpu_stem_kernels as kernels

_DEPTH: int = kernels.DEPTH.value
_ROWS, _TURNS, _WARPS, _STAGES = 128, 8, 8, 1
"""Pixels that a program convolves at a time, how often, its warps, and the turns that it has under way at once.

Of nine choices these, and of eight those for gradients, were the fastest on an H100; the slowest took 1.7 and 1.3 times
as long.
"""
_PARTS, _BACKWARD_ROWS, _BACKWARD_WARPS, _BACKWARD_STAGES = 512, 64, 4, 2
"""For gradients: programs whose parts are added up, pixels at a time, warps, and turns under way at once."""


class Shape(NamedTuple):
    """Lines of a folded image, pairs of numbers of a line; columns and pixels of a convolved map, pixels of all."""

    lines: int
    pairs: int
    columns: int
    pixels: int
    positions: int


def _shape_of(images: torch.Tensor) -> tuple[Shape, tuple[int, int]]:
    """Shape, and height and width of the map, of (n, height, width, 3) images."""
    n, height, width, _ = images.shape
    down, columns = (height + 1) // 2, (width + 1) // 2
    return Shape(2 * down + 5, 3 * (columns + 3), columns, down * columns, n * down * columns), (down, columns)


class Stem(torch.autograd.Function):
    """The convolution of normalised images."""

    @staticmethod
    def forward(
        ctx: Any,
        images: torch.Tensor,
        weight: torch.Tensor,
        scale: torch.Tensor,
        shift: torch.Tensor,
        kind: torch.dtype,
    ) -> torch.Tensor:
        """(n, channels, height / 2, width / 2) of that kind, channels last, of (n, height, width, 3) uint8 images.

        weight: (channels, 3, 7, 7) float32; scale and shift: (3,) float32, which normalise a pixel.
        """
        (n, height, width, _), channels = images.shape, len(weight)
        shape, (down, columns) = _shape_of(images)
        folded = torch.empty(n, shape.lines, 2 * shape.pairs, dtype=kind, device=images.device)
        kernels.fold[(n * shape.lines,)](
            images, scale, shift, folded, height, width, shape.lines, shape.pairs,
            BLOCK=triton.next_power_of_2(2 * shape.pairs),
        )  # fmt: skip
        out = torch.empty(n, down, columns, channels, dtype=kind, device=images.device)
        kernels.convolve[(triton.cdiv(shape.positions, _ROWS * _TURNS),)](
            folded, _in_order_of_windows(weight, kind), out, *shape,
            C=channels, ROWS=_ROWS, TURNS=_TURNS, num_warps=_WARPS, num_stages=_STAGES,
        )  # fmt: skip
        ctx.save_for_backward(folded)
        ctx.shape = shape
        return out.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Of the weights, float32."""
        (folded,) = ctx.saved_tensors
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        channels, shape = gradient.shape[1], ctx.shape
        tiles = triton.cdiv(shape.positions, _BACKWARD_ROWS)
        turns = triton.cdiv(tiles, _PARTS)
        parts = torch.empty(triton.cdiv(tiles, turns), _DEPTH, channels, device=folded.device)
        kernels.gradients[(len(parts),)](
            folded, gradient, parts, *shape, turns,
            C=channels, ROWS=_BACKWARD_ROWS, num_warps=_BACKWARD_WARPS, num_stages=_BACKWARD_STAGES,
        )  # fmt: skip
        rows = parts.sum(0)[: 7 * 22].view(7, 22, channels)[:, :21]
        return None, rows.reshape(7, 7, 3, channels).permute(3, 2, 0, 1).contiguous(), None, None, None


def _in_order_of_windows(weight: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    """(DEPTH, channels) of (channels, 3, 7, 7)."""
    channels = len(weight)
    found = torch.zeros(_DEPTH, channels, dtype=kind, device=weight.device)
    found[: 7 * 22].view(7, 22, channels)[:, :21] = weight.permute(2, 3, 1, 0).reshape(7, 21, channels)
    return found
