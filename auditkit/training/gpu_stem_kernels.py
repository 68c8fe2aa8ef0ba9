"""Kernels of a ResNet's first convolution, 7 x 7 with stride 2 and a padding of 3, of images as bytes, for Triton.

Images are normalised, and their padding is written, once: a folded image has `lines` lines of `pairs` pairs of numbers,
three numbers for every pixel. A window is 7 lines' 7 x 3 numbers, which lie beside each other, and a 22nd in each that
has no weight: DEPTH numbers in all, in that order, as the weights are. Since 22, and where windows and lines begin, are
even, Triton reads two numbers at a time. A position counts the `pixels` of each convolved map, `columns` in a row.
"""

# Triton reads names in capitals as constants, and the annotations themselves.
# ruff: noqa: N803

import triton
import triton.language as tl

FIRST, DEPTH = tl.constexpr(128), tl.constexpr(160)
"""Numbers of a window that are multiplied first, a power of two, and all; the others are a power of two, too."""


@triton.jit
def fold(images, scale, shift, folded, height, width, lines, pairs, BLOCK: tl.constexpr):
    """A line of a folded image: bytes * scale + shift, and 0 where there is no pixel."""
    line = tl.program_id(0)
    image = line // lines
    row = line - image * lines - 3
    place = tl.arange(0, BLOCK)
    column = place // 3 - 3
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    at = images + (image.to(tl.int64) * height + row) * width * 3
    value = tl.load(at + place - 9, inside, other=0).to(tl.float32)
    value = value * tl.load(scale + place % 3) + tl.load(shift + place % 3)
    value = tl.where(inside, value, 0.0).to(folded.dtype.element_ty)
    tl.store(folded + line.to(tl.int64) * (2 * pairs) + place, value, place < 2 * pairs)


@triton.jit
def _windows(folded, position, columns, pixels, lines, pairs, FROM: tl.constexpr, TO: tl.constexpr):
    """Some numbers of each position's window; those after the last row's are the last row's again."""
    image = position // pixels
    place = position - image * pixels
    row = place // columns
    first = (image * lines + 2 * row).to(tl.int64) * (2 * pairs) + (place - row * columns) * 6
    number = tl.arange(FROM, TO)
    within = tl.minimum(number // 22, 6) * (2 * pairs) + number % 22
    return tl.load(folded + first[:, None] + within[None, :])


@triton.jit
def convolve(
    folded, weight, out, lines, pairs, columns, pixels, positions,
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
        found = tl.dot(_windows(folded, there, columns, pixels, lines, pairs, 0, FIRST), first, input_precision="ieee")
        windows = _windows(folded, there, columns, pixels, lines, pairs, FIRST, DEPTH)
        found = tl.dot(windows, second, found, input_precision="ieee")
        at = out + position[:, None].to(tl.int64) * C + channel[None, :]
        tl.store(at, found.to(out.dtype.element_ty), (position < positions)[:, None])


@triton.jit
def gradients(
    folded, gradient, out, lines, pairs, columns, pixels, positions, turns, C: tl.constexpr, ROWS: tl.constexpr
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
        windows = _windows(folded, there, columns, pixels, lines, pairs, 0, FIRST)
        first = tl.dot(tl.trans(windows), given, first, input_precision="ieee")
        windows = _windows(folded, there, columns, pixels, lines, pairs, FIRST, DEPTH)
        second = tl.dot(tl.trans(windows), given, second, input_precision="ieee")
    part = out + tl.program_id(0) * (DEPTH * C) + channel[None, :]
    tl.store(part + tl.arange(0, FIRST)[:, None] * C, first)
    tl.store(part + tl.arange(FIRST, DEPTH)[:, None] * C, second)
