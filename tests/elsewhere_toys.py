"""Tables of predictions made elsewhere, as the tests read and judge them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from auditkit.engine.elsewhere import Columns, Given, Reading, read
from auditkit.engine.judging import Question, judge
from auditkit.engine.registry import Registry
from auditkit.errors import DataError
from auditkit.evidence.results import Finding, Results

ALL = Columns(
    truth="truth", score="score", groups=(("gender",),), identity="person", row="image", arm="arm", seed="seed"
)


def given(folder: Path, frame: pd.DataFrame, columns: Columns = ALL, **reading: Any) -> Given:
    path = folder / "p.parquet"
    frame.to_parquet(path)
    return read(path, columns, Reading(**reading))


def judged(found: Given, columns: Columns = ALL, **question: Any) -> Results:
    return judge(found, columns, Question(title="t", **question), Registry.load())[1]


def one(results: Results, **wanted: Any) -> Finding:
    (found,) = [f for f in results.findings if all(getattr(f, name) == value for name, value in wanted.items())]
    return found


def refused(folder: Path, frame: pd.DataFrame, columns: Columns = ALL, **reading: Any) -> str:
    with pytest.raises(DataError) as caught:
        given(folder, frame, columns, **reading)
    assert caught.value.where == str(folder / "p.parquet")
    return str(caught.value).removeprefix(f"{caught.value.where}: ")
