"""CelebA as it is found in the world: official, from Kaggle, a subset, with or without images and identities."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit import Attributes, Checkup, DataError, Dataset, Level, OpenDataset
from auditkit_plugins.counted import counted
from auditkit_plugins.datasets.annotations import Annotations, read_annotations
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES, DIGESTS, IMAGES, SPLIT_ENDS
from auditkit_plugins.datasets.celeba_places import Places, attribute_file, locate
from auditkit_plugins.datasets.celeba_text import header_names
from auditkit_plugins.datasets.images import Listing, NoImages, listing, positions
from auditkit_plugins.datasets.records import CELEBA_PLACE, CelebAOptions

LEVELS: tuple[Level, ...] = (0, 1)


class CelebA(Dataset):
    """CelebA in a folder: annotation files as text or CSV, images in a folder or still in their zip."""

    Options = CelebAOptions

    @classmethod
    def attribute_levels(cls, options: Any, place: Path | None) -> Mapping[str, tuple[Level, ...]]:
        """CelebA's 40 attributes, or the header of the attribute file where there is one."""
        path = attribute_file(place) if place is not None else None
        return dict.fromkeys(ATTRIBUTES if path is None else header_names(path), LEVELS)

    @classmethod
    def default_place(cls, options: Any) -> Path | None:
        """data/celeba in the working directory."""
        return Path(CELEBA_PLACE)

    def open(self, place: Path | None) -> OpenDataset:
        """Read annotations and the list of images. Raises DataError for images that are announced but missing."""
        if place is None:
            raise DataError("CelebA needs a folder", hint="name it with --data PATH")
        places = locate(place)
        table = read_annotations(places)
        found = best_listing(places, table)
        images, picked = _images(places, table, found)
        kind = "synthetic" if places.synthetic else verdict(table)
        return OpenDataset(
            file_names=table.names,
            attributes=Attributes(ATTRIBUTES, (LEVELS,) * len(ATTRIBUTES), table.codes),
            identities=table.identities,
            splits=table.splits,
            images=images,
            fingerprint=_fingerprint(table, found, picked),
            kind=kind,
            synthetic=places.synthetic,
            place=str(place),
            notes=notes(places, table, found),
            checksums=found.contents(picked) if found is not None else None,
        )

    def check(self, place: Path) -> Checkup | None:
        """What is there and what is missing, group counts beside the official ones, identical images."""
        checkup: Checkup = import_module("auditkit_plugins.datasets.celeba_check").check(place)
        return checkup

    def download(self, place: Path) -> None:
        """Fetch CelebA from its publisher with torchvision's own downloader."""
        import_module("auditkit_plugins.datasets.celeba_download").download(place)


def best_listing(places: Places, table: Annotations) -> Listing | None:
    """The folder or zip that has most of the images; a folder that was unpacked halfway gives way to its zip."""
    best, most = None, 0
    for place in places.images:
        found = listing(place)
        count = int(np.count_nonzero(positions(table.names, found.names) >= 0))
        if count > most:
            best, most = found, count
        if most == len(table.names):
            break
    return best


def verdict(table: Annotations) -> str:
    """What these annotations are, by their content."""
    same = {part: digest == DIGESTS[part] for part, digest in table.digests.items()}
    if same["labels"] and same.get("splits") and same.get("identities", True):
        return "official CelebA"
    if same["labels"]:
        return "CelebA with other splits, not official CelebA"
    if all(_official_name(name) for name in (table.names[0], table.names[-1])):
        return "subset, not official CelebA" if len(table.names) < IMAGES else "altered labels, not official CelebA"
    return "in CelebA's layout, not official CelebA"


def notes(places: Places, table: Annotations, found: Listing | None) -> tuple[str, ...]:
    """What a reader of the report should know about this copy."""
    lines = []
    if places.synthetic:
        lines.append("rendered faces: the images show nobody, and numbers made from them say nothing about people")
    if table.splits is None:
        lines.append("no list_eval_partition file: train, valid and test are drawn by the audit, not the official ones")
    elif not places.synthetic and not _splits_are_official(table):
        lines.append("the splits are not CelebA's: figures cannot be compared with those of the official test split")
    if table.identities is None:
        lines.append(
            "no identity file: intervals treat every image as another person and come out too narrow, "
            "and a hold-out may leave one person on both sides"
        )
    elif table.splits is not None and people_on_both_sides(table):
        people = counted(people_on_both_sides(table), "person has", "people have")
        lines.append(f"{people} images in more than one split: test accuracy is flattered")
    if found is None:
        lines.append("no images here: audits can be validated and planned, not run")
    elif found.place.name == found.place.parent.name:
        lines.append(f"images were found one folder deeper, in {found.place.parent.name}/{found.place.name}")
    return tuple(lines)


def people_on_both_sides(table: Annotations) -> int:
    """How many identities have images in more than one split; 0 where either is unknown."""
    if table.identities is None or table.splits is None:
        return 0
    known = table.identities >= 0
    pairs = np.unique(np.stack([table.identities, table.splits.astype(np.int64)])[:, known], axis=1)
    return int(np.count_nonzero(np.unique(pairs[0], return_counts=True)[1] > 1))


def _images(places: Places, table: Annotations, found: Listing | None) -> tuple[Any, NDArray[np.int64]]:
    if found is None:
        if places.images:
            names = ", ".join(path.name for path in places.images)
            message = f"none of the {len(table.names):,} images of {places.attributes.name} is in {names}"
            raise DataError(message, where=str(places.root), hint="unpack the images again, or remove the empty folder")
        return NoImages(str(places.root)), np.zeros(0, dtype=np.int64)
    picked = positions(table.names, found.names)
    missing = np.flatnonzero(picked < 0)
    if len(missing):
        first = ", ".join(table.names[i] for i in missing[:3].tolist())
        are = "is" if len(missing) == 1 else "are"
        message = (
            f"{len(missing):,} of the {len(table.names):,} images of {places.attributes.name} {are} missing ({first}"
        )
        message += ", ...)" if len(missing) > 3 else ")"
        hint = f"unpack the images again; auditkit data check {places.root} lists what is missing"
        raise DataError(message, where=str(found.place), hint=hint)
    return found.source(picked), picked


def _fingerprint(table: Annotations, found: Listing | None, picked: NDArray[np.int64]) -> str:
    """Of the content: annotations, and names, sizes and checksums of the images, wherever and however they lie."""
    digest = hashlib.sha256(repr(sorted(table.digests.items())).encode())
    if found is not None:
        for name in ("sizes", "checksums"):
            digest.update(np.ascontiguousarray(found.arrays[name][picked], dtype=np.int64).tobytes())
    return digest.hexdigest()


def _official_name(name: str) -> bool:
    stem, _, suffix = name.partition(".")
    return len(stem) == 6 and stem.isdigit() and 1 <= int(stem) <= IMAGES and suffix == "jpg"


def _splits_are_official(table: Annotations) -> bool:
    """Whether every image is in the split that its number has in CelebA."""
    if table.digests.get("splits") == DIGESTS["splits"]:
        return True
    if table.splits is None or not all(map(_official_name, table.names)):
        return False
    numbers = np.array([int(name[:6]) for name in table.names])
    return bool((np.searchsorted(SPLIT_ENDS, numbers) == table.splits).all())
