"""``auditkit data``: what a person sees when data is checked, made or fetched."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from anyone import run_as_anyone

from auditkit.cli import exit_code
from auditkit.cli.data import show
from auditkit.cohort import MISSING, Attributes
from auditkit.engine import data as work
from auditkit.engine.data import export
from auditkit.errors import AuditError
from auditkit.testing import audit_project
from auditkit_plugins.datasets.celeba import CelebA
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.faces import Faces
from auditkit_plugins.datasets.records import CelebAOptions, FacesOptions


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "faces"
    assert exit_code(["data", "make-faces", str(folder), "--n", "60", "--seed", "4", "-j", "1"]) == 0
    return folder


def test_made_faces_are_the_rendered_ones_in_celebas_layout(made: Path) -> None:
    rendered = Faces(FacesOptions(images=60, seed=4)).open(None)
    read = CelebA(CelebAOptions()).open(made)
    assert read.synthetic
    assert read.file_names == rendered.file_names
    np.testing.assert_array_equal(read.attributes.codes, rendered.attributes.codes)
    np.testing.assert_array_equal(read.splits, rendered.splits)
    np.testing.assert_array_equal(read.identities, rendered.identities)
    assert read.images.read(59) == rendered.images.read(59)
    lines = (made / "list_attr_celeba.txt").read_bytes().split(b"\r\n")
    assert lines[0] == b"60"
    assert lines[1].startswith(b"5_o_Clock_Shadow Arched_Eyebrows ") and lines[1].endswith(b" Young ")
    assert len(lines[2]) == len("000001.jpg") + 40 * 3
    assert not list(made.parent.glob("*.part"))


def test_check_tells_what_was_made(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert exit_code(["data", "check", str(made)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{made}: synthetic, rendered by auditkit"
    assert out[1] == "  attributes  list_attr_celeba.txt: 60 images (official 202,599)"
    assert "  image size  178 x 218 pixels in a sample of 60" in out


def test_a_folder_with_something_in_it_is_left_alone(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in made.iterdir())
    capsys.readouterr()
    assert exit_code(["data", "make-faces", str(made), "--n", "60"]) == 2
    assert capsys.readouterr().err.endswith(
        f"{made}: there is something here already\n  name a folder that is not there yet\n"
    )
    assert sorted(path.name for path in made.iterdir()) == before


def test_faces_are_made_in_the_folder_where_one_is() -> None:
    project = audit_project({".half.part": "of a process that was killed"})
    done = project.run("data", "make-faces", ".", "--n", "50", "-j", "1").assert_success()
    assert done.out == ".: 50 rendered images (SYNTHETIC). Next: auditkit run AUDIT --data .\n"
    made = {path.name for path in project.folder.iterdir()} - {".half.part"}
    assert made == {
        "identity_CelebA.txt", "img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt", "synthetic.json",
    }  # fmt: skip
    assert "attributes  list_attr_celeba.txt: 50 images" in project.run("data", "check", ".").assert_success().out


def test_what_fails_leaves_an_empty_folder_empty(tmp_path: Path) -> None:
    faces = replace(Faces(FacesOptions(images=60)).open(None), images=Deadly())
    with pytest.raises(AuditError, match="a process that writes images died"):
        export(faces, tmp_path, 1, lambda count: None)
    assert list(tmp_path.iterdir()) == []


def test_check_prints_what_it_found_and_then_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "faces"
    assert exit_code(["data", "make-faces", str(folder), "--n", "50", "-j", "1"]) == 0
    (folder / "img_align_celeba" / "000007.jpg").unlink()
    capsys.readouterr()
    assert exit_code(["data", "check", str(folder)]) == 2
    printed = capsys.readouterr()
    assert "  ! 1 image is announced but missing from img_align_celeba: 000007.jpg" in printed.out
    assert printed.err == (
        f"{folder}/img_align_celeba: 1 of the 50 images of list_attr_celeba.txt is missing (000007.jpg)\n"
        f"  unpack the images again; auditkit data check {folder} lists what is missing\n"
    )


@pytest.mark.parametrize("content", [b"no picture", None])
def test_check_refuses_what_a_run_refuses(
    tmp_path: Path, made: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    image = folder / "img_align_celeba" / "000007.jpg"
    image.write_bytes(image.read_bytes()[:300] if content is None else content)
    capsys.readouterr()
    assert exit_code(["data", "check", str(folder)]) == 2
    assert capsys.readouterr().err == (
        f"{folder}: 1 image cannot be read (every file looked at for emptiness, 60 decoded): 000007.jpg\n"
        "  restore these files, or remove them and their rows, and lower the count in the first line\n"
    )
    shutil.rmtree(folder / "img_align_celeba")
    assert exit_code(["data", "check", str(folder)]) == 2
    assert capsys.readouterr().err == (
        f"{folder}: there are no images, which a run needs\n"
        "  put img_align_celeba.zip, or the folder of that name, here\n"
    )


def test_check_of_a_table_refuses_what_is_no_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(b"no picture")
    table = tmp_path / "mine.csv"
    table.write_text("image,sick\n" + "".join(f"{number}.jpg,{number % 2}\n" for number in range(4)))
    assert exit_code(["data", "check", str(table)]) == 2
    assert capsys.readouterr().err == (
        f"{table}: 4 images of a sample of 4 cannot be read: 0.jpg, 1.jpg, 2.jpg, 3.jpg\n"
        "  restore these files, or remove them and their rows from the table\n"
    )


def test_check_lists_every_attribute(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([str(made)], ["--dataset", "faces", "--option", "images=60"]):
        capsys.readouterr()
        assert exit_code(["data", "check", *arguments]) == 0
        shares = capsys.readouterr().out.partition("attributes, and the share of images that have them")[2]
        assert all(name in shares.split() for name in ATTRIBUTES)


def test_an_attribute_that_no_image_has_a_value_of_has_no_share(capsys: pytest.CaptureFixture[str]) -> None:
    opened = Faces(FacesOptions(images=60)).open(None)
    names, levels = ("Nobody", *opened.attributes.names), ((), *opened.attributes.levels)
    codes = np.insert(opened.attributes.codes, 0, MISSING, axis=1)
    checkup = work.examine(replace(opened, attributes=Attributes(names, levels, codes)))
    assert checkup.shares[0] == ("Nobody", None)
    show(checkup, Path("mine"))
    assert "\n  Nobody              unknown   " in capsys.readouterr().out


def test_check_looks_at_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str], made: Path) -> None:
    pictures = sorted((made / "img_align_celeba").iterdir())[:4]
    rows = [f"{path},{number % 2},{'ab'[number // 2]}" for number, path in enumerate(pictures)]
    table = tmp_path / "mine.csv"
    table.write_text("\n".join(["path,sick,ward", *rows]))
    capsys.readouterr()
    assert exit_code(["data", "check", str(table), "--option", "image=path"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{table}: own data, mine.csv",
        "  images      4",
        "  image size  178 x 218 pixels in a sample of 4",
        "  ! no split column: train, valid and test are drawn by the audit",
        "  ! no identity column: intervals treat every image as another person and may come out too narrow",
        "",
        "  group             here",
        "  all: images          4",
        "  all: sick=0          2",
        "  all: sick=1          2",
        "  all: ward=a          2",
        "  all: ward=b          2",
    ]


def test_check_of_a_table_takes_the_columns_that_init_takes(made: Path) -> None:
    pictures = sorted((made / "img_align_celeba").iterdir())[:14]
    rows = [f"{path},{number % 2},{'ab'[number // 7]},p{number // 2},n{number}" for number, path in enumerate(pictures)]
    project = audit_project({"mine.csv": "\n".join(["the path,sick,ward,Person Nr.,note", *rows])})
    told = project.run("data", "check", "mine.csv").assert_success().out.splitlines()
    assert told[2] == "  people      7"
    assert told[4] == "  columns     image 'the path', identity 'Person Nr.' (guessed; --option names others)"
    assert [line.split("  ")[1] for line in told[8:]] == [
        "all: images", "all: sick=0", "all: sick=1", "all: ward=a", "all: ward=b"
    ]  # fmt: skip


def test_mistakes_on_the_command_line_have_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (
            ["check", str(tmp_path / "no")],
            f"{tmp_path}/no: there is no such folder\n  auditkit data download DIR fetches CelebA\n",
        ),
        (["check"], "there is no PATH to look at\n  as in auditkit data check data/celeba\n"),
        (["check", "--dataset", "celeba"], "CelebA needs a folder\n  name it with --data PATH\n"),
        (
            ["check", str(tmp_path / "no.csv")],
            f"{tmp_path}/no.csv: there is no such file\n  name a CSV or Parquet file\n",
        ),
        (
            ["check", str(tmp_path), "--dataset", "celebb"],
            "--dataset: unknown dataset 'celebb'\n  did you mean 'celeba'? there are 'celeba', 'faces' and 'table'\n",
        ),
        (
            ["check", "--dataset", "faces", "--option", "imags=60"],
            "--option imags: unknown option 'imags' of dataset 'faces'\n"
            "  did you mean 'images'? there are 'images', 'seed', 'enrich' and 'remove_cue'\n",
        ),
        (["check", str(tmp_path), "--option", "x"], "--option 'x' is no KEY=VALUE\n  as in --option image=\"path\"\n"),
    ):
        assert exit_code(["data", *arguments]) == 2
        assert capsys.readouterr().err == message


def test_download_without_the_downloader_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gdown", None)
    assert exit_code(["data", "download", str(tmp_path / "celeba")]) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}/celeba: CelebA could not be downloaded: To download files from GDrive, 'gdown' is required. "
        "You can install it with 'pip install gdown'.\n"
        "  fetch it by hand from http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and name its folder with --data\n"
    )


def test_a_table_has_no_download(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["data", "download", str(tmp_path), "--dataset", "table"]) == 2
    assert capsys.readouterr().err == f"{tmp_path}: this dataset has no download\n  put the files there yourself\n"


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        ("img_align_celeba", 0o000, "cannot look into the folder: Permission denied"),
        ("img_align_celeba", 0o400, "cannot list the folder: Permission denied"),
        ("list_attr_celeba.txt", 0o000, "cannot read the file: Permission denied"),
    ],
)
def test_what_may_not_be_read_is_told_with_its_remedy(made: Path, name: str, mode: int, said: str) -> None:
    path = made / name
    before = path.stat().st_mode
    os.utime(path)  # what was read of it before is remembered until it changes
    path.chmod(mode)
    try:
        done = run_as_anyone("data", "check", str(made))
    finally:
        path.chmod(before)
    told = f"{path}: {said}\n  let yourself read it (chmod u+rX), or name another place\n"
    assert (done.returncode, done.stderr) == (2, told)


@dataclass(frozen=True)
class Deadly:
    """Images that end the process which reads them."""

    def read(self, index: int) -> bytes:
        os._exit(1)


def test_data_that_cannot_be_written_in_celebas_layout_is_refused(tmp_path: Path) -> None:
    faces = Faces(FacesOptions(images=60)).open(None)
    gap = faces.attributes.codes.copy()
    gap[0, 0] = -1
    for opened, message in (
        (
            replace(faces, attributes=replace(faces.attributes, codes=gap)),
            "CelebA's layout holds only attributes of 0 and 1, without gaps\n  a table of images holds any",
        ),
        (replace(faces, images=Deadly()), "a process that writes images died\n  use fewer with -j"),
    ):
        with pytest.raises(AuditError) as caught:
            export(opened, tmp_path / "out", 1, lambda count: None)
        assert str(caught.value) == f"{tmp_path}/out: {message}"
        assert list(tmp_path.iterdir()) == []
