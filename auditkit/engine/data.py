"""Data sets outside of an audit: checked, downloaded, and written to disk in CelebA's layout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from auditkit.cohort import MISSING, SPLITS, Checkup, GroupCount, ImageSource, OpenDataset, known_people
from auditkit.contracts import Dataset
from auditkit.decoding import sample_images
from auditkit.engine.registry import Registry
from auditkit.errors import AuditError
from auditkit.replacing import LEFT, replacing
from auditkit.spec.model import Use
from auditkit.spec.words import plural

IMAGE_FOLDER, MARKER = "img_align_celeba", "synthetic.json"
LINE = "\r\n"
MOST_GROUPED = 12
"""With more attributes than these, their shares are told and not the size of every group."""
CHUNK = 100
Progress = Callable[[int], None]


def build(registry: Registry, name: str, options: Mapping[str, Any]) -> Dataset:
    """The dataset of that id, with its options. Raises AuditError for an unknown id or wrong options."""
    chosen, problems = registry.choose("dataset", Use.model_validate({"use": name, **options}), ())
    if chosen is None or problems:
        first = problems[0]
        where = "--dataset" if first.path == ("use",) else f"--option {'.'.join(map(str, first.path))}"
        raise AuditError(first.message, where=where, hint=first.hint)
    dataset: Dataset = registry.build(chosen)
    return dataset


def examine(opened: OpenDataset) -> Checkup:
    """What can be told of any open data set: sizes, groups per split, and whether a sample of its images decodes."""
    facts = [("images", f"{len(opened):,}")]
    if opened.identities is not None:
        facts.append(("people", f"{known_people(opened.identities):,}"))
    sample = sample_images(opened.images, len(opened))
    if sample.sizes:
        facts.append(("image size", sample.size))
    refused = []
    broken = [opened.file_names[index] for index in sample.broken]
    if broken:
        shown = ", ".join(broken[:10]) + (f" and {len(broken) - 10:,} more" if len(broken) > 10 else "")
        count = plural(len(broken), "image")
        said = f"{count} of a sample of {len(sample)} cannot be read: {shown}"
        refused.append(f"{said}\n  restore these files, or remove them and their rows from the table")
    many = len(opened.attributes.names) > MOST_GROUPED
    return Checkup(
        opened.kind, tuple(facts), opened.notes, _groups(opened), tuple(refused), _shares(opened) if many else ()
    )


def export(opened: OpenDataset, folder: Path, workers: int, progress: Progress) -> None:
    """Write images and annotations in CelebA's layout, all or nothing.

    `progress` is told how many images were written since it was last told. Raises AuditError when the folder holds
    something, cannot be written, or the attributes are not all of levels 0 and 1.
    """
    _refuse(opened, folder)
    try:
        with _making(folder) as aside:
            (aside / IMAGE_FOLDER).mkdir(parents=True)
            _write_annotations(opened, aside)
            _write_images(opened, aside / IMAGE_FOLDER, workers, progress)
    except OSError as error:
        raise AuditError(f"cannot write: {error.strerror}", where=str(folder), hint="name another folder") from error
    except BrokenProcessPool as error:
        raise AuditError("a process that writes images died", where=str(folder), hint="use fewer with -j") from error


@contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """A place for what a folder holds when the block ends; one that is there stays, since someone may be working in it.

    Where the block raises, nothing of it is left.
    """
    if not folder.exists():
        with replacing(folder) as aside:
            yield aside
        return
    with TemporaryDirectory(prefix=".", suffix=Path(LEFT).suffix, dir=folder) as inside:
        yield Path(inside)
        for made in sorted(Path(inside).iterdir()):
            made.rename(folder / made.name)


def _refuse(opened: OpenDataset, folder: Path) -> None:
    if folder.is_file() or (folder.is_dir() and not set(folder.iterdir()) <= set(folder.glob(LEFT))):
        raise AuditError(
            "there is something here already", where=str(folder), hint="name a folder that is not there yet"
        )
    if any(levels != (0, 1) for levels in opened.attributes.levels) or (opened.attributes.codes == MISSING).any():
        said = "CelebA's layout holds only attributes of 0 and 1, without gaps"
        raise AuditError(said, where=str(folder), hint="a table of images holds any")


def _write_annotations(opened: OpenDataset, folder: Path) -> None:
    names = opened.file_names
    rows = (" ".join(f"{2 * code - 1:2d}" for code in codes) for codes in opened.attributes.codes.tolist())
    lines = [str(len(names)), " ".join(opened.attributes.names) + " "]
    lines += [f"{name} {row}" for name, row in zip(names, rows, strict=True)]
    _write_lines(folder / "list_attr_celeba.txt", lines)
    columns = {"list_eval_partition.txt": opened.splits, "identity_CelebA.txt": opened.identities}
    for file, values in columns.items():
        if values is not None:
            _write_lines(folder / file, [f"{name} {value}" for name, value in zip(names, values.tolist(), strict=True)])
    if opened.synthetic:
        said = {"kind": opened.kind, "notes": opened.notes, "fingerprint": opened.fingerprint}
        (folder / MARKER).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_bytes((LINE.join(lines) + LINE).encode())


def _write_images(opened: OpenDataset, folder: Path, workers: int, progress: Progress) -> None:
    starts = range(0, len(opened), CHUNK)
    pool = ProcessPoolExecutor(max(1, workers), get_context("spawn"), _take, (opened.images, str(folder)))
    try:
        waiting = [pool.submit(_write_some, opened.file_names[at : at + CHUNK], at) for at in starts]
        for done in as_completed(waiting):
            progress(done.result())
    finally:
        pool.shutdown(cancel_futures=True)


_TAKEN: dict[str, Any] = {}
"""In a worker process: the image source and the folder, sent once instead of with every chunk."""


def _take(images: ImageSource, folder: str) -> None:
    _TAKEN.update(images=images, folder=Path(folder))


def _write_some(names: tuple[str, ...], first: int) -> int:
    for number, name in enumerate(names, start=first):
        (_TAKEN["folder"] / name).write_bytes(_TAKEN["images"].read(number))
    return len(names)


def _groups(opened: OpenDataset) -> tuple[GroupCount, ...]:
    table = opened.attributes
    parts = [("all", np.ones(len(opened), dtype=bool))]
    if opened.splits is not None:
        parts = [(split, opened.splits == at) for at, split in enumerate(SPLITS)]
    counts = []
    for part, rows in parts:
        counts.append(GroupCount(f"{part}: images", int(rows.sum())))
        for name, levels in zip(table.names, table.levels, strict=True) if len(table.names) <= MOST_GROUPED else ():
            column = table.column(name)[rows]
            counts += [
                GroupCount(f"{part}: {name}={level}", int((column == c).sum())) for c, level in enumerate(levels)
            ]
    return tuple(counts)


def _shares(opened: OpenDataset) -> tuple[tuple[str, float | None], ...]:
    """Attributes with the share of images at their last level, of those whose level is known."""
    table = opened.attributes
    found = []
    for name, levels in zip(table.names, table.levels, strict=True):
        column = table.column(name)
        known = column[column != MISSING]
        label = name if levels in ((), (0, 1)) else f"{name}={levels[-1]}"
        found.append((label, float((known == len(levels) - 1).mean()) if len(known) else None))
    return tuple(found)
