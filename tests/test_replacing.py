"""Written aside, then renamed: whole or not at all, and nothing stays beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditkit.replacing import replacing


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as aside:
        aside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as aside:
        aside.write_text("ne")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_comes_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no more"), replacing(tmp_path / "folder") as aside:
        (aside / "inside").mkdir(parents=True)
        raise OSError("no more")
    assert list(tmp_path.iterdir()) == []
    with replacing(tmp_path / "folder") as aside:
        (aside / "inside").mkdir(parents=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_two_processes_that_write_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    code = (
        "import pathlib; from auditkit.replacing import replacing\n"
        f"with replacing(pathlib.Path({str(path)!r})) as aside: aside.write_text('theirs')"
    )
    with replacing(path) as aside:
        aside.write_text("ours")
        subprocess.run([sys.executable, "-c", code], check=True)
        assert path.read_text() == "theirs"
    assert path.read_text() == "ours"
    assert list(tmp_path.iterdir()) == [path]
