"""The values that samplers and datasets exchange with the engine: attributes, cohorts, draws, an open data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import Condition, Level
from auditkit.errors import AuditError

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
MISSING = -1
"""Code of an attribute whose value is missing, and the identity of a face that is unknown."""
SPLITS = ("train", "valid", "test")
SPLIT_WORDS: Mapping[str, int] = {
    **dict.fromkeys(("train", "training", "0"), 0),
    **dict.fromkeys(("valid", "val", "validation", "dev", "1"), 1),
    **dict.fromkeys(("test", "testing", "2"), 2),
}
"""What tables call the splits, in small letters, and the index into SPLITS that each word means."""


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """Attributes of every image of a data set.

    codes: (images, attributes) int8, an index into the attribute's levels, or -1 where the value is missing.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[Level, ...], ...]
    codes: NDArray[np.int8]

    def column(self, name: str) -> NDArray[np.int8]:
        """(images,) int8 codes of one attribute."""
        return self.codes[:, self._position(name)]

    def levels_of(self, name: str) -> tuple[Level, ...]:
        """The levels of one attribute, in the order of their codes."""
        return self.levels[self._position(name)]

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise AuditError(f"there is no attribute {name!r}", hint=f"there are {', '.join(self.names)}")
        return self.names.index(name)

    def truth(self, name: str, positive: Level) -> NDArray[np.int8]:
        """(images,) int8: 1 where an attribute has the positive level, 0 where another, -1 where it is missing."""
        codes = self.column(name)
        found: NDArray[np.int8] = (codes == self.levels_of(name).index(positive)).astype(np.int8)
        found[codes == MISSING] = MISSING
        return found

    @property
    def by_name(self) -> dict[str, tuple[Level, ...]]:
        """Levels of every attribute, by its name."""
        return dict(zip(self.names, self.levels, strict=True))

    def matches(self, condition: Condition) -> Mask:
        """(images,) bool: where every attribute of the condition has one of the levels it names."""
        mask = np.ones(len(self.codes), dtype=bool)
        for name, wanted in condition.levels.items():
            known = self.levels_of(name)
            mask &= np.isin(self.column(name), [known.index(level) for level in wanted if level in known])
        return mask

    def contradicts(self, condition: Condition) -> Mask:
        """(images,) bool: where some attribute of the condition is known to have another level than those it names.

        An image that neither matches nor contradicts lacks a value that would decide.
        """
        mask = np.zeros(len(self.codes), dtype=bool)
        for name, wanted in condition.levels.items():
            known = self.levels_of(name)
            others = [code for code, level in enumerate(known) if level not in wanted]
            mask |= np.isin(self.column(name), others)
        return mask


