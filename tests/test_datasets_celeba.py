"""CelebA in every form it is passed around in: each becomes the same table."""

from __future__ import annotations

import pickle
import shutil
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from celeba_toys import (
    CODES,
    NAMES,
    PEOPLE,
    ROWS,
    SPLITS,
    attributes,
    column,
    jpeg,
    opened,
    text,
    write_images,
    write_zip,
)
from PIL import Image

from auditkit import DataError, cache_folder
from auditkit_plugins.datasets.celeba import CelebA
from auditkit_plugins.datasets.celeba_check import check
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.records import CelebAOptions


def kaggle(place: Path) -> None:
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt"):
        (place / name).unlink()
    (place / "list_attr_celeba.csv").write_bytes(text("\n", comma=True))
    (place / "list_eval_partition.csv").write_bytes(column(SPLITS, "\n", "image_id,partition", ","))
    shutil.move(place / "img_align_celeba", place / "inner")
    (place / "img_align_celeba").mkdir()
    shutil.move(place / "inner", place / "img_align_celeba" / "img_align_celeba")


def zipped_annotations(place: Path) -> None:
    for path in list(place.glob("*.txt")):
        with zipfile.ZipFile(place / f"{path.name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, path.name)
        path.unlink()


def zeros_and_ones_csv(place: Path) -> None:
    (place / "list_attr_celeba.txt").unlink()
    (place / "list_attr_celeba01.csv").write_bytes(text("\n", low=0, comma=True))


def line_feeds(place: Path) -> None:
    attributes(newline="\n", last=False)(place)
    (place / "list_eval_partition.txt").write_bytes(column(SPLITS, "\n").rstrip())


def shuffled(place: Path) -> None:
    lines = text().split(b"\r\n")
    (place / "list_attr_celeba.txt").write_bytes(b"\r\n".join([*lines[:2], *reversed(lines[2:-1])]) + b"\r\n")


def byte_order_mark(place: Path) -> None:
    (place / "list_attr_celeba.txt").write_bytes(b"\xef\xbb\xbf" + text())


def blank_lines(place: Path) -> None:
    (place / "list_attr_celeba.txt").write_bytes(text() + b"\r\n\r\n")


def blank_lines_and_counts_first(place: Path) -> None:
    (place / "list_eval_partition.txt").write_bytes(b"\r\n \r\n" + column(SPLITS))
    (place / "identity_CelebA.txt").write_bytes(b"\r\n12\r\n\r\n" + column(PEOPLE))


def subfolders(place: Path) -> None:
    for name, folder in (
        ("list_attr_celeba.txt", "Anno"),
        ("identity_CelebA.txt", "Anno"),
        ("list_eval_partition.txt", "Eval"),
    ):
        (place / folder).mkdir(exist_ok=True)
        shutil.move(place / name, place / folder / name)
    (place / "Img").mkdir()
    shutil.move(place / "img_align_celeba", place / "Img" / "img_align_celeba")


def more_splits_than_rows(place: Path) -> None:
    (place / "list_eval_partition.txt").write_bytes(column(SPLITS) + b"000099.jpg 2\r\n")


def partition_by_column(place: Path) -> None:
    (place / "list_eval_partition.txt").unlink()
    lines = ["image_id,Male,partition", *(f"{n},1,{v}" for n, v in zip(NAMES, SPLITS, strict=True))]
    (place / "celeba-att-male-partitions.csv").write_text("\n".join(lines))


VARIANTS = {
    "as it is": lambda place: None,
    "kaggle": kaggle,
    "no count line": attributes(count=False),
    "zeros and ones": attributes(low=0),
    "zeros and ones csv": zeros_and_ones_csv,
    "line feeds, no last one": line_feeds,
    "annotations in zips": zipped_annotations,
    "rows in another order": shuffled,
    "byte order mark": byte_order_mark,
    "blank lines at the end": blank_lines,
    "blank lines and counts first": blank_lines_and_counts_first,
    "Anno, Eval, Img": subfolders,
    "more splits than rows": more_splits_than_rows,
    "partition column by name": partition_by_column,
}


@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_variant_is_the_same_data(official: Path, change: Callable[[Path], None]) -> None:
    expected = opened(official).fingerprint
    change(official)
    found = opened(official)
    assert found.file_names == tuple(NAMES)
    assert found.attributes.names == ATTRIBUTES
    np.testing.assert_array_equal(found.attributes.codes, CODES)
    assert found.splits is not None and found.splits.tolist() == SPLITS
    assert found.identities is not None and found.identities.tolist() == PEOPLE
    assert found.fingerprint == expected
    assert found.images.read(3) == jpeg(3)
    assert found.kind == "subset, not official CelebA"


@pytest.mark.parametrize("prefix", ["", "img_align_celeba/", "celeba/img_align_celeba/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_images_are_read_from_their_zip(official: Path, prefix: str, method: int) -> None:
    shutil.rmtree(official / "img_align_celeba")
    write_zip(official / "img_align_celeba.zip", prefix, method=method)
    images = pickle.loads(pickle.dumps(opened(official).images))
    assert [images.read(i) for i in (0, 11, 5)] == [jpeg(i) for i in (0, 11, 5)]


def test_identical_files_are_known_from_the_zip(official: Path) -> None:
    shutil.rmtree(official / "img_align_celeba")
    with zipfile.ZipFile(official / "img_align_celeba.zip", "w") as archive:
        for number, name in enumerate(NAMES):
            archive.writestr(name, jpeg(0 if number == 11 else number))
    checksums = opened(official).checksums
    assert checksums is not None
    assert len(set(checksums.tolist())) == ROWS - 1
    assert checksums[11] == checksums[0]
    checkup = check(official)
    assert "1 image is byte-identical to another one, 1 of them in another split (000001.jpg = 000012.jpg)" in (
        checkup.problems
    )


def test_a_png_copy_with_jpg_names_is_read(official: Path) -> None:
    shutil.rmtree(official / "img_align_celeba")
    write_images(official / "img_align_celeba_png", [name.replace("jpg", "png") for name in NAMES])
    assert opened(official).images.read(2) == jpeg(2)


def test_a_folder_unpacked_halfway_gives_way_to_its_zip(official: Path) -> None:
    write_zip(official / "img_align_celeba.zip")
    for name in NAMES[6:]:
        (official / "img_align_celeba" / name).unlink()
    assert opened(official).images.read(9) == jpeg(9)


def test_without_images_there_is_enough_to_plan(official: Path) -> None:
    shutil.rmtree(official / "img_align_celeba")
    found = opened(official)
    assert "no images here: audits can be validated and planned, not run" in found.notes
    with pytest.raises(DataError) as error:
        found.images.read(0)
    assert str(error.value) == (
        f"{official}: there are annotations here, but no images\n"
        "  put img_align_celeba.zip, or the folder of that name, here"
    )


def test_a_nested_image_folder_is_mentioned(official: Path) -> None:
    kaggle(official)
    assert "images were found one folder deeper, in img_align_celeba/img_align_celeba" in opened(official).notes


def test_attribute_names_need_only_a_header_or_no_data_at_all(official: Path, tmp_path: Path) -> None:
    levels = CelebA.attribute_levels(CelebAOptions(), None)
    assert tuple(levels) == ATTRIBUTES
    assert levels["Bald"] == (0, 1)
    assert tuple(CelebA.attribute_levels(CelebAOptions(), official)) == ATTRIBUTES
    assert tuple(CelebA.attribute_levels(CelebAOptions(), tmp_path / "nowhere")) == ATTRIBUTES
    assert CelebA.default_place(CelebAOptions()) == Path("data/celeba")


def test_the_cache_follows_the_files_and_may_be_deleted_or_damaged(official: Path) -> None:
    first = opened(official)
    kept = sorted(cache_folder("annotations").glob("*.npz"))
    assert kept
    for path in kept:
        path.write_bytes(b"damaged")
    assert opened(official).fingerprint == first.fingerprint
    shutil.rmtree(cache_folder("annotations"))
    assert opened(official).fingerprint == first.fingerprint
    (official / "list_attr_celeba.txt").write_bytes(text().replace(b"-1", b" 1", 1))
    assert opened(official).fingerprint != first.fingerprint


def test_parsed_annotations_lie_where_all_caches_do(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITKIT_CACHE", str(tmp_path / "mine"))
    opened(official)
    assert list((tmp_path / "mine" / "annotations").glob("*.npz"))


def test_the_real_subset_opens_and_reads(shared: Path) -> None:
    if not (shared / "celeba-mini").is_dir():
        pytest.skip("no celeba-mini/ in the folder of real data")
    found = opened(shared / "celeba-mini")
    assert (len(found), found.kind) == (5408, "subset, not official CelebA")
    assert found.splits is not None and np.bincount(found.splits).tolist() == [3729, 511, 1168]
    with Image.open(BytesIO(found.images.read(5407))) as image:
        image.load()
