"""Positions ride on a parser whose inside is not public: here it is compared with the standard parser's values."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.errors import KeyPath
from auditkit.spec.positions import positions

AUDITS = sorted(Path(__file__).parents[1].glob("audits/*.toml"))
TEXTS = {
    "dotted": 'a.b.c = 1\na."d e" = [1, [2, 3]]\n',
    "inline": "a = { b = 1, c.d = 2, e = [{ f = 1 }, { f = 2 }] } # end\n",
    "tables": "[a]\nx = 1\n[a.b.c]\ny = 2\n[d]\n",
    "arrays of tables": "[[a]]\nx = 1\n[a.b]\ny = 1\n[[a]]\nx = 2\n[[a.c]]\nz = 1\n[[a.c]]\nz = 2\n",
    "strings": "a = \"\"\"one\ntwo = 3\n\"\"\"\nb = '''x'''\n\"c\" = '[d]'\n",
    "spaces": "  a   =\t1  \n[ b . c ]\n  d = [ 1 ,\n # comment\n 2 , ]\n",
    "windows": "a = 1\r\n[b]\r\nc = [1,\r\n2]\r\n",
    "dates": "a = 2020-01-01\nb = 2020-01-01T10:00:00Z\nc = 10:00:00\n",
    "letters": '"漢" = "字"\n["über"]\n',
}


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value of a document that has a text of its own, and every table that is not an array's element."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def assert_agrees(text: str) -> None:
    spans = positions(text)
    assert spans is not None
    for path, value in leaves(tomllib.loads(text)):
        extent = spans[path].value
        assert extent is not None
        assert tomllib.loads(f"value = {text[slice(*extent)]}")["value"] == value
        for length in range(1, len(path)):
            assert path[:length] in spans
        if isinstance(path[-1], str):
            key = spans[path].key
            assert key is not None
            assert tomllib.loads(f"{text[slice(*key)]} = 1") == {path[-1]: 1}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_positions_of_every_form_of_toml(text: str) -> None:
    assert_agrees(text)


@pytest.mark.parametrize("path", AUDITS, ids=lambda path: path.stem)
def test_positions_of_the_audits(path: Path) -> None:
    assert_agrees(path.read_text(encoding="utf-8"))


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.floats(-1, 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_positions_of_any_document(document: dict[str, Any]) -> None:
    assert_agrees(tomlkit.dumps(document))


def test_what_cannot_be_followed_has_no_positions() -> None:
    assert positions("a = ") is None
