"""CelebA's annotations joined into one table: rows sorted by file name, whatever form the files have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from auditkit import SPLITS, DataError
from auditkit_plugins.counted import counted
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.celeba_places import Places
from auditkit_plugins.datasets.celeba_text import DOWNLOAD_AGAIN, NumberTable, attribute_table, number_table
from auditkit_plugins.datasets.images import pack, unpack
from auditkit_plugins.datasets.remembered import Arrays, remembered


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """What the annotation files say of every image, sorted by file name.

    codes: (images, 40) int8 of 0 and 1; splits: (images,) int8; identities: (images,) int64. digests: SHA-256 of the
    labels, splits and identities, each with its file names; the same for every form of the files.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int8]
    splits: NDArray[np.int8] | None
    identities: NDArray[np.int64] | None
    digests: Mapping[str, str]


def read_annotations(places: Places) -> Annotations:
    """Read the annotation files, or what was remembered of them."""
    arrays = remembered("celeba-1", places.annotations, lambda: _read(places))
    names = unpack(arrays["names"])
    return Annotations(
        names,
        arrays["codes"],
        arrays.get("splits"),
        arrays.get("identities"),
        {part: str(arrays[f"{part}_digest"]) for part in ("labels", "splits", "identities") if part in arrays},
    )


def _read(places: Places) -> Arrays:
    table = attribute_table(places.attributes)
    order = np.array(sorted(range(len(table.names)), key=table.names.__getitem__))
    names = [table.names[i] for i in order.tolist()]
    _refuse_duplicates(names, places)
    arrays = {"names": pack(name.decode() for name in names), "codes": table.codes[order]}
    arrays["labels"] = np.frombuffer("\n".join(ATTRIBUTES).encode() + arrays["codes"].tobytes(), dtype=np.uint8)
    if places.splits is not None:
        splits = _aligned(names, number_table(places.splits, ("partition", "split")), places, places.splits)
        arrays["splits"] = _checked_splits(splits, names, places)
    if places.identities is not None:
        table_of_people = number_table(places.identities, ("identity", "celeb_id"))
        arrays["identities"] = _aligned(names, table_of_people, places, places.identities)
    return _with_digests(arrays)


def _with_digests(arrays: dict[str, NDArray[np.generic]]) -> Arrays:
    for part in ("labels", "splits", "identities"):
        if part in arrays:
            digest = hashlib.sha256(arrays["names"].tobytes() + b"\0" + arrays[part].tobytes()).hexdigest()
            arrays[f"{part}_digest"] = np.array(digest)
    return {**arrays, "labels": np.zeros(0, dtype=np.uint8)}


def _refuse_duplicates(names: list[bytes], places: Places) -> None:
    twice = [a for a, b in pairwise(names) if a == b]
    if twice:
        names_stand = counted(len(twice), "file name stands", "file names stand")
        message = f"{names_stand} in more than one row (first: {twice[0].decode()})"
        raise DataError(message, where=str(places.attributes), hint=DOWNLOAD_AGAIN)


def _aligned(names: list[bytes], table: NumberTable, places: Places, path: object) -> NDArray[np.int64]:
    """Values of another file in the order of `names`; that file may know more images, but not fewer."""
    if tuple(names) == table.names:
        return table.values
    index = {name: i for i, name in enumerate(table.names)}
    at = np.array([index.get(name, -1) for name in names], dtype=np.int64)
    if (at < 0).any():
        missing = np.flatnonzero(at < 0)
        first = names[int(missing[0])].decode()
        are = "is" if len(missing) == 1 else "are"
        message = (
            f"{len(missing):,} of the {len(names):,} images of {places.attributes.name} {are} missing (first: {first})"
        )
        raise DataError(message, where=str(path), hint="take all annotation files from the same source")
    return table.values[at]


def _checked_splits(splits: NDArray[np.int64], names: list[bytes], places: Places) -> NDArray[np.int8]:
    wrong = np.flatnonzero((splits < 0) | (splits >= len(SPLITS)))
    if len(wrong):
        row = int(wrong[0])
        message = f"split {int(splits[row])} of {names[row].decode()} is none of 0 (train), 1 (valid), 2 (test)"
        raise DataError(message, where=str(places.splits), hint=DOWNLOAD_AGAIN)
    return splits.astype(np.int8)
