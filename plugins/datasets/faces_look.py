"""How one rendered face looks: from its attributes and stateless random numbers to shapes and colours.

Every cue of gender, age and nose is a number whose ranges overlap between the levels, so that no single one decides.
Lengths are pixels of the 178 x 218 image, in a face frame with the eyes at y = 0, x to the right and y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auditkit import uniforms
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES

Colour = tuple[float, float, float]
NUMBERS = 40

_SKINS = ((250, 222, 200), (240, 200, 172), (222, 176, 140), (196, 144, 108), (156, 108, 78), (110, 74, 54))
_SKIN_EDGES = (0.2, 0.48, 0.72, 0.84, 0.93)
_HAIRS = {
    "Black_Hair": (32, 28, 28),
    "Brown_Hair": (92, 60, 38),
    "Blond_Hair": (206, 170, 106),
    "Gray_Hair": (172, 170, 168),
}
_SOME_HAIR = (66, 46, 36)
_NEUTRAL = 0.5
BALD_NEARER = 0.3
"""On bald heads every cue of gender stands nearer to the middle, at this share of its distance, so that a network that
has met few bald women has something to lose, and an arm with more bald faces something to change."""


class Cue(NamedTuple):
    """A measure of the face: its mean at level 0.5 of an attribute, half the distance of the levels, the spread."""

    mean: float
    half: float
    spread: float

    def value(self, level: float, normal: float) -> float:
        """The measure of a person; `level` 0 or 1, or between where the cue is to say nothing."""
        return self.mean + self.half * (2.0 * level - 1.0) + self.spread * normal


JAW = Cue(0.50, 0.20, 0.16)
HEAD_WIDTH = Cue(46.5, 1.8, 2.3)
CHIN = Cue(63.0, 2.0, 3.0)
BROW = Cue(3.2, 0.9, 0.7)
BROW_HEIGHT = Cue(13.0, -1.4, 1.2)
EYE_HEIGHT = Cue(5.2, -0.5, 0.6)
LIPS = Cue(5.8, -0.9, 0.9)
LIP_RED = Cue(0.42, -0.18, 0.16)
NECK = Cue(27.0, 3.8, 3.0)
NOSE_WIDTH = Cue(12.8, 3.2, 1.4)
NOSE_LENGTH = Cue(27.5, 2.6, 1.6)
WRINKLES = Cue(0.45, -0.38, 0.13)
LONG_HAIR = Cue(0.49, -0.43, 0.0)
"""Here the mean is a probability."""


WITHOUT_CUES = frozenset(
    {"Bald", "Big_Nose", "Blurry", "Eyeglasses", "Gray_Hair", "Mouth_Slightly_Open", "Smiling", "Young"}
)


@dataclass(frozen=True, slots=True)
class Face:
    """Measures of a person: pixels, but for `jaw` (squareness) and `lip_red` (a share)."""

    jaw: float
    head_width: float
    chin: float
    neck: float
    brow: float
    brow_height: float
    eye_height: float
    nose_width: float
    nose_length: float
    lips: float
    lip_red: float


@dataclass(frozen=True, slots=True)
class HairCut:
    """length: share; volume, hairline: pixels; parting: -1 to 1; fringe: hair at the sides of a bald head."""

    length: float
    volume: float
    hairline: float
    parting: float
    fringe: bool


@dataclass(frozen=True, slots=True)
class Shot:
    """What changes from image to image.

    centre: of the eyes, pixels of the image; roll: degrees; yaw: about -1 to 1; light: change of brightness across and
    down; gain: factor of each colour; hidden: centre and radius of what hides a part; grain: offset into the noise.
    """

    clothes: Colour
    backdrop: Colour
    backdrop_to: Colour
    centre: tuple[float, float]
    size: float
    roll: float
    yaw: float
    light: tuple[float, float]
    gain: Colour
    noise: float
    blur: float
    quality: int
    hidden: tuple[float, float, float] | None
    grain: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """Everything the painter needs. Shares are 0 to 1; colours are RGB from 0 to 255; `has` names drawn attributes."""

    has: frozenset[str]
    skin: Colour
    hair: Colour
    face: Face
    cut: HairCut
    shot: Shot
    beard: float
    wrinkles: float
    smile: float
    open: float


class Chance:
    """Numbers of a person or an image, taken one after the other: uniform, or normal by Box and Muller (1958)."""

    def __init__(self, seed: int, purpose: str, index: int) -> None:
        at, zero = np.array([index], dtype=np.int64), np.zeros(1, dtype=np.int64)
        numbers: NDArray[np.float64] = uniforms(seed, purpose, at, zero, 2 * NUMBERS)[0]
        self._uniform = iter(numbers[:NUMBERS].tolist())
        first, second = numbers[NUMBERS:].reshape(2, -1)
        self._normal = iter((np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)).tolist())

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """The next uniform number."""
        return low + (high - low) * float(next(self._uniform))

    def normal(self) -> float:
        """The next normal number."""
        return float(next(self._normal))

    def colour(self, low: float, high: float) -> Colour:
        """Three uniform numbers."""
        return self.uniform(low, high), self.uniform(low, high), self.uniform(low, high)


def look(codes: NDArray[np.int8], seed: int, person: int, image: int, *, cues: bool = True) -> Look:
    """The look of one image.

    Without `cues`, measures that tell women from men stand halfway between them, and what adorns one gender more than
    the other is left out; age, nose, smile, glasses and baldness remain, and with them what they say about gender.
    """
    has = frozenset(name for name, code in zip(ATTRIBUTES, codes.tolist(), strict=True) if code)
    has = has if cues else has & WITHOUT_CUES
    face, shot = Chance(seed, "faces person", person), Chance(seed, "faces photo", image)
    male = _gender(has) if cues else _NEUTRAL
    old = "Young" not in has
    smiles = "Smiling" in has
    return Look(
        has=has,
        skin=_skin(face, has, old),
        hair=_hair(face, has),
        face=_face(face, male, has),
        cut=_hair_cut(face, male, has),
        beard=_beard(face, has),
        wrinkles=max(0.0, WRINKLES.value(float(not old), face.normal())),
        smile=(0.75 if smiles else 0.08) + 0.14 * shot.normal(),
        open=max(0.0, ("Mouth_Slightly_Open" in has) * 0.6 + 0.12 * shot.normal()),
        shot=_shot(shot, has),
    )


def _gender(has: frozenset[str]) -> float:
    """The level that the cues of gender stand for, from 0 (a woman) to 1 (a man)."""
    level = float("Male" in has)
    return _NEUTRAL + BALD_NEARER * (level - _NEUTRAL) if "Bald" in has else level


def _skin(face: Chance, has: frozenset[str], old: bool) -> Colour:
    tone = _SKINS[sum(face.uniform() > edge for edge in _SKIN_EDGES)]
    shift = 7.0 * face.normal()
    pale = 12.0 * ("Pale_Skin" in has)
    grey = 0.10 if old else 0.0
    mean = sum(tone) / 3.0
    red, green, blue = ((1 - grey) * part + grey * mean + shift + pale for part in tone)
    return red, green, blue


def _hair(face: Chance, has: frozenset[str]) -> Colour:
    base = next((colour for name, colour in _HAIRS.items() if name in has), _SOME_HAIR)
    shift, warm = 11.0 * face.normal(), 6.0 * face.normal()
    return base[0] + shift + warm, base[1] + shift, base[2] + shift - warm


def _face(face: Chance, male: float, has: frozenset[str]) -> Face:
    big = float("Big_Nose" in has)
    wide = 3.0 * ("Chubby" in has) - 1.5 * ("Oval_Face" in has)
    return Face(
        jaw=JAW.value(male, face.normal()) + 0.1 * ("Chubby" in has),
        head_width=HEAD_WIDTH.value(male, face.normal()) + wide,
        chin=CHIN.value(male, face.normal()),
        neck=NECK.value(male, face.normal()),
        brow=max(1.0, BROW.value(male, face.normal()) + 1.1 * ("Bushy_Eyebrows" in has)),
        brow_height=BROW_HEIGHT.value(male, face.normal()) + 1.2 * ("Arched_Eyebrows" in has),
        eye_height=max(2.4, EYE_HEIGHT.value(male, face.normal()) - 1.3 * ("Narrow_Eyes" in has)),
        nose_width=NOSE_WIDTH.value(big, face.normal()) + 0.5 * male,
        nose_length=NOSE_LENGTH.value(big, face.normal()),
        lips=max(2.0, LIPS.value(male, face.normal()) + 1.6 * ("Big_Lips" in has)),
        lip_red=LIP_RED.value(male, face.normal()),
    )


def _hair_cut(face: Chance, male: float, has: frozenset[str]) -> HairCut:
    bald = "Bald" in has
    long = face.uniform() < LONG_HAIR.value(male, 0.0)
    length = face.uniform(0.55, 1.0) if long else face.uniform(0.0, 0.42)
    receding = 9.0 * ("Receding_Hairline" in has)
    fringe = face.uniform() < 0.55
    return HairCut(
        length=0.0 if bald else length,
        volume=3.0 + 6.0 * face.uniform() + 3.0 * ("Wavy_Hair" in has),
        hairline=19.0 + 2.5 * face.normal() + receding,
        parting=face.uniform(-0.6, 0.6),
        fringe=bald and fringe,
    )


def _beard(face: Chance, has: frozenset[str]) -> float:
    full = face.uniform(0.35, 0.9)
    shadow = 0.22 * ("5_o_Clock_Shadow" in has)
    return max(shadow, full * ("No_Beard" not in has)) * ("Male" in has)


def _shot(shot: Chance, has: frozenset[str]) -> Shot:
    covered = shot.uniform() < 0.14
    side = -1.0 if shot.uniform() < 0.5 else 1.0
    patch = (side * shot.uniform(18.0, 48.0), shot.uniform(-30.0, 60.0), shot.uniform(9.0, 22.0))
    dim = 1.0 + 0.12 * shot.normal()
    return Shot(
        clothes=_muted(shot.colour(15.0, 240.0), 0.5),
        backdrop=_muted(shot.colour(15.0, 240.0), 0.65),
        backdrop_to=_muted(shot.colour(15.0, 240.0), 0.65),
        centre=(89.0 + 2.0 * shot.normal(), 111.0 + 2.0 * shot.normal()),
        size=1.0 + 0.06 * shot.normal(),
        roll=4.5 * shot.normal(),
        yaw=0.45 * shot.normal(),
        light=(0.28 * shot.normal(), 0.20 * shot.normal()),
        gain=(dim + 0.05 * shot.normal(), dim, dim + 0.06 * shot.normal()),
        noise=shot.uniform(2.0, 8.0),
        blur=(1.6 if "Blurry" in has else 0.0) + (0.5 * shot.uniform()),
        quality=int(shot.uniform(82.0, 95.0)),
        hidden=patch if covered else None,
        grain=(int(shot.uniform(0.0, 60.0)), int(shot.uniform(0.0, 60.0))),
    )


def _muted(colour: Colour, share: float) -> Colour:
    """Nearer to the grey of the same brightness by `share`."""
    grey = sum(colour) / 3.0
    red, green, blue = (part + share * (grey - part) for part in colour)
    return red, green, blue
