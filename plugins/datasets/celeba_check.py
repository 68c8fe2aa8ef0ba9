"""A close look at a CelebA folder, for ``auditkit data check``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit import SPLITS, Checkup, GroupCount, ImageSample, sample_images
from auditkit_plugins.counted import counted
from auditkit_plugins.datasets.annotations import Annotations, read_annotations
from auditkit_plugins.datasets.celeba import best_listing, notes, verdict
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES, HEIGHT, IMAGES, PEOPLE, POSITIVES, SPLIT_SIZES, WIDTH
from auditkit_plugins.datasets.celeba_places import Places, locate
from auditkit_plugins.datasets.images import PUT_IMAGES, Listing, positions

SHOWN = 10
REMEDY = "restore these files, or remove them and their rows, and lower the count in the first line"
NO_IMAGES = f"there are no images, which a run needs\n  {PUT_IMAGES}"


def check(root: Path) -> Checkup:
    """Look at everything that `open` leaves out. Raises DataError where the annotations cannot be read at all."""
    places = locate(root)
    table = read_annotations(places)
    found = best_listing(places, table)
    facts, problems = list(_file_facts(places, table)), list(notes(places, table, found))
    refused = [NO_IMAGES] if found is None and not places.images else []
    if found is not None:
        picked = positions(table.names, found.names)
        there = picked[picked >= 0]
        sample = sample_images(found.source(there), len(there))
        facts += _image_facts(found, there, sample)
        problems += [*_missing(table, picked, found), *_identical(table, found, picked)]
        refused += _unreadable(found, there, sample)
    kind = "synthetic, rendered by auditkit" if places.synthetic else verdict(table)
    shares = tuple(zip(ATTRIBUTES, table.codes.mean(axis=0).tolist(), strict=True))
    return Checkup(kind, tuple(facts), tuple(problems), tuple(_groups(table)), tuple(refused), shares)


def _file_facts(places: Places, table: Annotations) -> Iterator[tuple[str, str]]:
    yield "attributes", f"{places.attributes.name}: {counted(len(table.names), 'image')} (official {IMAGES:,})"
    yield "splits", places.splits.name if places.splits else "missing: list_eval_partition.txt"
    if places.identities is None or table.identities is None:
        yield "identities", "missing: identity_CelebA.txt"
    else:
        people = len(np.unique(table.identities[table.identities >= 0]))
        yield "identities", f"{places.identities.name}: {counted(people, 'person', 'people')} (official {PEOPLE:,})"


def _image_facts(found: Listing, there: NDArray[np.int64], sample: ImageSample) -> Iterator[tuple[str, str]]:
    total = int(found.arrays["sizes"][there].sum())
    extra = len(found.names) - len(there)
    more = f", and {extra:,} without a row" if extra else ""
    yield "images", f"{found.place.name}: {len(there):,}{more}, {total / 1e6:,.0f} MB"
    if sample.sizes:
        same = set(sample.sizes) == {(WIDTH, HEIGHT)}
        text = "" if same else f" (official {WIDTH} x {HEIGHT}; other crops are resized)"
        yield "image size", sample.size + text


def _missing(table: Annotations, picked: NDArray[np.int64], found: Listing) -> Iterator[str]:
    absent = np.flatnonzero(picked < 0)
    if len(absent):
        names = _listed([table.names[i] for i in absent.tolist()])
        are = counted(len(absent), "image is", "images are")
        yield f"{are} announced but missing from {found.place.name}: {names}"


def _unreadable(found: Listing, there: NDArray[np.int64], sample: ImageSample) -> Iterator[str]:
    """Empty files among all images; files that do not decode among a sample."""
    empty = there[found.arrays["sizes"][there] == 0]
    names = sorted({found.names[i] for i in [*empty.tolist(), *there[list(sample.broken)].tolist()]})
    if names:
        count = counted(len(names), "image")
        how = f"every file looked at for emptiness, {len(sample)} decoded"
        yield f"{count} cannot be read ({how}): {_listed(names)}\n  {REMEDY}"


def _identical(table: Annotations, found: Listing, picked: NDArray[np.int64]) -> Iterator[str]:
    """Byte-identical images, told by size and checksum; a folder has no checksums, and is not asked."""
    there = np.flatnonzero(picked >= 0)
    content = found.contents(picked[there])
    if content is None or table.splits is None:
        return
    order = np.argsort(content, kind="stable")
    content, rows = content[order], there[order]
    twin = np.flatnonzero(content[1:] == content[:-1])
    if len(twin):
        across = int(np.count_nonzero(table.splits[rows[twin]] != table.splits[rows[twin + 1]]))
        first = f"{table.names[rows[twin[0]]]} = {table.names[rows[twin[0] + 1]]}"
        are = counted(len(twin), "image is", "images are")
        yield f"{are} byte-identical to another one, {across:,} of them in another split ({first})"


def _groups(table: Annotations) -> Iterator[GroupCount]:
    official = len(table.names) == IMAGES
    for at, split in enumerate(SPLITS):
        rows = slice(None) if table.splits is None else table.splits == at
        if table.splits is None and at:
            return
        label = split if table.splits is not None else "all"
        codes = table.codes[rows]
        yield GroupCount(f"{label}: images", len(codes), SPLIT_SIZES[at] if official else None)
        for name, counts in POSITIVES.items():
            found = int(np.count_nonzero(codes[:, ATTRIBUTES.index(name)]))
            expected = (sum(counts) if table.splits is None else counts[at]) if official else None
            yield GroupCount(f"{label}: {name}", found, expected)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
