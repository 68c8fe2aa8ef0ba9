"""Encoded images in a folder or in a zip, found once and then read by position, in any process."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit import DataError
from auditkit_plugins.datasets.remembered import Arrays, remembered

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LET_READ = "let yourself read it (chmod u+rX), or name another place"
PUT_IMAGES = "put img_align_celeba.zip, or the folder of that name, here"
_LOCAL_HEADER = 30
_MANY = 20_000


@dataclass(frozen=True, slots=True)
class FolderImages:
    """Images as files; `names` are relative to `folder`."""

    folder: str
    names: tuple[str, ...] = field(repr=False)

    def read(self, index: int) -> bytes:
        """The bytes of one file."""
        path = Path(self.folder, self.names[index])
        try:
            return path.read_bytes()
        except OSError as error:
            hint = LET_READ if isinstance(error, PermissionError) else "put the image back, or remove its row"
            raise DataError(f"cannot read the image: {error.strerror}", where=str(path), hint=hint) from error


@dataclass(frozen=True, slots=True, eq=False)
class ZipImages:
    """Images in a zip, read at their offsets without reading the directory again.

    offsets, sizes, methods, checksums: (images,) int64, of the local header, the stored bytes, the compression method
    (0 stored, 8 deflated) and the CRC-32.
    """

    path: str
    offsets: NDArray[np.int64] = field(repr=False)
    sizes: NDArray[np.int64] = field(repr=False)
    methods: NDArray[np.int64] = field(repr=False)
    checksums: NDArray[np.int64] = field(repr=False)

    def read(self, index: int) -> bytes:
        """The bytes of one member, checked against its checksum."""
        try:
            with Path(self.path).open("rb") as file:
                file.seek(int(self.offsets[index]))
                header = file.read(_LOCAL_HEADER)
                file.seek(
                    int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), os.SEEK_CUR
                )
                data = file.read(int(self.sizes[index]))
        except OSError as error:
            raise DataError(f"cannot read the zip: {error.strerror}", where=self.path) from error
        return self._checked(data, index)

    def _checked(self, data: bytes, index: int) -> bytes:
        try:
            plain = zlib.decompress(data, -zlib.MAX_WBITS) if self.methods[index] == zipfile.ZIP_DEFLATED else data
        except zlib.error:
            plain = b""
        if zlib.crc32(plain) != self.checksums[index]:
            message = f"image {index} of the zip is damaged: its bytes do not match their checksum"
            raise DataError(message, where=self.path, hint="download the zip again")
        return plain


@dataclass(frozen=True, slots=True)
class NoImages:
    """Annotations without images: enough to validate and plan."""

    place: str

    def read(self, index: int) -> bytes:
        """Say what is missing."""
        message = "there are annotations here, but no images"
        raise DataError(message, where=self.place, hint=PUT_IMAGES)


Images = FolderImages | ZipImages | NoImages


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The images that lie at a place.

    names: base names, sorted. arrays: sizes and checksums (images,) int64 of the plain bytes, CRC-32, 0 for files of a
    folder; for a zip also offsets, stored (bytes) and methods, as in ZipImages.
    """

    place: Path
    names: tuple[str, ...]
    arrays: Arrays

    @property
    def zipped(self) -> bool:
        """Whether the images lie in a zip."""
        return self.place.suffix == ".zip"

    def contents(self, picked: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """(picked,) int64, equal where files are byte for byte identical; None for a folder, which has no checksums."""
        if not self.zipped:
            return None
        contents: NDArray[np.int64] = self.arrays["sizes"][picked] << 32 | self.arrays["checksums"][picked]
        return contents

    def source(self, picked: NDArray[np.int64]) -> Images:
        """The image source of some of the images, by position."""
        if not self.zipped:
            return FolderImages(str(self.place), tuple(self.names[i] for i in picked.tolist()))
        columns = (self.arrays[name][picked] for name in ("offsets", "stored", "methods", "checksums"))
        return ZipImages(str(self.place), *columns)


def listing(place: Path) -> Listing:
    """The images of a folder (not of its subfolders) or of a zip; remembered for large folders and every zip."""
    if place.suffix == ".zip":
        arrays = remembered("zip-1", [place], lambda: _list_zip(place))
    else:
        # its time of change tells of files that come and go, not of bytes changed in place: look again while cheap
        arrays = remembered("folder-1", [place], lambda: _list_folder(place))
        arrays = arrays if len(arrays["sizes"]) > _MANY else _list_folder(place)
    return Listing(place, unpack(arrays["names"]), arrays)


def pack(names: Iterable[str]) -> NDArray[np.uint8]:
    """File names as one array of bytes."""
    return np.frombuffer("\n".join(names).encode(), dtype=np.uint8)


def unpack(packed: NDArray[np.uint8]) -> tuple[str, ...]:
    """What `pack` packed."""
    text = packed.tobytes().decode()
    return tuple(text.split("\n")) if text else ()


def _list_zip(place: Path) -> Arrays:
    try:
        with zipfile.ZipFile(place) as archive:
            members = [m for m in archive.infolist() if _is_image(m.filename)]
    except (OSError, zipfile.BadZipFile) as error:
        hint = "download the zip again; a download that was cut off has no directory"
        hint = LET_READ if isinstance(error, PermissionError) else hint
        raise DataError(f"cannot read the zip: {error}", where=str(place), hint=hint) from error
    members.sort(key=lambda member: _base(member.filename))
    columns = np.array(
        [(m.header_offset, m.compress_size, m.compress_type, m.CRC, m.file_size) for m in members], dtype=np.int64
    ).reshape(-1, 5)
    names = ("offsets", "stored", "methods", "checksums", "sizes")
    return {"names": pack(_base(m.filename) for m in members), **dict(zip(names, columns.T, strict=True))}


def _list_folder(place: Path) -> Arrays:
    try:
        with os.scandir(place) as entries:
            found = sorted((entry.name, entry.stat().st_size) for entry in entries if _is_image(entry.name))
    except OSError as error:
        raise DataError(f"cannot list the folder: {error.strerror}", where=str(place), hint=LET_READ) from error
    sizes = np.array([size for _, size in found], dtype=np.int64)
    return {"names": pack(name for name, _ in found), "sizes": sizes, "checksums": np.zeros_like(sizes)}


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and "__MACOSX" not in name


def positions(wanted: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """(wanted,) int64: where each wanted name stands in `names`, by its stem where extensions differ; -1 if nowhere."""
    if tuple(wanted) == tuple(names):
        return np.arange(len(wanted))
    index = {name: i for i, name in enumerate(names)}
    if wanted and not any(name in index for name in wanted):
        index = {name.rsplit(".", 1)[0]: i for i, name in enumerate(names)}
        return np.array([index.get(name.rsplit(".", 1)[0], -1) for name in wanted], dtype=np.int64)
    return np.array([index.get(name, -1) for name in wanted], dtype=np.int64)
