"""Batch normalisation, alone or with ReLU and what is between them, forward and backward, by `gpu_kernels`.

Maps are (n, channels, height, width) in channels-last order. `Scaling` says how a map is normalised.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import triton
from torch import nn
from torch.autograd.function import once_differentiable

from auditkit.training import gpu_kernels as kernels

_TILE = 2048
"""Values that a program works on at a time."""
_PROGRAMS, _MOST_TURNS = 1024, 64
"""That fill a large GPU, and turns of one; fewer where there are not as many rows."""
_CHANNELS, _PARTS, _WARPS = 8, 512, 8
"""That a program finishes, programs whose sums it takes at a time, and its warps."""


class Scaling(NamedTuple):
    """(channels,) float32: x * scale + shift is (x - mean) * inverse * weight + bias."""

    scale: torch.Tensor
    shift: torch.Tensor
    mean: torch.Tensor
    inverse: torch.Tensor


@torch.no_grad()
def scaling_of_batch(x: torch.Tensor, norm: nn.BatchNorm2d) -> Scaling:
    """How a batch is normalised by its own mean and variance, which are also remembered."""
    channels = x.shape[1]
    rows = x.numel() // channels
    block, tile, turns = _shape(rows, channels)
    programs = triton.cdiv(rows, tile * turns)
    means, squares = (x.new_empty(programs, channels, dtype=torch.float32) for _ in range(2))
    kernels.moments[(programs,)](x, means, squares, rows, C=channels, BLOCK=block, ROWS=tile, TURNS=turns)
    found = [x.new_empty(channels, dtype=torch.float32) for _ in range(4)]
    mean, inverse, scale, shift = found
    kernels.finish_moments[(triton.cdiv(channels, _CHANNELS),)](
        means, squares, norm.weight, norm.bias, norm.running_mean, norm.running_var, *found,
        programs, rows, tile * turns, norm.eps, norm.momentum,
        C=channels, BLOCK=_CHANNELS, TILE=_PARTS, TURNS=triton.cdiv(programs, _PARTS), num_warps=_WARPS,
    )  # fmt: skip
    return Scaling(scale, shift, mean, inverse)


@torch.no_grad()
def scaling_at_rest(norm: nn.BatchNorm2d) -> Scaling:
    """How maps are normalised by what is remembered."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    inverse = (norm.running_var + norm.eps).rsqrt()
    scale = norm.weight * inverse
    return Scaling(scale, norm.bias - norm.running_mean * scale, norm.running_mean, inverse)


class Norm(torch.autograd.Function):
    """A normalised map, or ReLU of it and of one that may be added before; for gradients, `scaling` is the batch's."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        added: torch.Tensor | None,
        scaling: Scaling,
        relu: bool,
    ) -> torch.Tensor:
        """Weight and bias are in the scaling already; they are named for their gradients. What is added wants ReLU."""
        channels = x.shape[1]
        rows = x.numel() // channels
        block, tile, _ = _shape(rows, channels)
        out = _empty_channels_last(x.shape, x)
        kernels.apply[(triton.cdiv(rows, tile),)](
            x, scaling.scale, scaling.shift, x if added is None else added, out, rows,
            C=channels, BLOCK=block, ROWS=tile, ADD=added is not None, RELU=relu,
        )  # fmt: skip
        ctx.relu = relu
        ctx.save_for_backward(x, out if added is not None else None, *scaling)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Of x, weight, bias and what was added."""
        x, out, *saved = ctx.saved_tensors
        scaling, gradient = Scaling(*saved), channels_last(gradients[0])
        channels = x.shape[1]
        rows = x.numel() // channels
        block, tile, _ = _shape(rows, channels)
        through = gradient if out is None else _empty_channels_last(x.shape, x)
        slope, constant, for_weight, for_bias = _sums(gradient, x, scaling, out, through, rows, relu=ctx.relu)
        for_x = _empty_channels_last(x.shape, x)
        kernels.spread[(triton.cdiv(rows, tile),)](
            through, x, scaling.scale, scaling.shift, slope, constant, for_x, rows,
            C=channels, BLOCK=block, ROWS=tile, RELU=ctx.relu and out is None,
        )  # fmt: skip
        return for_x, for_weight, for_bias, None if out is None else through, None, None


