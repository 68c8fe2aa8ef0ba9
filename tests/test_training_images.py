"""Images: decoded once, and right; every broken one is named; two builders at once, or a killed one, do no harm."""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import signal
import time
import zipfile
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from training_toys import Events, Inline, Photos, encoded

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


def picture(height: int, width: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """A smooth colourful picture, which JPEG hardly changes."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    return np.asarray(Pillow.fromarray(coarse).resize((width, height), Pillow.Resampling.BICUBIC))


def photos(count: int) -> list[bytes]:
    return [encoded(picture(30 + k % 7, 26, seed=k)) for k in range(count)]


def dataset(source: ImageSource, count: int, fingerprint: str = "toy") -> OpenDataset:
    names = tuple(f"{k + 1:06d}.jpg" for k in range(count))
    attributes = Attributes((), (), np.zeros((count, 0), dtype=np.int8))
    return OpenDataset(names, attributes, None, None, source, fingerprint, "toy", place="images.zip")


def rows(*which: int) -> Any:
    return np.array(which, dtype=np.int64)


def filled(tmp_path: Path, source: ImageSource, count: int, crop: int, size: int) -> np.ndarray[Any, Any]:
    path = tmp_path / "pixels.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, size, size, 3)).flush()
    assert fill(source, np.arange(count), crop, size, path) == []
    return np.load(path)


@pytest.mark.parametrize(("height", "width", "crop"), [(218, 178, 178), (95, 89, 178), (100, 300, 80), (40, 40, 40)])
def test_pixels_are_those_of_a_slow_reference(tmp_path: Path, height: int, width: int, crop: int) -> None:
    """Pillow decodes, crops and resizes; both antialias by a triangle filter. One level of rounding may differ."""
    data = encoded(picture(height, width), quality=95)
    side = min(height, width, crop)
    top, left = (height - side) // 2, (width - side) // 2
    plain = Pillow.open(io.BytesIO(data)).convert("RGB").crop((left, top, left + side, top + side))
    expected = np.asarray(plain.resize((64, 64), Pillow.Resampling.BILINEAR)).astype(int)
    found = filled(tmp_path, Photos((data,)), 1, crop, 64)[0].astype(int)
    assert np.abs(found - expected).max() <= 2
    assert np.abs(found - expected).mean() < 0.5


def test_what_a_batch_holds_beside_an_image_does_not_matter(tmp_path: Path) -> None:
    source = Photos(tuple(photos(20)))
    together = filled(tmp_path, source, 20, 24, 16)
    for row in range(20):
        alone = resize([centre_square(decode(source.read(row)), 24)], 16)
        np.testing.assert_array_equal(together[row], alone[0])


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "L"), ("PNG", "P"), ("WEBP", "RGB")]
)
def test_other_formats_become_three_channels(kind: str, mode: str) -> None:
    image = Pillow.fromarray(picture(20, 30)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, lossless=True)
    found = decode(buffer.getvalue())
    expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(found.numpy(), expected)


def test_sixteen_bits_lose_the_lower_eight() -> None:
    grey = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    buffer = io.BytesIO()
    Pillow.fromarray(grey).save(buffer, "PNG")
    found = decode(buffer.getvalue())
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found[0].numpy(), grey >> 8)


def test_a_photo_stands_upright() -> None:
    image = Pillow.fromarray(picture(20, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, quality=95)
    assert decode(buffer.getvalue()).shape == (3, 30, 20)


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
    assert ref.size == 16


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


def test_real_photos_decode(shared: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared / "celeba-mini" / "img_align_celeba.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")][:40]
        source = Photos(tuple(archive.read(name) for name in names))
    pixels = filled(tmp_path, source, 40, 178, 64)
    assert pixels.std(axis=(1, 2, 3)).min() > 5
