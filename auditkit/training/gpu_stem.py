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
"""Positions that a program takes at a time, and how often; its warps; the turns that it has under way at once.

Of nine and of eight choices these, and those below, were the fastest on an H100; the slowest took 1.7 and 1.3 times as
long.
"""
_PARTS, _BACKWARD_ROWS, _BACKWARD_WARPS, _BACKWARD_STAGES = 512, 64, 4, 2
"""Programs whose parts of a gradient are added up; the same of them."""


class Shape(NamedTuple):
    """Of what is convolved: lines of a folded image, half the numbers of one, positions of a row, map, and all maps."""

    high: int
    half: int
    wide: int
    each: int
    positions: int


def shape_of(images: torch.Tensor) -> tuple[Shape, tuple[int, int]]:
    """Shape, and height and width of the map, of (n, height, width, 3) images."""
    n, height, width, _ = images.shape
    down, wide = (height + 1) // 2, (width + 1) // 2
    return Shape(2 * down + 5, 3 * (wide + 3), wide, down * wide, n * down * wide), (down, wide)


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
        shape, (down, wide) = shape_of(images)
        folded = torch.empty(n, shape.high, 2 * shape.half, dtype=kind, device=images.device)
        kernels.fold[(n * shape.high,)](
            images, scale, shift, folded, height, width, shape.high, shape.half,
            BLOCK=triton.next_power_of_2(2 * shape.half),
        )  # fmt: skip
        out = torch.empty(n, down, wide, channels, dtype=kind, device=images.device)
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
