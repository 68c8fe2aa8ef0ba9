"""Kernels of batch normalisation, max pooling and ReLU in one, for maps in channels-last order; they need Triton.

The window is 3 x 3 with stride 2 and a padding of 1, as in a ResNet. `x` has (images, height, width, channels) in
memory, height and width even; a position is a pixel of the pooled map, (images, height / 2, width / 2). A program works
on some positions and all channels. A tap counts the pixels of a window: 3 * row + column; NONE where
ReLU lets no gradient through.
"""

# Triton reads names in capitals as constants, and the annotations themselves.
# ruff: noqa: N803

import triton
import triton.language as tl

NONE = tl.constexpr(9)


@triton.jit
def moments(x, means, squares, pixels, C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, TURNS: tl.constexpr):
    """Mean, and sum of squared deviations from it, per channel of each program's ROWS * TURNS pixels.

    Values are counted from the program's first: squares of large numbers would cancel each other.
    """
    channel = tl.arange(0, BLOCK)
    start = tl.program_id(0) * ROWS * TURNS
    zero = tl.load(x + start.to(tl.int64) * C + channel, channel < C, other=0.0).to(tl.float32)
    plain = tl.zeros([ROWS, BLOCK], tl.float32)
    square = tl.zeros([ROWS, BLOCK], tl.float32)
    for turn in range(TURNS):
        row = start + turn * ROWS + tl.arange(0, ROWS)
        there = (row < pixels)[:, None] & (channel < C)[None, :]
        value = tl.load(x + row[:, None].to(tl.int64) * C + channel[None, :], there, other=0.0).to(tl.float32)
        off = tl.where(there, value - zero[None, :], 0.0)
        plain += off
        square += off * off
    count = tl.minimum(pixels - start, ROWS * TURNS).to(tl.float32)
    total = tl.sum(plain, 0)
    at = tl.program_id(0) * C + channel
    tl.store(means + at, zero + total / count, channel < C)
    tl.store(squares + at, tl.sum(square, 0) - total * total / count, channel < C)


