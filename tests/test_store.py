"""Files of the store that cannot be read: each says where it lies, why, and what to remove."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from auditkit.engine.store import Store
from auditkit.errors import DataError


@pytest.mark.parametrize(
    ("name", "read", "said", "goes"),
    [
        ("units/d1/unit.json", lambda store: store.facts("d1"), "cannot read", "folder"),
        ("units/d1/unit.json", Store.every_facts, "cannot read", "folder"),
        ("units/d1/history.json", lambda store: store.history("d1"), "cannot read", "folder"),
        ("units/d1/predictions.parquet", lambda store: store.predictions("d1"), "cannot read predictions", "folder"),
        ("units/d1/probes.parquet", lambda store: store.probed("d1"), "cannot read probes", "folder"),
        ("units/d1/probes.parquet", lambda store: store.probes("d1"), "cannot read probes", "folder"),
        ("index.json", Store.index, "cannot read", "file"),
    ],
    ids=["facts", "facts of all", "history", "predictions", "keys of probes", "probes", "index"],
)
def test_a_damaged_file_is_told_with_what_to_remove(
    tmp_path: Path, name: str, read: Callable[[Store], object], said: str, goes: str
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("half a file")
    with pytest.raises(DataError) as caught:
        read(Store(tmp_path))
    cause = caught.value.__cause__  # in the words of another library
    assert str(caught.value) == f"{file}: {said}: {cause}\n  remove the {goes}; the next run makes it again"
