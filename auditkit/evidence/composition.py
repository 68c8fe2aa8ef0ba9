"""What an arm trains on: cells and marginals moved, copies, effective numbers; which test rows it has met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from auditkit.cohort import Attributes, Draw, Mask, Rows, people
from auditkit.evidence.results import CellCount, Composition, Leak, Leaked, Marginal, Place


def composition(
    draw: Draw,
    before: Draw,
    attributes: Attributes,
    identities: Rows | None,
    groups: Sequence[tuple[str, ...]],
    *,
    task: str,
    arm: str,
) -> Composition:
    """Describe an arm's draw beside that of the reference arm.

    identities: (images of the data set,) int64, or None where unknown; identity -1 is a person of its own. Cells are
    counted over each of `groups`, and marginals over every attribute that has its value in both draws; rows with a
    missing value count in neither.
    """
    images = _times(draw.rows)
    people_drawn = None if identities is None else _times(people(identities)[draw.rows])
    originals = int((draw.copy == 0).sum())
    return Composition(
        task=task,
        arm=arm,
        rows=len(draw),
        originals=originals,
        copies=len(draw) - originals,
        distinct_images=len(images),
        distinct_identities=None if people_drawn is None else len(people_drawn),
        effective_images=effective(images),
        effective_identities=None if people_drawn is None else effective(people_drawn),
        most_copies_of_one=int(images.max(initial=0)),
        cells=tuple(cell for over in groups for cell in _cells(over, before, draw, attributes)),
        marginals=tuple(_marginals(before, draw, attributes)),
    )


def effective(times: NDArray[np.int64]) -> float:
    """Effective number of units that were drawn `times` often each: (sum of times)^2 / sum of times^2 (Kish, 1965)."""
    squares = float(np.square(times, dtype=np.float64).sum())
    return float(times.sum()) ** 2 / squares if squares else 0.0


def leaks(
    train: Draw,
    test: Draw,
    identities: Rows | None,
    checksums: Rows | None = None,
    *,
    task: str,
    arm: str,
    name: str = "plain",
) -> tuple[Leak, ...]:
    """Count the test rows whose image, person or identical file the arm also trained on.

    identities, checksums: (images of the data set,) int64, or None where unknown; then nothing is said about them. Two
    images of identity -1 are of two people. An identical file is one that another image's name stands for: one that
    is itself trained on counts as an image.
    """
    image = np.isin(test.rows, train.rows)
    touched: list[tuple[Leaked, Mask]] = [("image", image)]
    if identities is not None:
        who = people(identities)
        touched.append(("identity", np.isin(who[test.rows], who[train.rows])))
    if checksums is not None:
        touched.append(("identical file", np.isin(checksums[test.rows], checksums[train.rows]) & ~image))
    return tuple(Leak(task, arm, name, what, int(mask.sum()), len(test)) for what, mask in touched)


def _times(keys: Rows) -> NDArray[np.int64]:
    """How often each distinct key occurs."""
    return np.unique(keys, return_counts=True)[1].astype(np.int64)


def _cells(over: tuple[str, ...], before: Draw, after: Draw, attributes: Attributes) -> Iterator[CellCount]:
    sizes = [len(attributes.levels_of(name)) for name in over]
    first, second = (_counts(over, sizes, draw, attributes) for draw in (before, after))
    for codes in product(*map(range, sizes)):
        yield CellCount(_place(over, codes, attributes), int(first[codes]), int(second[codes]))


def _place(over: tuple[str, ...], codes: tuple[int, ...], attributes: Attributes) -> Place:
    return tuple((name, attributes.levels_of(name)[code]) for name, code in zip(over, codes, strict=True))


def _counts(over: tuple[str, ...], sizes: list[int], draw: Draw, attributes: Attributes) -> NDArray[np.int64]:
    """Rows of a draw in each combination of codes; shape: the levels of each attribute."""
    codes = np.stack([attributes.column(name)[draw.rows] for name in over]).astype(np.int64)
    known = (codes >= 0).all(axis=0)
    flat = np.ravel_multi_index(tuple(codes[:, known]), sizes)
    return np.bincount(flat, minlength=int(np.prod(sizes))).reshape(sizes)


def _marginals(before: Draw, after: Draw, attributes: Attributes) -> Iterator[Marginal]:
    first, second = (_shares(draw, attributes) for draw in (before, after))
    for name, levels, old, new in zip(attributes.names, attributes.levels, first, second, strict=True):
        if old is None or new is None:
            continue
        for level, share, moved in zip(levels, old, new, strict=True):
            yield Marginal(name, level, float(share), float(moved))


def _shares(draw: Draw, attributes: Attributes) -> list[NDArray[np.float64] | None]:
    """Share of each level of every attribute among the rows whose value is known; None where no row's is."""
    times = np.bincount(draw.rows, minlength=len(attributes.codes))
    rows = np.flatnonzero(times)
    codes, weights = attributes.codes[rows], times[rows].astype(np.float64)
    most = max(map(len, attributes.levels), default=0)
    counts = np.stack([weights @ (codes == level) for level in range(most)], axis=1)  # one product for all attributes
    return [_share(row[: len(levels)]) for row, levels in zip(counts, attributes.levels, strict=True)]


def _share(counts: NDArray[np.float64]) -> NDArray[np.float64] | None:
    total = counts.sum()
    return counts / total if total else None