@triton.jit
def pool(
    x, scale, shift, pooled, raw, tap, H, W, positions,
    C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, TRAIN: tl.constexpr,
):  # fmt: skip
    """The largest x * scale + shift of each window, or 0; to TRAIN, also its x and its tap. Not a number stays so."""
    channel = tl.arange(0, BLOCK)
    position = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = position % (W // 2)
    row = (position // (W // 2)) % (H // 2)
    image = position // ((W // 2) * (H // 2))
    inside = (position < positions)[:, None] & (channel < C)[None, :]
    factor = tl.load(scale + channel, channel < C, other=0.0)[None, :]
    summand = tl.load(shift + channel, channel < C, other=0.0)[None, :]
    best = tl.full([ROWS, BLOCK], float("-inf"), tl.float32)
    own = tl.zeros([ROWS, BLOCK], tl.float32)
    which = tl.zeros([ROWS, BLOCK], tl.int32)
    for down in tl.static_range(3):
        for across in tl.static_range(3):
            r = 2 * row - 1 + down
            q = 2 * column - 1 + across
            there = inside & ((r >= 0) & (q >= 0))[:, None]
            at = ((image.to(tl.int64) * H + r) * W + q) * C
            value = tl.load(x + at[:, None] + channel[None, :], there, other=0.0).to(tl.float32)
            candidate = value * factor + summand
            better = there & ((candidate > best) | (candidate != candidate))
            best = tl.where(better, candidate, best)
            own = tl.where(better, value, own)
            which = tl.where(better, 3 * down + across, which)
    at = position[:, None].to(tl.int64) * C + channel[None, :]
    tl.store(pooled + at, tl.where(best <= 0, 0.0, best).to(pooled.dtype.element_ty), inside)
    if TRAIN:
        tl.store(raw + at, own.to(raw.dtype.element_ty), inside)
        tl.store(tap + at, tl.where(best <= 0, NONE, which).to(tl.uint8), inside)


@triton.jit
def sums(
    gradient, raw, scale, shift, mean, total, product, positions,
    C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, TURNS: tl.constexpr,
):  # fmt: skip
    """Sums over each program's positions, per channel: of what gradient comes through, and of it times raw - mean.

    It comes through ReLU where raw * scale + shift is positive, as `pool` has computed it.
    """
    channel = tl.arange(0, BLOCK)
    middle = tl.load(mean + channel, channel < C, other=0.0)[None, :]
    factor = tl.load(scale + channel, channel < C, other=0.0)[None, :]
    summand = tl.load(shift + channel, channel < C, other=0.0)[None, :]
    plain = tl.zeros([ROWS, BLOCK], tl.float32)
    weighted = tl.zeros([ROWS, BLOCK], tl.float32)
    for turn in range(TURNS):
        row = (tl.program_id(0) * TURNS + turn) * ROWS + tl.arange(0, ROWS)
        there = (row < positions)[:, None] & (channel < C)[None, :]
        at = row[:, None].to(tl.int64) * C + channel[None, :]
        value = tl.load(raw + at, there, other=0.0).to(tl.float32)
        slope = tl.load(gradient + at, there, other=0.0).to(tl.float32)
        slope = tl.where(value * factor + summand > 0, slope, 0.0)
        plain += slope
        weighted += slope * (value - middle)
    at = tl.program_id(0) * C + channel
    tl.store(total + at, tl.sum(plain, 0), channel < C)
    tl.store(product + at, tl.sum(weighted, 0), channel < C)


@triton.jit
def _of(gradient, tap, wanted: tl.constexpr):
    """The gradient of windows whose largest pixel was the tap `wanted`."""
    return tl.where(tap == wanted, gradient, 0.0)


@triton.jit
def spread(
    gradient, tap, x, out, factor, slope, constant, H, W, positions,
    C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """factor * d + slope * x + constant, where d is the gradient that comes to a pixel from the windows it is in.

    A program writes the four pixels of which each position is the first: they are in its window and in those to the
    right and below.
    """
    channel = tl.arange(0, BLOCK)
    position = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = position % (W // 2)
    row = (position // (W // 2)) % (H // 2)
    image = position // ((W // 2) * (H // 2))
    here = (position < positions)[:, None] & (channel < C)[None, :]
    right = here & (column + 1 < W // 2)[:, None]
    below = here & (row + 1 < H // 2)[:, None]
    at = position[:, None].to(tl.int64) * C + channel[None, :]
    down = (W // 2) * C
    a = tl.load(factor + channel, channel < C, other=0.0)[None, :]
    b = tl.load(slope + channel, channel < C, other=0.0)[None, :]
    c = tl.load(constant + channel, channel < C, other=0.0)[None, :]
    pixel = (((image.to(tl.int64) * H + 2 * row) * W + 2 * column) * C)[:, None] + channel[None, :]

    g = tl.load(gradient + at, here, other=0.0).to(tl.float32)
    t = tl.load(tap + at, here, other=NONE)
    g_right = tl.load(gradient + at + C, right, other=0.0).to(tl.float32)
    t_right = tl.load(tap + at + C, right, other=NONE)
    g_below = tl.load(gradient + at + down, below, other=0.0).to(tl.float32)
    t_below = tl.load(tap + at + down, below, other=NONE)
    g_both = tl.load(gradient + at + down + C, right & below, other=0.0).to(tl.float32)
    t_both = tl.load(tap + at + down + C, right & below, other=NONE)

    d = _of(g, t, 4)
    value = a * d + b * tl.load(x + pixel, here, other=0.0).to(tl.float32) + c
    tl.store(out + pixel, value.to(out.dtype.element_ty), here)

    d = _of(g, t, 5) + _of(g_right, t_right, 3)
    value = a * d + b * tl.load(x + pixel + C, here, other=0.0).to(tl.float32) + c
    tl.store(out + pixel + C, value.to(out.dtype.element_ty), here)

    pixel += W * C
    d = _of(g, t, 7) + _of(g_below, t_below, 1)
    value = a * d + b * tl.load(x + pixel, here, other=0.0).to(tl.float32) + c
    tl.store(out + pixel, value.to(out.dtype.element_ty), here)

    d = _of(g, t, 8) + _of(g_right, t_right, 6) + _of(g_below, t_below, 2) + _of(g_both, t_both, 0)
    value = a * d + b * tl.load(x + pixel + C, here, other=0.0).to(tl.float32) + c
    tl.store(out + pixel + C, value.to(out.dtype.element_ty), here)
