"""The cache on disk, most of it images: where it lies, which rows are filled, who may fill it. Imports no torch.

A folder per (data fingerprint, crop, size, decoder). `pixels.npy`, (images, size, size, 3) uint8, is made at full
length but sparse, so that unread images take no room; `filled.npy`, (images,) bool, says which rows are there. A row is
marked after its pixels are written: a process that is killed leaves rows to be decoded again, never wrong ones. All
audits share the folder, whichever rows they need.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from concurrent.futures import Future, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.cohort import OpenDataset, Rows
from auditkit.engine.executors import Executor
from auditkit.engine.locking import locked
from auditkit.engine.work import FillWork, ImageCacheRef
from auditkit.errors import AuditError, DataError
from auditkit.events import ImagesCached, Send
from auditkit.replacing import replacing
from auditkit.spec.model import Image
from auditkit.spec.words import plural
from auditkit.training.places import cache_folder, make_folder, unwritable

FILL = "auditkit.engine.worker:fill"
REVISION = 1
"""Raise when decoding or resizing would give other pixels."""
_CHUNK = 256
_LISTED = 10
_SPARE_BYTES = 64 * 2**20


def machine_file(digest: str) -> Path:
    """Where what was measured of a machine is remembered, in a folder that is there."""
    folder = cache_folder("machines")
    make_folder(folder)
    return folder / f"{digest}.json"


def remember(file: Path, text: str) -> None:
    """Write a file of the cache whole. Raises AuditError where it cannot be written."""
    try:
        with replacing(file) as aside:
            aside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(error, file.parent) from error


@dataclass(frozen=True, slots=True)
class ImageCache:
    """One folder of the cache."""

    folder: Path
    images: int
    size: int

    @property
    def pixels(self) -> Path:
        """The array of pixels."""
        return self.folder / "pixels.npy"

    @property
    def filled(self) -> Path:
        """The array that says which rows are there."""
        return self.folder / "filled.npy"

    def missing(self, rows: Rows) -> Rows:
        """Those of `rows` that are not decoded yet, ascending, each once; all where a file is missing or damaged."""
        rows, filled = np.unique(rows), self._filled()
        return rows if filled is None else rows[~filled[rows]]

    def make(self) -> None:
        """Make the empty arrays, unless both are there: marks without their pixels would stand for black images."""
        if self._filled() is None:
            self.filled.unlink(missing_ok=True)
            _make_array(self.pixels, np.uint8, self._shape)
            _make_array(self.filled, np.bool_, (self.images,))

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.images, self.size, self.size, 3

    def _filled(self) -> NDArray[np.bool_] | None:
        """Which rows are there; None unless both files can be read and are of this size."""
        try:
            pixels, filled = np.load(self.pixels, mmap_mode="r"), np.load(self.filled)
        except (OSError, ValueError, EOFError):
            return None
        sound = (pixels.dtype, pixels.shape) == (np.uint8, self._shape)
        return filled if sound and (filled.dtype, filled.shape) == (np.bool_, (self.images,)) else None

    def mark(self, rows: Rows) -> None:
        """Note that the pixels of `rows` are written, once they are on the disk: a row never written would be black."""
        with self.pixels.open("r+b") as file:
            os.fsync(file.fileno())
        filled = np.load(self.filled, mmap_mode="r+")
        filled[rows] = True
        filled.flush()

    def locked(self, send: Send) -> AbstractContextManager[None]:
        """Keep other processes from filling."""
        return locked(self.folder / "lock", "another process is decoding these images; waiting for it", send)


def image_cache(fingerprint: str, images: int, image: Image) -> ImageCache:
    """The place of a data set's pixels in the user's cache."""
    parts = (fingerprint, image.crop, image.size, REVISION, version("torchvision"))
    key = hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()[:24]
    return ImageCache(cache_folder("images", key), images, image.size)


def ensure_images(dataset: OpenDataset, rows: Rows, image: Image, executor: Executor, send: Send) -> ImageCacheRef:
    """Have the images of `rows` decoded, and say where.

    Raises DataError that lists the images that cannot be read, or says that the disk is too small. The readable ones
    stay decoded.
    """
    cache = image_cache(dataset.fingerprint, len(dataset), image)
    if len(cache.missing(rows)):
        make_folder(cache.folder)
        with cache.locked(send):
            _fill(cache, dataset, cache.missing(rows), image, executor, send)
    return ImageCacheRef(str(cache.pixels), cache.size, len(np.unique(rows)))


def _fill(cache: ImageCache, dataset: OpenDataset, missing: Rows, image: Image, executor: Executor, send: Send) -> None:
    if not len(missing):
        return
    _check_room(cache, len(missing))
    damaged: list[tuple[int, str]] = []
    done = 0
    send(ImagesCached(0, len(missing)))
    try:
        cache.make()
        chunks = _submit(cache, dataset, missing, image, executor)
        for future in as_completed(chunks):
            found = future.result()
            damaged += found
            cache.mark(np.setdiff1d(chunks[future], [row for row, _ in found]))
            done += len(chunks[future])
            send(ImagesCached(done, len(missing)))
    except OSError as error:
        raise unwritable(error, cache.folder) from error
    if len(damaged) == len(missing):
        _refuse_no_images(dataset, missing)
    if damaged:
        raise _unreadable(sorted(damaged), dataset)


def _refuse_no_images(dataset: OpenDataset, missing: Rows) -> None:
    """Raise what the source says of every image alike, which is that it has none, instead of saying so of each."""
    first, last = (_refusal(dataset, row) for row in (int(missing[0]), int(missing[-1])))
    if first is not None and len(missing) > 1 and str(first) == str(last):
        raise first


def _refusal(dataset: OpenDataset, row: int) -> DataError | None:
    try:
        dataset.images.read(row)
    except DataError as error:
        return error
    except Exception:  # whatever is wrong with one image is told with the others
        return None
    return None


def _submit(
    cache: ImageCache, dataset: OpenDataset, missing: Rows, image: Image, executor: Executor
) -> dict[Future[list[tuple[int, str]]], Rows]:
    parts = np.array_split(missing, -(-len(missing) // _CHUNK))
    return {
        executor.submit(FILL, FillWork(dataset.images, part, image.crop, image.size, str(cache.pixels))): part
        for part in parts
    }


def _unreadable(damaged: list[tuple[int, str]], dataset: OpenDataset) -> DataError:
    lines = [f"{dataset.file_names[row]}: {text}" for row, text in damaged[:_LISTED]]
    if len(damaged) > _LISTED:
        lines.append(f"and {len(damaged) - _LISTED} more")
    count = plural(len(damaged), "image")
    hint = (
        "restore these files, or remove their rows from the table (and lower the count that a CelebA list begins with)"
    )
    return DataError(f"{count} cannot be read:\n  " + "\n  ".join(lines), where=dataset.place, hint=hint)


def _check_room(cache: ImageCache, images: int) -> None:
    needed = images * cache.size * cache.size * 3
    free = shutil.disk_usage(cache.folder).free
    if needed + _SPARE_BYTES > free:
        raise AuditError(
            f"the image cache needs {_megabytes(needed)} and {_megabytes(_SPARE_BYTES)} to spare, and "
            f"{_megabytes(free)} are free",
            where=str(cache.folder),
            hint="name a folder on another disk with the variable AUDITKIT_CACHE, or lower data.image.size",
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _make_array(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    with replacing(path) as aside:
        np.lib.format.open_memmap(aside, mode="w+", dtype=dtype, shape=shape).flush()
