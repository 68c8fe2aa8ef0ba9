"""Where CelebA's files lie: the folders and names under which they are passed around."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auditkit import DataError
from auditkit_plugins.datasets.images import LET_READ, SUFFIXES

FOLDERS = ("", "celeba", "Anno", "Eval", "Img", "annotations", "archive")
ATTRIBUTE_FILES = ("list_attr_celeba.txt", "list_attr_celeba.csv", "list_attr_celeba01.csv")
SPLIT_FILES = ("list_eval_partition.txt", "list_eval_partition.csv", "celeba-att-male-partitions.csv")
IDENTITY_FILES = ("identity_CelebA.txt", "identity_CelebA.csv")
IMAGE_FOLDERS = ("img_align_celeba", "img_align_celeba_png", "images")
IMAGE_ZIPS = ("img_align_celeba.zip", "img_align_celeba_png.zip")
SYNTHETIC = "synthetic.json"
"""Written by ``auditkit data make-faces`` beside rendered images, so that they are never taken for photographs."""


@dataclass(frozen=True, slots=True)
class Places:
    """The files of a CelebA at `root`; None where one is missing. images: every folder and zip of images."""

    root: Path
    attributes: Path
    splits: Path | None
    identities: Path | None
    images: tuple[Path, ...]
    synthetic: bool

    @property
    def annotations(self) -> tuple[Path, ...]:
        """The annotation files that are there."""
        return tuple(path for path in (self.attributes, self.splits, self.identities) if path is not None)


def locate(root: Path) -> Places:
    """Find the files. Raises DataError when the folder or the attribute file is missing, or may not be looked at."""
    attributes = attribute_file(root)
    with _looking_into(root):
        if attributes is None:
            raise _no_attributes(root)
        return Places(
            root,
            attributes,
            _first(root, SPLIT_FILES),
            _first(root, IDENTITY_FILES),
            tuple(_image_places(root)),
            (root / SYNTHETIC).is_file(),
        )


def attribute_file(root: Path) -> Path | None:
    """The attribute file, None where there is none. Raises DataError for a folder that may not be looked at."""
    with _looking_into(root):
        return _first(root, ATTRIBUTE_FILES)


@contextmanager
def _looking_into(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = f"cannot look into the folder: {error.strerror}"
        raise DataError(said, where=str(error.filename or root), hint=LET_READ) from error


def _first(root: Path, names: tuple[str, ...]) -> Path | None:
    """The first of the names that is a file, plain or with .zip appended, in any of the usual folders."""
    for folder in FOLDERS:
        for name in names:
            for path in (root / folder / name, root / folder / f"{name}.zip"):
                if path.is_file():
                    return path
                if (path / name).is_file():  # some archives unpack each file into a folder of its name
                    return path / name
    return None


def _image_places(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for name in IMAGE_FOLDERS:
            path = root / folder / name
            if path.is_dir():
                yield _innermost(path)
        for name in IMAGE_ZIPS:
            if (root / folder / name).is_file():
                yield root / folder / name


def _innermost(folder: Path) -> Path:
    """A folder that holds nothing but one folder stands for it: img_align_celeba/img_align_celeba."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(SUFFIXES):
                return folder
    inner = folder / folder.name
    return inner if inner.is_dir() else folder


def _no_attributes(root: Path) -> DataError:
    if root.is_file():
        return DataError("this is a file, not a folder with CelebA", where=str(root), hint="name the folder it lies in")
    if not root.is_dir():
        return DataError("there is no such folder", where=str(root), hint="auditkit data download DIR fetches CelebA")
    wanted = " or ".join(ATTRIBUTE_FILES[:2])
    if not any(root.iterdir()):
        return DataError("the folder is empty", where=str(root), hint="auditkit data download DIR fetches CelebA")
    hint = "name the folder that holds CelebA's annotation files, or the table of your own images"
    return DataError(f"no {wanted} here", where=str(root), hint=hint)
