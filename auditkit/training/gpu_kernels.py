"""Kernels of batch normalisation with what comes before and after it in a ResNet, in channels-last order, for Triton.

A map has `rows` pixels of C channels each, one after another in memory; a program works on ROWS rows at a time, TURNS
times, and on all channels at once, or in the kernels that finish what others began, on BLOCK channels. Normalising is
x * scale + shift. Pooling is over 3 x 3 pixels with stride 2 and a padding of 1, of maps of even height and width; a
position is a pixel of the pooled map. A tap counts the pixels of a window, 3 * row + column; it is NONE where ReLU lets
no gradient through.
"""

# Triton reads names in capitals as constants, and the annotations themselves.
# ruff: noqa: N803

import triton
import triton.language as tl

NONE = tl.constexpr(9)


@triton.jit
def moments(x, means, squares, rows, C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, TURNS: tl.constexpr):
    """Mean, and sum of squared deviations from it, per channel of each program's rows.

    Values are counted from the program's first: squares of large numbers would cancel each other.
    """
    channel = tl.arange(0, BLOCK)
    start = tl.program_id(0) * ROWS * TURNS
    zero = tl.load(x + start.to(tl.int64) * C + channel, channel < C, other=0.0).to(tl.float32)
    plain = tl.zeros([ROWS, BLOCK], tl.float32)
    square = tl.zeros([ROWS, BLOCK], tl.float32)
    for turn in range(TURNS):
        row = start + turn * ROWS + tl.arange(0, ROWS)
        there = (row < rows)[:, None] & (channel < C)[None, :]
        value = tl.load(x + row[:, None].to(tl.int64) * C + channel[None, :], there, other=0.0).to(tl.float32)
        off = tl.where(there, value - zero[None, :], 0.0)
        plain += off
        square += off * off
    count = tl.minimum(rows - start, ROWS * TURNS).to(tl.float32)
    total = tl.sum(plain, 0)
    at = tl.program_id(0) * C + channel
    tl.store(means + at, zero + total / count, channel < C)
    tl.store(squares + at, tl.sum(square, 0) - total * total / count, channel < C)


@triton.jit
def finish_moments(
    means, squares, weight, bias, running_mean, running_var, mean, inverse, scale, shift,
    programs, rows, each, eps, momentum,
    C: tl.constexpr, BLOCK: tl.constexpr, TILE: tl.constexpr, TURNS: tl.constexpr,
):  # fmt: skip
    """Moments of all rows from those of the programs' `each`, counted from the first's, and all that follows from them.

    Source: Chan, Golub & LeVeque 1979 for moments of parts; Ioffe & Szegedy 2015 for the rest.
    """
    channel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < C
    zero = tl.load(means + channel, inside, other=0.0)
    plain = tl.zeros([TILE, BLOCK], tl.float32)
    square = tl.zeros([TILE, BLOCK], tl.float32)
    for turn in range(TURNS):
        part = turn * TILE + tl.arange(0, TILE)
        there = (part < programs)[:, None] & inside[None, :]
        size = tl.minimum(rows - part * each, each).to(tl.float32)[:, None]
        at = part[:, None] * C + channel[None, :]
        off = tl.load(means + at, there, other=0.0) - zero[None, :]
        plain += tl.where(there, size * off, 0.0)
        square += tl.where(there, tl.load(squares + at, there, other=0.0) + size * off * off, 0.0)
    total = tl.sum(plain, 0)
    middle = zero + total / rows
    squared = tl.sum(square, 0) - total * total / rows
    one_over = tl.rsqrt(squared / rows + eps)
    factor = tl.load(weight + channel, inside, other=0.0) * one_over
    tl.store(mean + channel, middle, inside)
    tl.store(inverse + channel, one_over, inside)
    tl.store(scale + channel, factor, inside)
    tl.store(shift + channel, tl.load(bias + channel, inside, other=0.0) - middle * factor, inside)
    usual = tl.load(running_mean + channel, inside, other=0.0)
    tl.store(running_mean + channel, usual + momentum * (middle - usual), inside)
    usual = tl.load(running_var + channel, inside, other=0.0)
    tl.store(running_var + channel, usual + momentum * (squared / tl.maximum(rows - 1, 1) - usual), inside)


