"""The painter: from a Look to a JPEG of 178 x 218 pixels, drawn at twice the size with Pillow."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from auditkit import generator
from auditkit_plugins.datasets.celeba_facts import HEIGHT, WIDTH
from auditkit_plugins.datasets.faces_brush import OVAL, ROUND, SMALL, TWICE, Brush, Points, mixed, shade
from auditkit_plugins.datasets.faces_look import Look

TOP = -62.0
_LIPSTICK = 0.18


def jpeg(look: Look) -> bytes:
    """The image as JPEG bytes."""
    picture = _developed(_painted(look), look)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=look.shot.quality)
    return out.getvalue()


def _painted(look: Look) -> Image.Image:
    picture = _backdrop(look)
    brush = Brush(ImageDraw.Draw(picture), look)
    _back_hair(brush, look)
    _shoulders(brush, look)
    _head(brush, look)
    _age(brush, look)
    _beard(brush, look)
    _eyes(brush, look)
    _nose(brush, look)
    _mouth(brush, look)
    _front_hair(brush, look)
    _worn(brush, look)
    if look.shot.hidden:
        x, y, radius = look.shot.hidden
        brush.oval(x, y, radius, 1.4 * radius, mixed(look.skin, look.shot.clothes, 0.6))
    return picture


def _developed(picture: Image.Image, look: Look) -> Image.Image:
    """Downsampled, out of focus, lit from one side, cast in a colour, with grain."""
    small = picture.reduce(TWICE)
    if look.shot.blur > 0.15:
        small = small.filter(ImageFilter.BoxBlur(look.shot.blur))
    across, down = look.shot.light
    x, y = _GRID
    light = (1.0 + across * x) * (1.0 + down * y)
    top, left = look.shot.grain
    grain = _grain()[top : top + HEIGHT, left : left + WIDTH]
    values = np.asarray(small, dtype=np.float32) * (light[..., None] * np.array(look.shot.gain, dtype=np.float32))
    values += np.float32(look.shot.noise) * grain
    np.clip(values, 0, 255, out=values)
    return Image.fromarray(values.astype(np.uint8))


def _axes() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    return x, y


_GRID = _axes()


@cache
def _grain() -> NDArray[np.float32]:
    rng = generator(0, "faces grain")
    return rng.standard_normal((HEIGHT + 60, WIDTH + 60, 1), dtype=np.float32)


def _backdrop(look: Look) -> Image.Image:
    """Four colours blended over the whole picture."""
    corners = [
        look.shot.backdrop,
        look.shot.backdrop_to,
        mixed(look.shot.backdrop, look.shot.clothes, 0.3),
        look.shot.backdrop_to,
    ]
    small = np.clip(np.array(corners).reshape(2, 2, 3), 0, 255).astype(np.uint8)
    return Image.fromarray(small).resize((TWICE * WIDTH, TWICE * HEIGHT), Image.Resampling.BILINEAR)


def _outline(look: Look, shrink: float = 1.0) -> Points:
    """The head: a half ellipse above the eyes, and below them sides that run down to a chin of the given squareness."""
    cosine, sine = OVAL[:, 0], OVAL[:, 1]
    square = 2.0 + 1.7 * max(0.0, look.face.jaw)
    below = (
        np.sign(cosine)
        * np.abs(cosine) ** (2.0 / square)
        * (1.0 - (0.30 - 0.16 * look.face.jaw) * np.clip(sine, 0, 1) ** 2)
    )
    x = look.face.head_width * np.where(sine > 0, below, cosine)
    y = np.where(sine > 0, look.face.chin * np.abs(sine) ** 0.94, -TOP * sine)
    return shrink * np.stack([x, y], axis=1)


def _back_hair(brush: Brush, look: Look) -> None:
    if look.cut.length < 0.45:
        return
    bottom = 20.0 + 95.0 * look.cut.length
    wide = look.face.head_width + look.cut.volume + 5.0
    wave = 3.5 * np.sin(np.linspace(0, 9, 12)) if "Wavy_Hair" in look.has else np.zeros(12)
    y = np.linspace(-20.0, bottom, 12)
    right = np.stack([wide + 4.0 * np.linspace(0, 1, 12) + wave, y], axis=1)
    crown = np.stack([wide * np.cos(ROUND[20:]), (TOP - look.cut.volume) * -np.sin(ROUND[20:])], axis=1)
    brush.shape(np.concatenate([crown, right, (right * (-1, 1))[::-1]]), shade(look.hair, 0.72))


def _shoulders(brush: Brush, look: Look) -> None:
    brush.shape(
        np.array([(-120, 150), (-85, 92), (-30, 80), (30, 80), (85, 92), (120, 150)], dtype=np.float64),
        look.shot.clothes,
    )
    n = look.face.neck
    neck = np.array([(-n, 30), (n, 30), (n + 2, 78), (0, 96), (-n - 2, 78)], dtype=np.float64)
    brush.shape(neck, shade(look.skin, 0.82))
    if "Wearing_Necktie" in look.has:
        brush.shape(
            np.array([(-6, 88), (6, 88), (9, 130), (-9, 130)], dtype=np.float64), shade(look.shot.clothes, 0.45)
        )
    if "Wearing_Necklace" in look.has:
        brush.line([(-n, 76), (-n / 2, 86), (0, 90), (n / 2, 86), (n, 76)], 1.2, (225, 205, 130))


def _head(brush: Brush, look: Look) -> None:
    for side in (-1, 1):
        brush.oval(side * (look.face.head_width + 1.5), 8.0, 5.0, 11.0, shade(look.skin, 0.85))
    for shrink, bright in ((1.0, 0.84), (0.965, 0.88), (0.93, 0.92), (0.88, 0.95), (0.82, 0.98), (0.74, 1.0)):
        brush.shape(_outline(look, shrink), shade(look.skin, bright))
    if "Bald" in look.has:
        brush.oval(9.0 + 8.0 * look.cut.parting, -46.0, 11.0, 5.0, shade(look.skin, 1.10))
    if "Double_Chin" in look.has:
        brush.line(
            [(-18, look.face.chin - 3), (0, look.face.chin + 4), (18, look.face.chin - 3)], 1.4, shade(look.skin, 0.78)
        )
    if look.has & {"Rosy_Cheeks", "Heavy_Makeup"}:
        rosy = mixed(look.skin, (225, 96, 96), 0.22)
        for side in (-1, 1):
            brush.oval(side * 27.0 + _turned(look), 20.0, 9.0, 6.0, rosy)


def _age(brush: Brush, look: Look) -> None:
    """Wrinkles of forehead, eyes and cheeks; the darker, the older."""
    line = shade(look.skin, 1.0 - 0.42 * min(look.wrinkles, 1.0))
    x = _turned(look)
    if look.wrinkles > 0.12:
        for y in (-26.0, -31.0, -36.0)[: 1 + int(3 * look.wrinkles)]:
            brush.line([(x - 22, y + 1), (x - 8, y - 1), (x + 8, y), (x + 22, y + 1)], 0.8, line)
        for side in (-1, 1):
            brush.line([(x + side * 12, 22), (x + side * 20, 33), (x + side * 22, 42)], 1.2, line)
            for rise in (-4.0, 0.0, 4.0):
                brush.line([(x + side * 31, 0.4 * rise), (x + side * 38, rise)], 0.7, line)
    if "Bags_Under_Eyes" in look.has or look.wrinkles > 0.6:
        for side in (-1, 1):
            brush.line([(x + side * 13, 7), (x + side * 19, 9.5), (x + side * 26, 7)], 1.3, shade(look.skin, 0.78))


def _beard(brush: Brush, look: Look) -> None:
    x = _turned(look)
    hair = mixed(look.skin, shade(look.hair, 0.85), min(0.95, look.beard))
    if look.beard > 0.05:
        lower = _outline(look, 0.97)
        lower = lower[lower[:, 1] > 22.0]
        lower = lower[np.argsort(lower[:, 0])]
        upper = np.stack(
            [np.linspace(lower[-1, 0], lower[0, 0], 9), 36.0 - 8.0 * np.cos(np.linspace(-3.1, 3.1, 9))], axis=1
        )
        if "Goatee" in look.has:
            brush.oval(x, look.face.chin - 12.0, 14.0, 13.0, hair)
        else:
            brush.shape(np.concatenate([lower, upper]), hair)
    if "Mustache" in look.has or look.beard > 0.3:
        brush.oval(x, 34.0, 16.0, 3.6, mixed(look.skin, look.hair, max(0.5, look.beard)))


def _eyes(brush: Brush, look: Look) -> None:
    x = _turned(look)
    dark = "Heavy_Makeup" in look.has
    brow = mixed(look.skin, shade(look.hair, 0.6), 0.8)
    arch = 3.0 if "Arched_Eyebrows" in look.has else 1.2
    for side in (-1, 1):
        at = x + side * 19.5
        high = look.face.eye_height
        brush.oval(at, 0.0, 9.4, high + (1.6 if dark else 0.9), shade(look.skin, 0.45 if dark else 0.66))
        brush.oval(at, 0.0, 8.6, high, (238, 236, 232))
        brush.oval(at + 2.0 * look.shot.yaw, 0.0, 4.0, min(4.0, high), (70, 52, 40))
        brush.oval(at + 2.0 * look.shot.yaw, 0.0, 1.8, 1.8, (12, 10, 10))
        y = -look.face.brow_height
        brush.line([(at - side * 10, y + 1), (at, y - arch), (at + side * 11, y + 1.5)], look.face.brow, brow)


def _nose(brush: Brush, look: Look) -> None:
    x, n, low = _turned(look), look.face.nose_width, look.face.nose_length
    brush.shape(np.array([(x - 3, 2), (x + 3, 2), (x + n * 0.8, low), (x - n * 0.8, low)]), shade(look.skin, 0.94))
    brush.line([(x + 3.5, 4), (x + 0.55 * n, low - 7)], 1.0, shade(look.skin, 0.80))
    brush.oval(x, low, n, 0.42 * n, shade(look.skin, 0.90))
    brush.oval(x, low - 2.0, 0.6 * n, 0.34 * n, shade(look.skin, 1.06))
    for side in (-1, 1):
        brush.oval(x + side * 0.5 * n, low + 2.2, 0.2 * n, 1.5, shade(look.skin, 0.45))


def _mouth(brush: Brush, look: Look) -> None:
    x, y, wide = _turned(look), 42.0, 15.0 + 5.5 * look.smile
    red = look.face.lip_red + (_LIPSTICK if "Wearing_Lipstick" in look.has else 0.0)
    lips = mixed(shade(look.skin, 0.80), (176, 40, 56), min(0.9, max(0.0, red)))
    lift, gap = 7.0 * look.smile, 5.0 * look.open
    t = np.linspace(-1.0, 1.0, 11)
    middle = y - lift * t**2 * 0.9
    upper = np.stack([x + wide * t, middle - gap / 2 - 0.5 * look.face.lips * (1 - t**2)], axis=1)
    lower = np.stack([x + wide * t, middle + gap + look.face.lips * (1 - t**2)], axis=1)
    brush.shape(np.concatenate([upper, lower[::-1]]), lips)
    if gap > 1.2:
        inner = np.stack([x + 0.85 * wide * t, middle - gap / 2 * (1 - t**2)], axis=1)
        outer = np.stack([x + 0.85 * wide * t, middle + gap * (1 - t**2)], axis=1)
        brush.shape(np.concatenate([inner, outer[::-1]]), (244, 240, 232) if look.smile > 0.4 else (70, 24, 26))
    else:
        brush.line(np.stack([x + wide * t, middle], axis=1), 0.9, shade(lips, 0.6))


def _front_hair(brush: Brush, look: Look) -> None:
    if "Bald" in look.has:
        if look.cut.fringe:
            _strands(brush, look, 6.0, 4.0, 8.0)
        return
    wide, tall = look.face.head_width + look.cut.volume * 0.8, TOP - look.cut.volume
    upper = np.stack([wide * np.cos(ROUND[20:]), -tall * np.sin(ROUND[20:])], axis=1)
    t = np.linspace(1.0, -1.0, 13)
    bangs = "Bangs" in look.has
    line = -(look.face.brow_height + (3.0 if bangs else look.cut.hairline))
    inner_y = line + (0.0 if bangs else 13.0) * np.abs(t - look.cut.parting) ** 2.2
    inner = np.stack([0.93 * look.face.head_width * t, np.minimum(inner_y, -2.0)], axis=1)
    brush.shape(np.concatenate([upper, inner]), look.hair)
    down = 4.0 + (110.0 if look.cut.length > 0.45 else 26.0) * look.cut.length
    _strands(brush, look, down, 4.0 + 10.0 * look.cut.length, look.cut.volume)
    for x in np.linspace(-0.8, 0.8, 7):
        brush.line(
            [(x * 8 + 10 * look.cut.parting, tall + 2), (0.86 * wide * x, line - 6)], 0.7, shade(look.hair, 1.22)
        )


def _strands(brush: Brush, look: Look, down: float, width: float, volume: float) -> None:
    """Hair at both sides of the face, down to `down`."""
    y = np.linspace(-24.0, down, 8)
    wave = 2.5 * np.sin(np.linspace(0, 8, 8)) if "Wavy_Hair" in look.has else np.zeros(8)
    outer = look.face.head_width + 0.8 * volume + wave
    inner = look.face.head_width * np.sqrt(np.clip(1 - (y / 75.0) ** 2, 0.5, 1)) - width * 0.5 + wave
    side = np.concatenate([np.stack([outer, y], axis=1), np.stack([inner, y], axis=1)[::-1]])
    brush.shape(side, shade(look.hair, 0.92))
    brush.shape(side * (-1, 1), shade(look.hair, 0.84))


def _worn(brush: Brush, look: Look) -> None:
    x = _turned(look)
    if "Wearing_Hat" in look.has:
        wide = look.face.head_width + 8.0
        crown = np.stack([wide * np.cos(ROUND[20:]), 64.0 * np.sin(ROUND[20:]) - 24.0], axis=1)
        brush.shape(crown, shade(look.shot.clothes, 0.7))
        brush.line([(-wide - 6, -24), (wide + 6, -24)], 4.0, shade(look.shot.clothes, 0.5))
    if "Eyeglasses" in look.has:
        for side in (-1, 1):
            ring = SMALL * (13.0, 10.0) + (x + side * 19.5, 0.5)
            brush.line(np.concatenate([ring, ring[:1]]), 1.3, (28, 26, 30))
            brush.line([(x + side * 32, -2), (side * look.face.head_width, -3)], 1.3, (28, 26, 30))
        brush.line([(x - 6.5, -1), (x + 6.5, -1)], 1.3, (28, 26, 30))
    if "Wearing_Earrings" in look.has:
        for side in (-1, 1):
            brush.oval(side * (look.face.head_width + 2), 21.0, 2.2, 3.2, (228, 206, 120))


def _turned(look: Look) -> float:
    """How far the features shift sideways when the head turns."""
    return 6.0 * look.shot.yaw
