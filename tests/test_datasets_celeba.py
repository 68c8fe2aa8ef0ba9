"""CelebA in every form it is passed around in: each becomes the same table, or one clear sentence."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditkit import DataError, cache_folder
from auditkit.testing import audit_project
from auditkit_plugins.datasets.celeba import CelebA
from auditkit_plugins.datasets.celeba_check import check
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.records import CelebAOptions

ROWS = 12
AGAIN = "\n  remove the file and download it again: auditkit data download DIR"
NAMES = [f"{number:06d}.jpg" for number in range(1, ROWS + 1)]
CODES = np.random.default_rng(7).integers(0, 2, size=(ROWS, 40)).astype(np.int8)
SPLITS = [0] * 8 + [1] * 2 + [2] * 2
PEOPLE = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def text(newline: str = "\r\n", count: bool = True, last: bool = True, low: int = -1, comma: bool = False) -> bytes:
    values = np.where(CODES == 1, 1, low)
    if comma:
        lines = ["image_id," + ",".join(ATTRIBUTES)]
        lines += [",".join([name, *map(str, row)]) for name, row in zip(NAMES, values, strict=True)]
    else:
        lines = [str(ROWS)] * count + [" ".join(ATTRIBUTES) + " "]
        lines += [f"{name} " + " ".join(f"{v:2d}" for v in row) for name, row in zip(NAMES, values, strict=True)]
    return (newline.join(lines) + newline * last).encode()


def column(values: list[int], newline: str = "\r\n", header: str = "", between: str = " ") -> bytes:
    lines = [header] * bool(header) + [f"{n}{between}{v}" for n, v in zip(NAMES, values, strict=True)]
    return (newline.join(lines) + newline).encode()


def jpeg(number: int, size: tuple[int, int] = (178, 218)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (number * 17 % 256, 80, 120)).save(out, "JPEG")
    return out.getvalue()


def write_images(folder: Path, names: list[str] = NAMES) -> None:
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        (folder / name).write_bytes(jpeg(number))


def write_zip(path: Path, prefix: str = "img_align_celeba/", names: list[str] = NAMES, method: int = 0) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for number, name in enumerate(names):
            archive.writestr(prefix + name, jpeg(number))


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """The official layout: three text files, images in a folder."""
    (tmp_path / "list_attr_celeba.txt").write_bytes(text())
    (tmp_path / "list_eval_partition.txt").write_bytes(column(SPLITS))
    (tmp_path / "identity_CelebA.txt").write_bytes(column(PEOPLE))
    write_images(tmp_path / "img_align_celeba")
    return tmp_path


def opened(place: Path):
    return CelebA(CelebAOptions()).open(place)


def kaggle(place: Path) -> None:
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt"):
        (place / name).unlink()
    (place / "list_attr_celeba.csv").write_bytes(text("\n", comma=True))
    (place / "list_eval_partition.csv").write_bytes(column(SPLITS, "\n", "image_id,partition", ","))
    shutil.move(place / "img_align_celeba", place / "inner")
    (place / "img_align_celeba").mkdir()
    shutil.move(place / "inner", place / "img_align_celeba" / "img_align_celeba")


def attributes(**options: object) -> Callable[[Path], None]:
    return lambda place: (place / "list_attr_celeba.txt").write_bytes(text(**options)) and None  # type: ignore[arg-type]


def zip_of_two(place: Path) -> None:
    path = place / "list_attr_celeba.txt"
    with zipfile.ZipFile(place / f"{path.name}.zip", "w") as archive:
        archive.write(path, path.name)
        archive.writestr("read me.txt", "")
    path.unlink()


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


AUDIT = '[audit]\ntitle = "x"\n[[task]]\ntarget = "Male"\n[[arm]]\nname = "a"\n[evidence]\nscan = false\n'


def test_whoever_is_unknown_is_no_person_among_others(official: Path) -> None:
    (official / "identity_CelebA.txt").write_bytes(column([-1] * 10 + [5, 5]))
    audit_project({"a.toml": AUDIT}).run("plan", "a.toml", "--data", str(official)).assert_success()
    assert not any("more than one split" in note for note in opened(official).notes)
    assert dict(check(official).facts)["identities"].startswith("identity_CelebA.txt: 1 person")


def test_an_identity_that_is_no_number_from_0_is_refused(official: Path) -> None:
    (official / "identity_CelebA.txt").write_bytes(column([1, 1, -7, *PEOPLE[3:]]))
    outcome = audit_project({"a.toml": AUDIT}).run("plan", "a.toml", "--data", str(official)).assert_code(2)
    assert outcome.err.startswith(f"{official}: dataset 'celeba' of auditkit ")
    assert outcome.err.endswith(
        " gives 1 image an identity below -1, first 000003.jpg\n"
        "  an identity is a number from 0, or -1 where it is unknown\n"
    )


def test_without_identities_it_says_what_that_costs(official: Path) -> None:
    (official / "identity_CelebA.txt").unlink()
    found = opened(official)
    assert found.identities is None
    assert found.notes[-1] == (
        "no identity file: intervals treat every image as another person and come out too narrow, "
        "and a hold-out may leave one person on both sides"
    )


def test_without_splits_and_with_other_splits_it_says_so(official: Path) -> None:
    (official / "list_eval_partition.txt").write_bytes(column([0, 2] * 6))
    notes = opened(official).notes
    assert "the splits are not CelebA's: figures cannot be compared with those of the official test split" in notes
    assert "6 people have images in more than one split: test accuracy is flattered" in notes
    (official / "list_eval_partition.txt").unlink()
    found = opened(official)
    assert found.splits is None
    assert found.notes[0].startswith("no list_eval_partition file: train, valid and test are drawn by the audit")


def test_a_nested_image_folder_is_mentioned(official: Path) -> None:
    kaggle(official)
    assert "images were found one folder deeper, in img_align_celeba/img_align_celeba" in opened(official).notes


def test_rendered_faces_are_never_taken_for_photos(official: Path) -> None:
    (official / "synthetic.json").write_text("{}")
    found = opened(official)
    assert found.synthetic
    assert found.kind == "synthetic"


def test_other_file_names_are_not_called_a_subset(official: Path) -> None:
    for path in official.glob("*.txt"):
        path.write_bytes(path.read_bytes().replace(b"0000", b"face"))
    for path in (official / "img_align_celeba").iterdir():
        path.rename(path.with_name(path.name.replace("0000", "face")))
    assert opened(official).kind == "in CelebA's layout, not official CelebA"


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


def test_check_tells_what_is_missing_unreadable_and_odd(official: Path) -> None:
    images = official / "img_align_celeba"
    (images / NAMES[1]).unlink()
    (images / NAMES[3]).write_bytes(b"")
    (images / NAMES[5]).write_bytes(jpeg(5)[:80])
    (images / "strange.jpg").write_bytes(jpeg(1, (90, 100)))
    found = check(official)
    assert found.verdict == "subset, not official CelebA"
    facts = dict(found.facts)
    assert facts["attributes"] == "list_attr_celeba.txt: 12 images (official 202,599)"
    assert facts["identities"] == "identity_CelebA.txt: 6 people (official 10,177)"
    assert facts["images"].startswith("img_align_celeba: 11, and 1 without a row, ")
    assert facts["image size"] == "178 x 218 pixels in a sample of 9"
    assert "1 image is announced but missing from img_align_celeba: 000002.jpg" in found.problems
    assert found.refused == (
        "2 images cannot be read (every file looked at for emptiness, 11 decoded): 000004.jpg, 000006.jpg\n"
        "  restore these files, or remove them and their rows, and lower the count in the first line",
    )
    assert dict(found.shares)["Bald"] == CODES[:, ATTRIBUTES.index("Bald")].mean()
    assert [name for name, _ in found.shares] == list(ATTRIBUTES)
    counts = {count.group: (count.found, count.expected) for count in found.groups}
    assert counts["train: Bald"] == (int(CODES[:8, ATTRIBUTES.index("Bald")].sum()), None)


def test_the_official_annotations_have_the_counts_of_the_notes(shared: Path) -> None:
    place = shared / "celeba-annotations"
    found = opened(place)
    facts = json.loads((shared / "notes" / "celeba_counts.json").read_text())["splits"]
    assert found.kind == "official CelebA"
    assert found.splits is not None and found.identities is not None
    for at, split in enumerate(("train", "valid", "test")):
        rows = found.splits == at
        assert int(rows.sum()) == facts[split]["n"]
        assert len(np.unique(found.identities[rows])) == facts[split]["identities"]
        for name, known in facts[split]["marginals40"].items():
            assert int(found.attributes.column(name)[rows].sum()) == known["count"], (split, name)
            male = found.attributes.column("Male")[rows] == 1
            assert int(found.attributes.column(name)[rows][male].sum()) == known["count_male"], (split, name)
    assert not [count for count in check(place).groups if count.found != count.expected]


def test_the_real_subset_opens_and_reads(shared: Path) -> None:
    if not (shared / "celeba-mini").is_dir():
        pytest.skip("no celeba-mini/ in the folder of real data")
    found = opened(shared / "celeba-mini")
    assert (len(found), found.kind) == (5408, "subset, not official CelebA")
    assert found.splits is not None and np.bincount(found.splits).tolist() == [3729, 511, 1168]
    with Image.open(BytesIO(found.images.read(5407))) as image:
        image.load()