class NormPoolReLU(torch.autograd.Function):
    """ReLU of the largest values of a normalised map, over 3 x 3 pixels with stride 2 and a padding of 1."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, scaling: Scaling) -> torch.Tensor:
        """Weight and bias are in the scaling already; they are named for their gradients."""
        pooled, raw, tap = pooled_maps(x, scaling, train=True)
        ctx.save_for_backward(x, raw, tap, *scaling)
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Of x, weight and bias; of x it is the mean's and the variance's but at the largest pixels."""
        x, raw, tap, *saved = ctx.saved_tensors
        scaling, gradient = Scaling(*saved), channels_last(gradients[0])
        _, channels, height, width = x.shape
        slope, constant, for_weight, for_bias = _sums(
            gradient, raw, scaling, None, raw, x.numel() // channels, relu=True
        )
        block, tile, _ = _shape(positions := tap.numel() // channels, channels)
        for_x = _empty_channels_last(x.shape, x)
        kernels.spread_pooled[(triton.cdiv(positions, tile),)](
            gradient, tap, x, for_x, scaling.scale, slope, constant, height, width, positions,
            C=channels, BLOCK=block, ROWS=tile,
        )  # fmt: skip
        return for_x, for_weight, for_bias, None


def pooled_maps(x: torch.Tensor, scaling: Scaling, *, train: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pooled maps; in their order in memory the x that each is made of, and its tap, empty unless to `train`."""
    n, channels, height, width = x.shape
    block, tile, _ = _shape(positions := n * (height // 2) * (width // 2), channels)
    pooled = _empty_channels_last((n, channels, height // 2, width // 2), x)
    raw, tap = (torch.empty(pooled.numel() * train, dtype=kind, device=x.device) for kind in (x.dtype, torch.uint8))
    kernels.pool[(triton.cdiv(positions, tile),)](
        x, scaling.scale, scaling.shift, pooled, raw, tap, height, width, positions,
        C=channels, BLOCK=block, ROWS=tile, TRAIN=train,
    )  # fmt: skip
    return pooled, raw, tap


def channels_last(x: torch.Tensor) -> torch.Tensor:
    """The same in channels-last order, as the kernels want it."""
    return x.contiguous(memory_format=torch.channels_last)


def _sums(
    gradient: torch.Tensor,
    x: torch.Tensor,
    scaling: Scaling,
    out: torch.Tensor | None,
    through: torch.Tensor,
    rows: int,
    *,
    relu: bool,
) -> list[torch.Tensor]:
    """(channels,) slope and constant of the gradient of the `rows` that were normalised; gradients of weight and bias.

    gradient and x: of the rows from which some comes; `through` is written where something was added.
    """
    channels = gradient.shape[1]
    given = gradient.numel() // channels
    block, tile, turns = _shape(given, channels)
    programs = triton.cdiv(given, tile * turns)
    totals, products = (x.new_empty(programs, channels, dtype=torch.float32) for _ in range(2))
    seen = through if out is None else out
    kernels.sums[(programs,)](
        gradient, x, scaling.scale, scaling.shift, scaling.mean, seen, through, totals, products, given,
        C=channels, BLOCK=block, ROWS=tile, TURNS=turns, ADDED=out is not None, RELU=relu,
    )  # fmt: skip
    found = [x.new_empty(channels, dtype=torch.float32) for _ in range(4)]
    kernels.finish_sums[(triton.cdiv(channels, _CHANNELS),)](
        totals, products, scaling.scale, scaling.mean, scaling.inverse, *found, programs, rows,
        C=channels, BLOCK=_CHANNELS, TILE=_PARTS, TURNS=triton.cdiv(programs, _PARTS), num_warps=_WARPS,
    )  # fmt: skip
    return found


def _shape(rows: int, channels: int) -> tuple[int, int, int]:
    """Channels of a block; rows of a tile; turns of a program: powers of two, since each is a kernel of its own."""
    block: int = triton.next_power_of_2(channels)
    tile = max(1, _TILE // block)
    turns: int = triton.next_power_of_2(max(1, rows // (tile * _PROGRAMS)))
    return block, tile, min(turns, _MOST_TURNS)


def _empty_channels_last(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Uninitialised, channels last; said by strides, since inductor fills what is said by its memory format."""
    n, channels, height, width = shape
    strides = (height * width * channels, 1, width * channels, channels)
    return torch.empty_strided((n, channels, height, width), strides, dtype=like.dtype, device=like.device)