class ImageSource(Protocol):
    """Encoded images by position; picklable, so that several processes can read."""

    def read(self, index: int) -> bytes:
        """The encoded bytes (JPEG, PNG or WebP) of one image."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenDataset:
    """A data set whose annotations have been read.

    file_names: one per image. identities: (images,) int64, whose face, 0 or more, or -1 where that is unknown, which
    counts as a person of its own; None where it is unknown of all. splits: (images,) int8, an index into SPLITS, or
    None. `fingerprint` identifies annotations and images by content. `kind` is what the report says: "official
    CelebA", "subset, not official CelebA", "synthetic"; `notes` are further remarks for the reader. checksums:
    (images,) int64, equal where files are identical byte for byte, or None where that is not known.
    """

    file_names: tuple[str, ...]
    attributes: Attributes
    identities: Rows | None
    splits: NDArray[np.int8] | None
    images: ImageSource
    fingerprint: str
    kind: str
    synthetic: bool = False
    place: str = ""
    notes: tuple[str, ...] = ()
    checksums: Rows | None = None

    def __post_init__(self) -> None:
        """Raise ValueError unless its parts belong together, which would show far from the plugin that made them."""
        _require_codes(self.attributes, len(self))
        for name in ("identities", "splits", "checksums"):
            column = getattr(self, name)
            if column is not None and column.shape != (len(self),):
                raise ValueError(f"{name} of shape {column.shape} for {len(self):,} images")
        unknown = None if self.splits is None else set(np.unique(self.splits).tolist()) - {*range(len(SPLITS))}
        if unknown:
            raise ValueError(f"splits are indices into {SPLITS}, found {min(unknown)}")

    def __len__(self) -> int:
        return len(self.file_names)


def _require_codes(attributes: Attributes, images: int) -> None:
    names, levels, codes = attributes.names, attributes.levels, attributes.codes
    if codes.shape != (images, len(names)) or len(levels) != len(names):
        said = f"{len(names):,} names and {len(levels):,} levels of attributes for {images:,} images"
        raise ValueError(f"codes of shape {codes.shape}, {said}")
    wrong = (codes < MISSING) | (codes >= np.array([len(known) for known in levels]))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        found = f"code {codes[row, column]} in row {row}"
        raise ValueError(f"attribute {names[column]!r} has {len(levels[column])} levels, and {found}")


def people(identities: Rows) -> Rows:
    """(images,) int64, equal where images of a data set show one person; whoever is unknown is nobody else."""
    return np.where(identities < 0, -1 - np.arange(len(identities)), identities)


def known_people(identities: Rows) -> int:
    """How many different people there are whose identity is known."""
    return len(np.unique(identities[identities >= 0]))


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How many images of a group were found, beside how many the original data set has (None where unknown)."""

    group: str
    found: int
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a dataset can tell of a place beyond opening it: a verdict in words, facts, problems, group counts.

    `refused` says what keeps a run from using the data; each is one sentence, and may have its remedy on another line.
    `shares` are attributes with the share of images that have them, None where no image's value is known.
    """

    verdict: str
    facts: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    groups: tuple[GroupCount, ...] = ()
    refused: tuple[str, ...] = ()
    shares: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The attribute view of a split: all that a sampler sees.

    rows: (n,) int64 row numbers in the data set; identities: (n,) int64, -1 where unknown, or None.
    """

    rows: Rows
    attributes: Attributes = field(repr=False)
    identities: Rows | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def matches(self, condition: Condition) -> Mask:
        """(n,) bool: the rows of the cohort that satisfy a condition."""
        return self.attributes.matches(condition)[self.rows]

    def contradicts(self, condition: Condition) -> Mask:
        """(n,) bool: the rows known not to satisfy a condition; where a missing value leaves it open, neither holds."""
        return self.attributes.contradicts(condition)[self.rows]

    def column(self, name: str) -> NDArray[np.int8]:
        """(n,) int8 codes of an attribute for the rows of the cohort."""
        return self.attributes.column(name)[self.rows]

    def strata(self, names: tuple[str, ...]) -> tuple[Rows, tuple[Mapping[str, Level], ...]]:
        """Number the combinations of attribute levels: (n,) int64 codes, and what each code means."""
        codes = np.zeros(len(self.rows), dtype=np.int64)
        meanings: list[dict[str, Level]] = [{}]
        for name in names:
            levels = self.attributes.levels_of(name)
            column = self.column(name)
            missing = int((column == MISSING).sum())
            if missing:
                have = "has" if missing == 1 else "have"
                of = f"{missing:,} of {len(self.rows):,} images"
                said = f"{of} {have} no value of {name!r}, so it cannot define strata"
                raise AuditError(said, hint="leave these images out of the data, or name another attribute")
            codes = codes * len(levels) + column
            meanings = [{**meaning, name: level} for meaning in meanings for level in levels]
        return codes, tuple(meanings)

    @staticmethod
    def rank(mask: Mask) -> Rows:
        """(n,) int64: position of each row among the rows of the mask (0 for the first), whatever the others have."""
        return np.cumsum(mask) - mask


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Rows to train on, in no particular order; row numbers of the data set, repeated where an image counts twice.

    copy: (m,) int64; 0 is the image itself, k > 0 its k-th augmented copy. A repeated (row, 0) is a plain duplicate.
    """

    rows: Rows
    copy: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if len(self.copy) == 0 and len(self.rows):
            object.__setattr__(self, "copy", np.zeros(len(self.rows), dtype=np.int64))
        if len(self.copy) != len(self.rows):
            raise ValueError(f"a draw of {len(self.rows)} rows has {len(self.copy)} copy numbers")

    def __len__(self) -> int:
        return len(self.rows)
