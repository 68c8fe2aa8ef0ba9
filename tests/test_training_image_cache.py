"""The cache of images: each decoded once, every broken one named; two builders at once, or a killed one, do no harm."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_toys import Events, Inline, Photos, photos

from auditkit.cohort import Attributes, ImageSource, OpenDataset
from auditkit.engine import cache as cache_room
from auditkit.engine.cache import FILL, ensure_images, image_cache
from auditkit.engine.executors import Local
from auditkit.engine.work import FillWork
from auditkit.errors import AuditError, DataError
from auditkit.events import ImagesCached, Notice
from auditkit.spec.model import Image
from auditkit.training.images import centre_square, decode, fill, resize

SPEC = Image(crop=24, size=16)


def dataset(source: ImageSource, count: int, fingerprint: str = "toy") -> OpenDataset:
    names = tuple(f"{k + 1:06d}.jpg" for k in range(count))
    attributes = Attributes((), (), np.zeros((count, 0), dtype=np.int8))
    return OpenDataset(names, attributes, None, None, source, fingerprint, "toy", place="images.zip")


def rows(*which: int) -> Any:
    return np.array(which, dtype=np.int64)


class Broken:
    """Images of which some cannot be read, each in its own way."""

    def __init__(self) -> None:
        good = photos(8)
        self.data: list[bytes | None] = [*good]
        self.data[1] = b"<html>Quota exceeded</html>"
        self.data[3] = good[3][: len(good[3]) // 2]
        self.data[4] = b""
        self.data[6] = None

    def read(self, index: int) -> bytes:
        found = self.data[index]
        if found is None:
            raise FileNotFoundError(2, "No such file or directory", f"{index + 1:06d}.jpg")
        return found


def test_every_image_that_cannot_be_read_is_listed_in_one_error() -> None:
    executor = Inline(Events())
    with pytest.raises(DataError) as caught:
        ensure_images(dataset(Broken(), 8, "broken"), np.arange(8), SPEC, executor, Events())
    assert str(caught.value) == (
        "images.zip: 4 images cannot be read:\n"
        "  000002.jpg: not a readable JPEG, PNG, WebP or GIF\n"
        "  000004.jpg: not a readable JPEG: image is incomplete or truncated\n"
        "  000005.jpg: the file is empty\n"
        "  000007.jpg: No such file or directory\n"
        "  restore these files, or remove their rows from the table "
        "(and lower the count that a CelebA list begins with)"
    )
    cache = image_cache("broken", 8, SPEC)
    assert cache.missing(np.arange(8)).tolist() == [1, 3, 4, 6]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("name", ["pixels.npy", "filled.npy"])
@pytest.mark.parametrize("harm", [Path.unlink, cut, lambda path: path.write_bytes(b"")], ids=["gone", "cut", "empty"])
def test_a_damaged_cache_is_decoded_again(name: str, harm: Callable[[Path], object]) -> None:
    """Marks without their pixels would stand for black images."""
    key = f"damaged {name} {harm}"
    source = Slow(8)
    data, cache = dataset(source, 8, key), image_cache(key, 8, SPEC)
    ensure_images(data, np.arange(6), SPEC, Inline(Events()), Events())
    before = np.load(cache.pixels)[:6]
    harm(cache.folder / name)
    assert cache.missing(np.arange(3)).tolist() == [0, 1, 2]
    ensure_images(data, np.arange(3), SPEC, Inline(Events()), Events())
    assert cache.missing(np.arange(8)).tolist() == [3, 4, 5, 6, 7]
    ensure_images(data, np.arange(6), SPEC, Inline(Events()), Events())
    assert (np.load(cache.pixels)[:6] == before).all()
    assert before.any()


def test_a_long_list_is_cut_and_counted() -> None:
    source = Photos((b"",) * 12)
    with pytest.raises(DataError) as caught:
        ensure_images(dataset(source, 12, "all broken"), np.arange(12), SPEC, Inline(Events()), Events())
    head, *listed = caught.value.message.split("\n  ")
    assert head == "12 images cannot be read:"
    assert listed == [*(f"{k:06d}.jpg: the file is empty" for k in range(1, 11)), "and 2 more"]


class Nothing:
    """A source without any image."""

    def read(self, index: int) -> bytes:
        raise DataError("there are no images here", where="a folder", hint="put them there")


def test_a_source_without_images_says_so_once() -> None:
    with pytest.raises(DataError) as caught:
        ensure_images(dataset(Nothing(), 12, "nothing"), np.arange(12), SPEC, Inline(Events()), Events())
    assert str(caught.value) == "a folder: there are no images here\n  put them there"


class Counting:
    """Images that count how often each is read."""

    def __init__(self, count: int) -> None:
        self.data = photos(count)
        self.reads = [0] * count

    def read(self, index: int) -> bytes:
        self.reads[index] += 1
        return self.data[index]


def test_only_needed_rows_are_decoded_and_none_twice() -> None:
    source, events = Counting(30), Events()
    data = dataset(source, 30, "counting")
    executor = Inline(events)
    ensure_images(data, rows(3, 5, 3, 29), SPEC, executor, events)
    assert [k for k, n in enumerate(source.reads) if n] == [3, 5, 29]
    assert events.of(ImagesCached) == [ImagesCached(0, 3), ImagesCached(3, 3)]
    ref = ensure_images(data, rows(3, 4, 5), SPEC, executor, events)
    ensure_images(data, rows(5, 4), SPEC, executor, events)
    assert source.reads == [int(k in (3, 4, 5, 29)) for k in range(30)]
    assert np.load(ref.path).shape == (30, 16, 16, 3)
    assert (ref.size, ref.used, ref.used_bytes) == (16, 3, 3 * 16 * 16 * 3)


@pytest.mark.parametrize(("crop", "size", "print_"), [(25, 16, "toy"), (24, 17, "toy"), (24, 16, "other")])
def test_other_pixels_lie_elsewhere(crop: int, size: int, print_: str) -> None:
    assert image_cache("toy", 4, SPEC).folder != image_cache(print_, 4, Image(crop=crop, size=size)).folder


class Slow(Counting):
    """Images that take their time."""

    def read(self, index: int) -> bytes:
        time.sleep(0.01)
        return super().read(index)


def test_builders_that_have_to_wait_say_so_and_decode_each_image_once() -> None:
    source, events = Slow(40), Events()
    data, cache = dataset(source, 40, "two builders"), image_cache("two builders", 40, SPEC)
    cache.folder.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        with cache.locked(Events()):
            builds = [pool.submit(ensure_images, data, np.arange(40), SPEC, Inline(events), events) for _ in range(2)]
            deadline = time.monotonic() + 60
            while len(events.of(Notice)) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not any(source.reads)
        refs = [build.result() for build in builds]
    assert refs[0] == refs[1]
    assert source.reads == [1] * 40
    assert events.of(Notice) == 2 * [Notice("another process is decoding these images; waiting for it")]


def in_chunks(source: ImageSource, chunk: int, count: int, pauses: Any) -> None:
    """Fill chunk by chunk, as a build does, telling after each."""
    cache = image_cache("killed", count, SPEC)
    cache.folder.mkdir(parents=True)
    with cache.locked(Events()):
        cache.make()
        for part in np.array_split(np.arange(count), count // chunk):
            fill(source, part, SPEC.crop, SPEC.size, cache.pixels)
            cache.mark(part)
            pauses.release()


def test_a_killed_builder_leaves_only_right_rows() -> None:
    context = multiprocessing.get_context("fork")
    pauses = context.Semaphore(0)
    process = context.Process(target=in_chunks, args=(Slow(200), 4, 200, pauses))
    process.start()
    assert pauses.acquire(timeout=60)
    assert pauses.acquire(timeout=60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    cache = image_cache("killed", 200, SPEC)
    missing = cache.missing(np.arange(200))
    assert 0 < len(missing) <= 192
    source = Counting(200)
    ref = ensure_images(dataset(source, 200, "killed"), np.arange(200), SPEC, Inline(Events()), Events())
    assert sum(source.reads) == len(missing)
    pixels = np.load(ref.path)
    for row in (0, 1, 100, 199):
        np.testing.assert_array_equal(pixels[row], resize([centre_square(decode(source.data[row]), 24)], 16)[0])


def test_worker_processes_fill_the_same_pixels() -> None:
    source = Photos(tuple(photos(12)))
    with Local(1, 1, Events()) as pool:
        there = ensure_images(dataset(source, 12, "there"), np.arange(12), SPEC, pool, Events())
    here = ensure_images(dataset(source, 12, "here"), np.arange(12), SPEC, Inline(Events()), Events())
    np.testing.assert_array_equal(np.load(there.path), np.load(here.path))


def test_a_full_disk_is_found_before_it_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(cache_room.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 2 * 10**6))
    with pytest.raises(AuditError) as caught:
        ensure_images(dataset(Counting(9), 9, "full"), np.arange(9), SPEC, Inline(Events()), Events())
    assert str(caught.value) == (
        f"{image_cache('full', 9, SPEC).folder}: the image cache needs 0 MB and 67 MB to spare, and 2 MB are free\n"
        "  name a folder on another disk with the variable AUDITKIT_CACHE, or lower data.image.size"
    )


def test_a_cache_that_cannot_be_written_to_is_an_error_and_marks_nothing() -> None:
    source, (_, most) = Counting(9), resource.getrlimit(resource.RLIMIT_FSIZE)
    data = dataset(source, 9, "limited")
    ensure_images(data, rows(0), SPEC, Inline(Events()), Events())
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, most))
    try:
        with pytest.raises(AuditError) as caught:
            ensure_images(data, np.arange(9), SPEC, Inline(Events()), Events())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert caught.value.message == "cannot write to the cache: File too large"
    assert caught.value.where.endswith("pixels.npy")
    assert caught.value.hint == "name another folder with the variable AUDITKIT_CACHE"
    assert image_cache("limited", 9, SPEC).missing(np.arange(9)).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_cache_folder_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUDITKIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(AuditError, match="cannot write to the cache: Not a directory"):
        ensure_images(dataset(Counting(1), 1), rows(0), SPEC, Inline(Events()), Events())


def test_a_fill_item_is_plain_data(tmp_path: Path) -> None:
    path = tmp_path / "pixels.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(2, 16, 16, 3)).flush()
    item = FillWork(Photos(tuple(photos(2))), np.arange(2), 24, 16, str(path))
    assert Inline(Events()).submit(FILL, item).result() == []
    assert np.load(path).any()
