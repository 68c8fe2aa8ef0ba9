"""3 x 3 convolutions in four ninths of the multiplications: Winograd's minimal filtering of 2 x 2 pixels at a time.

F(2 x 2, 3 x 3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016): every 2 x 2 pixels
out depend on 4 x 4 pixels in; a linear transform of those, and one of the kernel, leave 16 products of matrices, one
for each place in the tile, which another transform sums. All three transforms are one after another along the height
and the width. In float32 the result is the convolution's up to the order of sums; in bfloat16 the sums before and
after the products are rounded, too, so that its relative error is 0.7 % where that of a convolution is 0.2 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

_TILE, _STEP = 4, 2
_HEIGHT, _WIDTH = 1, 3
"""Axes of maps that lie in memory as (n, height, width, channels); after the first transform one more is in front."""
_NUMBERS = 2**19
"""So many numbers of maps are transformed at once: what lies between both axes then stays in a processor's cache, and
both take half the time."""
_AT_ONCE = 128
"""Channels out whose kernels are transformed at once, so that what lies between stays in a processor's cache."""

_Transform = Callable[[torch.Tensor, int, torch.Tensor], None]
"""From what, along which of its axes, into what."""


class Winograd(torch.autograd.Function):
    """The convolution with stride 1 and padding 1 of maps with even sides, on a CPU.

    `apply(x, weight)`: x (n, channels in, height, width) in channels-last memory, float32 or bfloat16; weight (channels
    out, channels in, 3, 3) float32. Gives (n, channels out, height, width) as x is; the kernel's gradient is float32.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Keep the maps, which a ReLU before has kept anyway, and not the tiles, which take four times their memory."""
        kernels = _kernel_transform(weight, x.dtype)
        ctx.save_for_backward(x, kernels)
        products = _to_tiles(x, _input_transform) @ kernels.transpose(1, 2)
        return _from_tiles(products, (len(x), *x.shape[2:], len(weight)), _sum_places)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Every transform's adjoint, in reverse; the tiles are made again, which takes little."""
        x, kernels = ctx.saved_tensors
        products = _to_tiles(grads[0], _sum_places_adjoint)
        shape = len(x), *x.shape[2:], x.shape[1]
        wanted = ctx.needs_input_grad[0]
        to_x = _from_tiles(products @ kernels, shape, _input_transform_adjoint) if wanted else None
        return to_x, _kernel_adjoint(products.transpose(1, 2) @ _to_tiles(x, _input_transform))


def _to_tiles(x: torch.Tensor, transform: _Transform) -> torch.Tensor:
    """(16, tiles, channels) of (n, channels, height, width): transformed along the height, then along the width."""
    maps = x.permute(0, 2, 3, 1)
    tiles = maps.new_empty(_tiled(maps.shape))
    for part, out in _some_at_a_time(maps, tiles):
        rows = _rows_of(part)
        transform(part, _HEIGHT, rows)
        transform(rows, _WIDTH, out)
    return tiles.view(_TILE * _TILE, -1, maps.shape[3])


def _from_tiles(tiles: torch.Tensor, shape: tuple[int, ...], transform: _Transform) -> torch.Tensor:
    """(n, channels, height, width) of a shape (n, height, width, channels) from (16, tiles, channels): the way back."""
    maps = tiles.new_empty(shape)
    for out, part in _some_at_a_time(maps, tiles.view(_tiled(shape))):
        rows = _rows_of(out)
        transform(part, _WIDTH, rows)
        transform(rows, _HEIGHT, out)
    return maps.permute(0, 3, 1, 2)


def _tiled(shape: tuple[int, ...]) -> tuple[int, ...]:
    n, height, width, channels = shape
    return _TILE, _TILE, n, height // _STEP, width // _STEP, channels


