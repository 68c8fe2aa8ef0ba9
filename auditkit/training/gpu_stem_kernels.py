"""Kernels of a ResNet's first convolution, 7 x 7 with stride 2 and a padding of 3, of images as bytes, for Triton.

Images are normalised, and the padding is written, once: a folded image has `high` lines of 2 * half numbers, three for
every pixel. The 7 x 3 numbers of a window's row lie beside each other in a line, and a 22nd that no weight is for: a
window is DEPTH of them, in its rows' order, and so are the weights. Two numbers at a time are read, since they and all
lines begin at even places. A position is a pixel of the convolved map, `wide` of which make a row, `each` a map.
"""

# Triton reads names in capitals as constants, and the annotations themselves.
# ruff: noqa: N803

import triton
import triton.language as tl

FIRST, DEPTH = tl.constexpr(128), tl.constexpr(160)
"""Numbers of a window that are multiplied first, a power of two, and all; the others are a power of two, too."""


@triton.jit
def fold(images, scale, shift, folded, height, width, high, half, BLOCK: tl.constexpr):
    """A line of a folded image: bytes * scale + shift, and 0 where there is no pixel."""
    line = tl.program_id(0)
    image = line // high
    row = line - image * high - 3
    place = tl.arange(0, BLOCK)
    column = place // 3 - 3
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    at = images + (image.to(tl.int64) * height + row) * width * 3
    value = tl.load(at + place - 9, inside, other=0).to(tl.float32)
    value = value * tl.load(scale + place % 3) + tl.load(shift + place % 3)
    value = tl.where(inside, value, 0.0).to(folded.dtype.element_ty)
    tl.store(folded + line.to(tl.int64) * (2 * half) + place, value, place < 2 * half)


@triton.jit
def _windows(folded, position, wide, each, high, half, FROM: tl.constexpr, TO: tl.constexpr):
    """Some numbers of each position's window; those after the last row's are the last row's again."""
    image = position // each
    place = position - image * each
    row = place // wide
    first = (image * high + 2 * row).to(tl.int64) * (2 * half) + (place - row * wide) * 6
    number = tl.arange(FROM, TO)
    within = tl.minimum(number // 22, 6) * (2 * half) + number % 22
    return tl.load(folded + first[:, None] + within[None, :])


@triton.jit
def convolve(
    folded, weight, out, high, half, wide, each, positions,
    C: tl.constexpr, ROWS: tl.constexpr, TURNS: tl.constexpr,
):  # fmt: skip
    """The map of C channels; weight is (DEPTH, C), with zeros for what no window has."""
    channel = tl.arange(0, C)
    weights = weight + channel[None, :]
    first = tl.load(weights + tl.arange(0, FIRST)[:, None] * C)
    second = tl.load(weights + tl.arange(FIRST, DEPTH)[:, None] * C)
    for turn in range(TURNS):
        position = (tl.program_id(0) * TURNS + turn) * ROWS + tl.arange(0, ROWS)
        there = tl.minimum(position, positions - 1)
        found = tl.dot(_windows(folded, there, wide, each, high, half, 0, FIRST), first, input_precision="ieee")
        windows = _windows(folded, there, wide, each, high, half, FIRST, DEPTH)
        found = tl.dot(windows, second, found, input_precision="ieee")
        at = out + position[:, None].to(tl.int64) * C + channel[None, :]
        tl.store(at, found.to(out.dtype.element_ty), (position < positions)[:, None])


@triton.jit
def gradients(
    folded, gradient, out, high, half, wide, each, positions, turns, C: tl.constexpr, ROWS: tl.constexpr
):  # fmt: skip
    """Each program's part of the gradient of the weights: (programs, DEPTH, C) float32."""
    channel = tl.arange(0, C)
    first = tl.zeros([FIRST, C], tl.float32)
    second = tl.zeros([DEPTH - FIRST, C], tl.float32)
    for turn in range(turns):
        position = (tl.program_id(0) * turns + turn) * ROWS + tl.arange(0, ROWS)
        at = gradient + position[:, None].to(tl.int64) * C + channel[None, :]
        given = tl.load(at, (position < positions)[:, None], other=0.0)
        there = tl.minimum(position, positions - 1)
        windows = _windows(folded, there, wide, each, high, half, 0, FIRST)
        first = tl.dot(tl.trans(windows), given, first, input_precision="ieee")
        windows = _windows(folded, there, wide, each, high, half, FIRST, DEPTH)
        second = tl.dot(tl.trans(windows), given, second, input_precision="ieee")
    part = out + tl.program_id(0) * (DEPTH * C) + channel[None, :]
    tl.store(part + tl.arange(0, FIRST)[:, None] * C, first)
    tl.store(part + tl.arange(FIRST, DEPTH)[:, None] * C, second)
