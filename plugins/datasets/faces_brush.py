"""Shapes in a rolled, scaled and shifted frame, and colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from auditkit_plugins.datasets.faces_look import Colour, Look

TWICE = 2
"""The image is drawn at twice its size, so that edges are smooth."""
ROUND = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
OVAL = np.stack([np.cos(ROUND), np.sin(ROUND)], axis=1)
SMALL = OVAL[::3]
Points = NDArray[np.float64]


class Brush:
    """Draws shapes given in the face frame; rolls, scales and places them."""

    def __init__(self, draw: ImageDraw.ImageDraw, look: Look) -> None:
        angle, size = np.deg2rad(look.shot.roll), TWICE * look.shot.size
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        self.draw, self.turn = draw, size * turn
        self.shift = TWICE * np.array(look.shot.centre)
        self.size = size

    def shape(self, points: Points, colour: Colour) -> None:
        """A filled polygon."""
        self.draw.polygon((points @ self.turn + self.shift).ravel().tolist(), fill=_rgb(colour))

    def oval(self, x: float, y: float, half_width: float, half_height: float, colour: Colour) -> None:
        """A filled ellipse."""
        outline = OVAL if half_width > 12 else SMALL
        self.shape(outline * (half_width, half_height) + (x, y), colour)

    def line(self, points: Sequence[tuple[float, float]] | Points, width: float, colour: Colour) -> None:
        """A stroke."""
        path = np.asarray(points, dtype=np.float64) @ self.turn + self.shift
        self.draw.line(path.ravel().tolist(), fill=_rgb(colour), width=max(1, round(width * self.size)), joint="curve")


def mixed(one: Colour, other: Iterable[float], share: float) -> Colour:
    """One colour moved towards the other by a share of the way."""
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(one, other, strict=True))
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    """A colour made darker (below 1) or brighter."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _rgb(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, int(part))) for part in colour)
    return red, green, blue