def _rows_of(maps: torch.Tensor) -> torch.Tensor:
    """Room for maps (n, height, width, channels) that are transformed along the height alone."""
    n, height, width, channels = maps.shape
    return maps.new_empty(_TILE, n, height // _STEP, width, channels)


def _some_at_a_time(maps: torch.Tensor, tiles: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Views of the maps and tiles of some images each."""
    count = max(1, _NUMBERS // maps[0].numel())
    return zip(torch.split(maps, count), torch.split(tiles, count, 2), strict=True)


def _input_transform(maps: torch.Tensor, axis: int, out: torch.Tensor) -> None:
    """Along an axis, of the pixels d0 to d3 of each tile: d0 - d2, d1 + d2, d2 - d1, d1 - d3; d1 and d2 are its own.

    d0 is the tile before's d2, and d3 the tile after's d1: zero, where there is none.
    """
    own, last = _pairs(maps, axis), maps.shape[axis] // _STEP - 1
    torch.add(own[0], own[1], out=out[1])
    torch.sub(own[1], own[0], out=out[2])
    torch.sub(own[1].narrow(axis, 0, last), own[1].narrow(axis, 1, last), out=out[0].narrow(axis, 1, last))
    torch.neg(own[1].narrow(axis, 0, 1), out=out[0].narrow(axis, 0, 1))
    torch.sub(own[0].narrow(axis, 0, last), own[0].narrow(axis, 1, last), out=out[3].narrow(axis, 0, last))
    out[3].narrow(axis, last, 1).copy_(own[0].narrow(axis, last, 1))


def _input_transform_adjoint(tiles: torch.Tensor, axis: int, out: torch.Tensor) -> None:
    own, last = _pairs(out, axis), out.shape[axis] // _STEP - 1
    torch.sub(tiles[1], tiles[2], out=own[0]).add_(tiles[3])
    own[0].narrow(axis, 1, last).sub_(tiles[3].narrow(axis, 0, last))
    torch.add(tiles[1], tiles[2], out=own[1]).sub_(tiles[0])
    own[1].narrow(axis, 0, last).add_(tiles[0].narrow(axis, 1, last))


def _sum_places(places: torch.Tensor, axis: int, out: torch.Tensor) -> None:
    """Along an axis, from what a tile's four places hold: m0 + m1 + m2 and m1 - m2 - m3 are its two pixels out."""
    first, second = _pairs(out, axis)
    torch.add(places[1], places[2], out=first).add_(places[0])
    torch.sub(places[1], places[2], out=second).sub_(places[3])


def _sum_places_adjoint(maps: torch.Tensor, axis: int, out: torch.Tensor) -> None:
    first, second = _pairs(maps, axis)
    out[0].copy_(first)
    torch.add(first, second, out=out[1])
    torch.sub(first, second, out=out[2])
    torch.neg(second, out=out[3])


def _pairs(maps: torch.Tensor, axis: int) -> tuple[torch.Tensor, ...]:
    """Every tile's own two pixels along an axis: views of those at even places, and at odd ones."""
    shape = maps.shape
    return maps.view(*shape[:axis], -1, _STEP, *shape[axis + 1 :]).unbind(axis + 1)


def _kernel_transform(weight: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    """(16, channels out, channels in) in a format, of (channels out, channels in, 3, 3) weights.

    In the order of the tiles' places: those along the width first.
    """
    taps = weight.permute(3, 2, 0, 1)
    kernels = torch.empty(_TILE, _TILE, *taps.shape[2:], dtype=kind)
    for part, out in zip(_parts(taps), _parts(kernels), strict=True):
        columns = part.new_empty(_TILE, *part.shape[1:])
        _transform_taps(part, columns)
        _transform_taps(columns.transpose(0, 1), out.transpose(0, 1))
    return kernels.flatten(0, 1)


def _kernel_adjoint(grad: torch.Tensor) -> torch.Tensor:
    """(channels out, channels in, 3, 3) float32 gradient of the kernel from the (16, channels out, channels in) one.

    In channels-last memory, as the weights are.
    """
    weight = grad.new_empty(grad.shape[1], 3, 3, grad.shape[2], dtype=torch.float32).permute(0, 3, 1, 2)
    places, taps = grad.view(_TILE, _TILE, *grad.shape[1:]), weight.permute(3, 2, 0, 1)
    for part, out in zip(_parts(places), _parts(taps), strict=True):
        columns = weight.new_empty(3, *part.shape[1:])
        _transform_taps_adjoint(part.float(), columns)
        _transform_taps_adjoint(columns.transpose(0, 1), out.transpose(0, 1))
    return weight


def _parts(kernels: torch.Tensor) -> Iterator[torch.Tensor]:
    """Views of some channels out each; those are the third axis."""
    for first in range(0, kernels.shape[2], _AT_ONCE):
        yield kernels[:, :, first : first + _AT_ONCE]


def _transform_taps(taps: torch.Tensor, out: torch.Tensor) -> None:
    """Along the first axis: g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2."""
    outer, inner = (taps[0] + taps[2]).mul_(0.5), taps[1] * 0.5
    out[0].copy_(taps[0])
    out[1].copy_(outer + inner)
    out[2].copy_(outer.sub_(inner))
    out[3].copy_(taps[2])


def _transform_taps_adjoint(places: torch.Tensor, out: torch.Tensor) -> None:
    halves = (places[1] + places[2]).mul_(0.5)
    torch.add(places[0], halves, out=out[0])
    out[1].copy_((places[1] - places[2]).mul_(0.5))
    torch.add(places[3], halves, out=out[2])
