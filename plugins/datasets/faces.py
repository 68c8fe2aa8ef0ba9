"""Rendered face images: nobody's face, CelebA's attributes and their joint statistics, any number of images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit import Attributes, Condition, DataError, Dataset, Level, OpenDataset
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.faces_draw import jpeg
from auditkit_plugins.datasets.faces_look import BALD_NEARER, look
from auditkit_plugins.datasets.faces_people import BALD_SHARE, BALD_WOMEN, OLD_SHARE, Population, population
from auditkit_plugins.datasets.records import FACES_REVISION, FacesOptions

LEVELS: tuple[Level, ...] = (0, 1)


@dataclass(frozen=True, slots=True, eq=False)
class FaceImages:
    """Images rendered when they are read; nothing lies on disk.

    drawn: (images, 40) int8; identities: (images,) int64; neutral: (images,) bool, drawn without any cue of gender.
    """

    seed: int
    drawn: NDArray[np.int8] = field(repr=False)
    identities: NDArray[np.int64] = field(repr=False)
    neutral: NDArray[np.bool_] = field(repr=False)

    def read(self, index: int) -> bytes:
        """One image of 178 x 218 pixels as JPEG bytes, the same every time."""
        person = int(self.identities[index])
        return jpeg(look(self.drawn[index], self.seed, person, index, cues=not self.neutral[index]))


class Faces(Dataset):
    """Rendered faces of people who do not exist, labelled with CelebA's 40 attributes."""

    Options = FacesOptions

    @classmethod
    def attribute_levels(cls, options: Any, place: Path | None) -> Mapping[str, tuple[Level, ...]]:
        """CelebA's 40 attributes."""
        return dict.fromkeys(ATTRIBUTES, LEVELS)

    def open(self, place: Path | None) -> OpenDataset:
        """Draw the people and their attributes; the images are rendered when they are read."""
        options: FacesOptions = self.options
        people = population(options.images, options.seed, options.enrich)
        table = Attributes(ATTRIBUTES, (LEVELS,) * len(ATTRIBUTES), people.labels)
        return OpenDataset(
            file_names=tuple(f"{number:06d}.jpg" for number in range(1, options.images + 1)),
            attributes=table,
            identities=people.identities,
            splits=people.splits,
            images=FaceImages(options.seed, people.drawn, people.identities, _neutral(people, options.remove_cue)),
            fingerprint=_fingerprint(options, people),
            kind="synthetic",
            synthetic=True,
            place="rendered",
            notes=_notes(options),
        )


def _neutral(people: Population, where: Condition | None) -> NDArray[np.bool_]:
    if where is None:
        return np.zeros(len(people.drawn), dtype=bool)
    unknown = [name for name in where.levels if name not in ATTRIBUTES]
    if unknown:
        raise DataError(f"unknown attribute {unknown[0]!r} in remove_cue", hint="it has CelebA's 40 attributes")
    return Attributes(ATTRIBUTES, (LEVELS,) * len(ATTRIBUTES), people.drawn).matches(where)


def _fingerprint(options: FacesOptions, people: Population) -> str:
    digest = hashlib.sha256(f"faces {FACES_REVISION} {options.model_dump_json()}".encode())
    digest.update(people.labels.tobytes())
    return digest.hexdigest()


def _notes(options: FacesOptions) -> tuple[str, ...]:
    lines = ["rendered faces: the images show nobody, and numbers made from them say nothing about people"]
    lines.append(f"by design, bald heads show gender less: its cues have {BALD_NEARER:.0%} of their strength there")
    if options.enrich:
        lines.append(
            f"enriched: {BALD_SHARE:.0%} of the people are bald (CelebA: 2 % of the images), {BALD_WOMEN:.0%} of those "
            f"are women (CelebA: 0.4 %); {OLD_SHARE:.0%} of the others are not young (CelebA: 22 %)"
        )
    if options.remove_cue is not None:
        lines.append(f"planted effect: images with {options.remove_cue} are drawn halfway between women and men")
    return tuple(lines)
