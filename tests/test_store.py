"""Files of the store that cannot be read: each says where it lies, why, and what to remove."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from table_toys import AUDIT, QUICK, project

from auditkit.engine.store import Store
from auditkit.errors import DataError


@pytest.mark.parametrize(
    ("name", "read", "said"),
    [
        ("units/d1/unit.json", lambda store: store.facts("d1"), "cannot read"),
        ("units/d1/unit.json", Store.every_facts, "cannot read"),
        ("units/d1/history.json", lambda store: store.history("d1"), "cannot read"),
        ("units/d1/predictions.parquet", lambda store: store.predictions("d1"), "cannot read predictions"),
        ("units/d1/probes.parquet", lambda store: store.probed("d1"), "cannot read probes"),
        ("units/d1/probes.parquet", lambda store: store.probes("d1"), "cannot read probes"),
    ],
    ids=["facts", "facts of all", "history", "predictions", "keys of probes", "probes"],
)
def test_a_damaged_file_is_told_with_what_to_remove(
    tmp_path: Path, name: str, read: Callable[[Store], object], said: str
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("half a file")
    with pytest.raises(DataError) as caught:
        read(Store(tmp_path))
    cause = caught.value.__cause__  # in the words of another library
    assert str(caught.value) == f"{file}: {said}: {cause}\n  remove {file.parent}; the next run makes it again"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("unit.json", "null", "cannot read: it holds null"),
        ("unit.json", '{"inputs": {}}', "cannot read: it has no 'predicted'"),
        ("history.json", "{}", "cannot read: it holds {}"),
    ],
)
def test_a_file_that_holds_something_else_is_damaged(tmp_path: Path, name: str, text: str, said: str) -> None:
    file = tmp_path / "units" / "d1" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    store = Store(tmp_path)
    with pytest.raises(DataError) as caught:
        store.facts("d1") if name == "unit.json" else store.history("d1")
    assert str(caught.value) == f"{file}: {said}\n  remove {file.parent}; the next run makes it again"


@pytest.mark.parametrize("text", ["half a file", "[]", '{"a": 1}'])
def test_an_index_that_cannot_be_read_only_forgets_why_units_are_stale(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    assert Store(tmp_path).index() == {}


@pytest.mark.parametrize("name", ["unit.json", "predictions.parquet", "history.json"])
def test_a_unit_that_lost_a_file_is_not_finished_and_is_made_again(name: str) -> None:
    made = project(AUDIT)
    made.run("run", "a.toml", *QUICK).assert_success()
    (file,) = made.folder.glob(f".auditkit/units/*/{name}")
    file.unlink()
    assert "1 unit: 1 to run" in made.run("plan", "a.toml").assert_success().out
    made.run("run", "a.toml", *QUICK).assert_success()
    assert file.is_file() and "1 unit: 1 done" in made.run("plan", "a.toml").out
