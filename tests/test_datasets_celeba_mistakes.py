"""CelebA cut off, mixed up or damaged: every mistake is told with its place, its cause and a remedy."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from celeba_toys import NAMES, PEOPLE, SPLITS, column, opened, write_zip

from auditkit import DataError

AGAIN = "\n  remove the file and download it again: auditkit data download DIR"


def zip_of_two(place: Path) -> None:
    path = place / "list_attr_celeba.txt"
    with zipfile.ZipFile(place / f"{path.name}.zip", "w") as archive:
        archive.write(path, path.name)
        archive.writestr("read me.txt", "")
    path.unlink()


def change_attributes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda place: (
        (place / "list_attr_celeba.txt").write_bytes(change((place / "list_attr_celeba.txt").read_bytes())) and None
    )


def put(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda place: (place / name).write_bytes(data) and None


def nth_line(number: int, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        lines = data.split(b"\r\n")
        lines[number - 1] = change(lines[number - 1])
        return b"\r\n".join(lines)

    return changed


QUOTA = b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title></html>"
MISTAKES = {
    "quota page": (
        put("list_attr_celeba.txt", QUOTA),
        "{place}/list_attr_celeba.txt: Google Drive's 'Quota exceeded' page was saved under this name instead of data"
        + AGAIN,
    ),
    "html": (
        put("identity_CelebA.txt", b"\n<html><body>Sign in</body></html>"),
        "{place}/identity_CelebA.txt: an HTML page was saved under this name instead of data" + AGAIN,
    ),
    "git lfs": (
        put("list_eval_partition.txt", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
        "{place}/list_eval_partition.txt: a Git LFS pointer, not the file itself\n  git lfs pull",
    ),
    "empty": (put("list_attr_celeba.txt", b"\r\n"), "{place}/list_attr_celeba.txt: the file is empty" + AGAIN),
    "mixed": (
        change_attributes(nth_line(5, lambda line: line.replace(b"-1", b" 0"))),
        "{place}/list_attr_celeba.txt: mixes -1 (first in line 3) and 0 (first in line 5) for 'absent'\n"
        "  two files were joined: write every value as -1/1, or every value as 0/1",
    ),
    "cut off within a line": (
        change_attributes(lambda data: data[:-60]),
        "{place}/list_attr_celeba.txt:14: 22 fields where 41 were expected: the file was cut off or edited" + AGAIN,
    ),
    "cut off between lines": (
        change_attributes(lambda data: b"\r\n".join(data.split(b"\r\n")[:10]) + b"\r\n"),
        "{place}/list_attr_celeba.txt: line 1 announces 12 rows, but 8 follow: the file was cut off or edited\n"
        "  write 8 in line 1 if you took rows out yourself; otherwise "
        "remove the file and download it again: auditkit data download DIR",
    ),
    "only a header": (
        change_attributes(lambda data: b"\r\n".join(data.split(b"\r\n")[:2]) + b"\r\n"),
        "{place}/list_attr_celeba.txt: there are no rows below the header" + AGAIN,
    ),
    "another value": (
        change_attributes(nth_line(7, lambda line: line[:10] + b"  2" + line[13:])),
        "{place}/list_attr_celeba.txt:7: value '2' in column 2 is neither -1 or 1, nor 0 or 1" + AGAIN,
    ),
    "no header": (
        change_attributes(lambda data: data.split(b"\r\n", 2)[2]),
        "{place}/list_attr_celeba.txt:1: the line with the attribute names is missing" + AGAIN,
    ),
    "another attribute": (
        change_attributes(lambda data: data.replace(b"Bald", b"Blad")),
        "{place}/list_attr_celeba.txt: the header lacks 'Bald' and has 'Blad', unknown to CelebA\n"
        '  for a table with other columns, use dataset = { use = "table", ... }',
    ),
    "the same image twice": (
        change_attributes(lambda data: data.replace(b"000002.jpg", b"000001.jpg")),
        "{place}/list_attr_celeba.txt: 1 file name stands in more than one row (first: 000001.jpg)" + AGAIN,
    ),
    "a split too few": (
        put("list_eval_partition.txt", column(SPLITS)[: -2 * 14]),
        "{place}/list_eval_partition.txt: 2 of the 12 images of list_attr_celeba.txt are missing (first: 000011.jpg)\n"
        "  take all annotation files from the same source",
    ),
    "a split of its own": (
        put("list_eval_partition.txt", column([*SPLITS[:-1], 3])),
        "{place}/list_eval_partition.txt: split 3 of 000012.jpg is none of 0 (train), 1 (valid), 2 (test)" + AGAIN,
    ),
    "a word for a number": (
        put("identity_CelebA.txt", column(PEOPLE).replace(b"000003.jpg 2", b"000003.jpg two")),
        "{place}/identity_CelebA.txt:3: value 'two' is not a whole number" + AGAIN,
    ),
    "a word for a number below a count": (
        put("identity_CelebA.txt", b"\r\n12\r\n\r\n" + column(PEOPLE).replace(b"000003.jpg 2", b"000003.jpg two")),
        "{place}/identity_CelebA.txt:6: value 'two' is not a whole number" + AGAIN,
    ),
    "a word for a number below a header": (
        put("identity_CelebA.txt", column(PEOPLE, header="image_id identity").replace(b"3.jpg 2", b"3.jpg two")),
        "{place}/identity_CelebA.txt:4: value 'two' is not a whole number" + AGAIN,
    ),
    "cut off below a count": (
        put("list_eval_partition.txt", b"12\n" + column(SPLITS)[:-4]),
        "{place}/list_eval_partition.txt:13: 1 field where 2 were expected: the file was cut off or edited" + AGAIN,
    ),
    "a count and nothing more": (
        put("identity_CelebA.txt", b"12"),
        "{place}/identity_CelebA.txt: there are no rows below the first line" + AGAIN,
    ),
    "a count line and nothing more": (
        put("list_eval_partition.txt", b"12\r\n"),
        "{place}/list_eval_partition.txt: there are no rows below the first line" + AGAIN,
    ),
    "a header and nothing more": (
        put("identity_CelebA.txt", b"image_id,identity\n"),
        "{place}/identity_CelebA.txt: there are no rows below the first line" + AGAIN,
    ),
    "missing images": (
        lambda place: [(place / "img_align_celeba" / name).unlink() for name in NAMES[2:7]] and None,
        "{place}/img_align_celeba: 5 of the 12 images of list_attr_celeba.txt are missing "
        "(000003.jpg, 000004.jpg, 000005.jpg, ...)\n"
        "  unpack the images again; auditkit data check {place} lists what is missing",
    ),
    "an empty image folder": (
        lambda place: [path.unlink() for path in (place / "img_align_celeba").iterdir()] and None,
        "{place}: none of the 12 images of list_attr_celeba.txt is in img_align_celeba\n"
        "  unpack the images again, or remove the empty folder",
    ),
    "a broken zip": (
        lambda place: shutil.rmtree(place / "img_align_celeba") or put("img_align_celeba.zip", b"PK\x03\x04cut")(place),
        "{place}/img_align_celeba.zip: cannot read the zip: File is not a zip file\n"
        "  download the zip again; a download that was cut off has no directory",
    ),
    "two files in one zip": (
        zip_of_two,
        "{place}/list_attr_celeba.txt.zip: holds 2 text files where one annotation file was expected\n"
        "  unpack it and leave the annotation files beside it",
    ),
    "no attribute file": (
        lambda place: (place / "list_attr_celeba.txt").unlink(),
        "{place}: no list_attr_celeba.txt or list_attr_celeba.csv here\n"
        "  name the folder that holds CelebA's annotation files, or the table of your own images",
    ),
}


@pytest.mark.parametrize(("change", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_every_mistake_has_place_cause_and_remedy(official: Path, change: Callable[[Path], None], message: str) -> None:
    change(official)
    with pytest.raises(DataError) as error:
        opened(official)
    assert str(error.value) == message.replace("{place}", str(official))


def test_a_place_that_is_no_folder_of_data_is_named(tmp_path: Path) -> None:
    file = tmp_path / "celeba.zip"
    for place, message in (
        (tmp_path / "nowhere", "there is no such folder\n  auditkit data download DIR fetches CelebA"),
        (tmp_path, "the folder is empty\n  auditkit data download DIR fetches CelebA"),
        (file, "this is a file, not a folder with CelebA\n  name the folder it lies in"),
    ):
        if place is file:
            file.write_bytes(b"")
        with pytest.raises(DataError) as error:
            opened(place)
        assert str(error.value) == f"{place}: {message}"


def test_a_damaged_member_of_the_zip_is_noticed(official: Path) -> None:
    shutil.rmtree(official / "img_align_celeba")
    path = official / "img_align_celeba.zip"
    write_zip(path)
    data = bytearray(path.read_bytes())
    data[200] ^= 255
    path.write_bytes(data)
    with pytest.raises(DataError) as error:
        opened(official).images.read(0)
    assert str(error.value) == (
        f"{path}: image 0 of the zip is damaged: its bytes do not match their checksum\n  download the zip again"
    )


def test_an_image_that_went_away_is_named(official: Path) -> None:
    found = opened(official)
    (official / "img_align_celeba" / NAMES[4]).unlink()
    with pytest.raises(DataError) as error:
        found.images.read(4)
    assert str(error.value) == (
        f"{official}/img_align_celeba/000005.jpg: cannot read the image: No such file or directory\n"
        "  put the image back, or remove its row"
    )
