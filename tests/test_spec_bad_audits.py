"""Bad audit files, each with the exact words that are said about it.

``python tests/test_spec_bad_audits.py`` writes the words again; read them before you keep them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from auditkit.testing import Outcome, audit_project

FOLDER = Path(__file__).parent / "bad_audits"
FILES = sorted(FOLDER.glob("*.toml"))


@cache
def validated(file: Path) -> Outcome:
    environment = {"AUDITKIT_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return audit_project({file.name: file.read_bytes()}, environment).run("validate", file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mistake_is_told_at_its_place(file: Path) -> None:
    outcome = validated(file).assert_code(2)
    assert outcome.out == ""
    assert outcome.err == file.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_caret_stands_under_what_it_points_at(file: Path) -> None:
    """What the caret underlines is the text at the place named in front."""
    lines = validated(file).err.splitlines()
    for head, excerpt, pointer in zip(lines, lines[1:], lines[2:], strict=False):
        place = head.split(": ")[0].split(":")
        if len(place) != 3 or not excerpt[:5].strip().isdigit():
            continue
        column, text = int(place[2]), excerpt[8:]
        before = text[: column - 1]
        assert int(excerpt[:5]) == int(place[1])
        assert pointer[8:].index("^") >= len(before)
        assert pointer[8:][: len(before)].strip() == ""


if __name__ == "__main__":
    for bad in FILES:
        bad.with_suffix(".txt").write_text(validated(bad).err, encoding="utf-8")