@triton.jit
def apply(
    x, scale, shift, added, out, rows,
    C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, ADD: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """x * scale + shift, and `added` to ADD; where RELU, 0 for less. Not a number stays so."""
    channel = tl.arange(0, BLOCK)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    there = (row < rows)[:, None] & (channel < C)[None, :]
    at = row[:, None].to(tl.int64) * C + channel[None, :]
    value = tl.load(x + at, there, other=0.0).to(tl.float32)
    value = value * tl.load(scale + channel, channel < C, other=0.0)[None, :]
    value += tl.load(shift + channel, channel < C, other=0.0)[None, :]
    if ADD:
        value += tl.load(added + at, there, other=0.0).to(tl.float32)
    if RELU:
        value = tl.where(value <= 0, 0.0, value)
    tl.store(out + at, value.to(out.dtype.element_ty), there)


@triton.jit
def sums(
    gradient, x, scale, shift, mean, out, through, totals, products, rows,
    C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, TURNS: tl.constexpr, ADDED: tl.constexpr,
    RELU: tl.constexpr,
):  # fmt: skip
    """Sums over each program's rows, per channel: of what gradient comes through, and of it times x - mean.

    Through RELU it comes where x * scale + shift is positive; if something was ADDED before that, where `out` is, and
    then it is written to `through`, since it is what was added's, too.
    """
    channel = tl.arange(0, BLOCK)
    middle = tl.load(mean + channel, channel < C, other=0.0)[None, :]
    factor = tl.load(scale + channel, channel < C, other=0.0)[None, :]
    summand = tl.load(shift + channel, channel < C, other=0.0)[None, :]
    plain = tl.zeros([ROWS, BLOCK], tl.float32)
    weighted = tl.zeros([ROWS, BLOCK], tl.float32)
    for turn in range(TURNS):
        row = (tl.program_id(0) * TURNS + turn) * ROWS + tl.arange(0, ROWS)
        there = (row < rows)[:, None] & (channel < C)[None, :]
        at = row[:, None].to(tl.int64) * C + channel[None, :]
        value = tl.load(x + at, there, other=0.0).to(tl.float32)
        slope = tl.load(gradient + at, there, other=0.0).to(tl.float32)
        if ADDED:
            slope = tl.where(tl.load(out + at, there, other=0.0) > 0, slope, 0.0)
            tl.store(through + at, slope.to(through.dtype.element_ty), there)
        elif RELU:
            slope = tl.where(value * factor + summand > 0, slope, 0.0)
        plain += slope
        weighted += slope * (value - middle)
    at = tl.program_id(0) * C + channel
    tl.store(totals + at, tl.sum(plain, 0), channel < C)
    tl.store(products + at, tl.sum(weighted, 0), channel < C)


@triton.jit
def finish_sums(
    totals, products, scale, mean, inverse, slope, constant, for_weight, for_bias, programs, rows,
    C: tl.constexpr, BLOCK: tl.constexpr, TILE: tl.constexpr, TURNS: tl.constexpr,
):  # fmt: skip
    """Gradients of weight and bias, and those of x but for what comes through: slope * x + constant.

    Source: Ioffe & Szegedy 2015, section 3. rows: of x.
    """
    channel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < C
    plain = tl.zeros([TILE, BLOCK], tl.float32)
    weighted = tl.zeros([TILE, BLOCK], tl.float32)
    for turn in range(TURNS):
        part = turn * TILE + tl.arange(0, TILE)
        there = (part < programs)[:, None] & inside[None, :]
        at = part[:, None] * C + channel[None, :]
        plain += tl.load(totals + at, there, other=0.0)
        weighted += tl.load(products + at, there, other=0.0)
    total = tl.sum(plain, 0)
    product = tl.sum(weighted, 0)
    factor = tl.load(scale + channel, inside, other=0.0)
    one_over = tl.load(inverse + channel, inside, other=0.0)
    rise = -factor * one_over * one_over * product / rows
    tl.store(slope + channel, rise, inside)
    tl.store(constant + channel, -factor * total / rows - rise * tl.load(mean + channel, inside, other=0.0), inside)
    tl.store(for_weight + channel, product * one_over, inside)
    tl.store(for_bias + channel, total, inside)


@triton.jit
def spread(
    gradient, x, scale, shift, slope, constant, out, rows,
    C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """scale * gradient + slope * x + constant, with the gradient that comes through RELU, as in `sums`."""
    channel = tl.arange(0, BLOCK)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    there = (row < rows)[:, None] & (channel < C)[None, :]
    at = row[:, None].to(tl.int64) * C + channel[None, :]
    factor = tl.load(scale + channel, channel < C, other=0.0)[None, :]
    value = tl.load(x + at, there, other=0.0).to(tl.float32)
    through = tl.load(gradient + at, there, other=0.0).to(tl.float32)
    if RELU:
        summand = tl.load(shift + channel, channel < C, other=0.0)[None, :]
        through = tl.where(value * factor + summand > 0, through, 0.0)
    rise = tl.load(slope + channel, channel < C, other=0.0)[None, :]
    value = factor * through + rise * value + tl.load(constant + channel, channel < C, other=0.0)[None, :]
    tl.store(out + at, value.to(out.dtype.element_ty), there)


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
def _of(gradient, tap, wanted: tl.constexpr):
    """The gradient of windows whose largest pixel was the tap `wanted`."""
    return tl.where(tap == wanted, gradient, 0.0)


@triton.jit
def _write(x, out, at, there, d, a, b, c):
    value = a * d + b * tl.load(x + at, there, other=0.0).to(tl.float32) + c
    tl.store(out + at, value.to(out.dtype.element_ty), there)


@triton.jit
def spread_pooled(
    gradient, tap, x, out, scale, slope, constant, H, W, positions,
    C: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """scale * d + slope * x + constant, where d is the gradient that comes to a pixel from the windows it is in.

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
    a = tl.load(scale + channel, channel < C, other=0.0)[None, :]
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

    _write(x, out, pixel, here, _of(g, t, 4), a, b, c)
    _write(x, out, pixel + C, here, _of(g, t, 5) + _of(g_right, t_right, 3), a, b, c)
    pixel += W * C
    _write(x, out, pixel, here, _of(g, t, 7) + _of(g_below, t_below, 1), a, b, c)
    d = _of(g, t, 8) + _of(g_right, t_right, 6) + _of(g_below, t_below, 2) + _of(g_both, t_both, 0)
    _write(x, out, pixel + C, here, d, a, b, c)
