"""What stands in a table of predictions is what is judged: no name, number or side of the threshold is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from judged_toys import table
from scipy.special import expit, logit
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from auditkit.cohort import known_people
from auditkit.engine.elsewhere import Columns, Given, Reading, read
from auditkit.engine.judging import Question, judge
from auditkit.engine.registry import Registry
from auditkit.errors import DataError
from auditkit.evidence.results import Results
from auditkit.testing import AuditProject, audit_project

ALL = Columns("truth", "score", (("gender",),), "person", "image", "arm", "seed")
BARE = Columns("truth", "score")


@pytest.fixture
def project() -> AuditProject:
    return audit_project({})


def given(folder: Path, frame: pd.DataFrame, form: str, columns: Columns = ALL, **reading: Any) -> Given:
    path = folder / f"p.{form}"
    if form == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return read(path, columns, Reading(**reading))


def judged(found: Given, columns: Columns = ALL, *metrics: str) -> Results:
    return judge(found, columns, Question("t", metrics=metrics or ("accuracy",)), Registry.load())[1]


def people(found: Given) -> int:
    return known_people(found.panel.identity)


def value(found: Given, metric: str) -> float | None:
    (one,) = [f for f in judged(found, BARE, metric).findings if f.over == () and f.quantity == "value"]
    return one.estimate


# ---------------------------------------------------------------------------------------------------- people and images


@pytest.mark.parametrize(
    "name",
    [
        lambda n: str(1234567890123456789 + n),
        lambda n: str(2**53 + n),
        lambda n: str(2**64 + n),
        lambda n: f"{n // 2:0{3 + n % 2}}",
        lambda n: f"{n // 2}{'.0' * (n % 2)}",
        lambda n: ("1e{}", "10e{}")[n % 2].format(n // 2 + 1 - n % 2),
    ],
    ids=["of 19 digits", "above 2^53", "above 2^64", "with zeros before", "with a point", "with an exponent"],
)
def test_different_texts_are_different_people_also_where_some_have_none(
    tmp_path: Path, name: Callable[[int], str]
) -> None:
    frame = table(seeds=1)
    frame["person"] = frame.person.map(name).where(frame.image != "0009.jpg")
    assert people(given(tmp_path, frame, "csv")) == 150


@pytest.mark.parametrize("first", [0, 2**53, 2**63])
def test_whole_numbers_are_the_same_people_in_csv_and_parquet(tmp_path: Path, first: int) -> None:
    frame = table()
    numbers = pd.Series([first + n for n in frame.person], dtype="UInt64")
    frame["person"] = numbers.where(frame.image != "0009.jpg")
    text, typed = (given(tmp_path, frame, form) for form in ("csv", "parquet"))
    assert people(text) == people(typed) == 150
    assert text.fingerprint == typed.fingerprint
    assert judged(text).findings == judged(typed).findings


def test_people_whose_numbers_were_written_with_a_point_are_the_same(tmp_path: Path) -> None:
    frame = table()
    frame["person"] = frame.person.astype(float).where(frame.image != "0009.jpg")
    text, typed = (given(tmp_path, frame, form) for form in ("csv", "parquet"))
    assert text.fingerprint == typed.fingerprint


def test_images_and_arms_keep_the_names_that_they_have(tmp_path: Path) -> None:
    frame = table()
    frame["image"] = frame.image.str.removesuffix(".jpg").str.zfill(5)
    frame["arm"] = frame.arm.map({"a": "2.0", "b": "10.0"})
    found = given(tmp_path, frame, "csv")
    assert (found.names[0], found.names[9]) == ("00000", "00009")
    assert found.arms == ("2.0", "10.0")


def test_images_whose_names_are_the_same_number_are_different_images(tmp_path: Path) -> None:
    frame = table()
    frame["image"] = frame.image.replace({"0001.jpg": "0", "0002.jpg": "00", "0003.jpg": "000"})
    assert len(given(tmp_path, frame, "csv").panel.row) == 450
    frame["image"] = frame.image.replace({"000": "0"})
    with pytest.raises(DataError, match="image '0' stands 2 times for arm 'a', seed 0"):
        given(tmp_path, frame, "csv")


@pytest.mark.parametrize(
    ("written", "seeds"),
    [
        (("2", "10"), (2, 10)),
        (("02", "10"), (2, 10)),
        (("2.0", "10.0"), (2, 10)),
        ((" 2", " 10"), (2, 10)),
        (("0", "00"), (0, 1)),
        (("1e1", "10"), (0, 1)),
        (("x", "y"), (0, 1)),
    ],
)
def test_seeds_are_numbers_where_all_are_different_whole_ones(
    tmp_path: Path, written: tuple[str, str], seeds: tuple[int, int]
) -> None:
    frame = table()
    frame["seed"] = frame.seed.map(dict(enumerate(written)))
    assert [arm.seeds for arm in given(tmp_path, frame, "csv").panel.arms] == [seeds, seeds]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_arms_that_are_numbers_stand_in_their_order(tmp_path: Path, form: str) -> None:
    frame = table()
    frame["arm"] = frame.arm.map({"a": 10, "b": 9})
    found = given(tmp_path, frame, form)
    assert ([arm.arm for arm in found.panel.arms], found.arms) == (["9", "10"], ("10", "9"))


# ------------------------------------------------------------------------------------------------------- floating point


@pytest.mark.parametrize(
    ("column", "dtype", "first", "shown"),
    [
        ("person", "float64", 2.0**53, "9007199254740992"),
        ("person", "Float64", 2.0**53, "9007199254740992"),
        ("person", "float32", 2.0**24, "16777216"),
        ("gender", "float64", 1e20, "1e+20"),
        ("image", "float64", -1e300, "-1e+300"),
    ],
)
def test_floating_point_that_tells_no_whole_numbers_apart(
    tmp_path: Path, column: str, dtype: str, first: float, shown: str
) -> None:
    frame = table()
    frame[column] = (pd.factorize(frame[column])[0] + np.full(len(frame), first)).astype(dtype.lower())
    frame[column] = frame[column].astype(dtype)
    with pytest.raises(DataError) as caught:
        given(tmp_path, frame, "parquet")
    assert str(caught.value) == (
        f"{tmp_path / 'p.parquet'}: column '{column}' holds floating point, which tells no whole numbers apart that "
        f"are as large as {shown} in row 1\n  write integers, or text that is no number"
    )


def test_people_and_groups_of_a_csv_with_numbers_beyond_all_integers(tmp_path: Path) -> None:
    frame = table()
    frame["person"] = frame.person.astype(str).replace("0", "1e300")
    assert people(given(tmp_path, frame, "csv")) == 150
    frame["gender"] = frame.gender.map({"f": "1e300", "m": "0"})
    line = 2 + int((frame.gender == "1e300").to_numpy().argmax())
    with pytest.raises(DataError, match=rf"column 'gender' holds floating point.* in line {line}\n"):
        given(tmp_path, frame, "csv")


# -------------------------------------------------------------------------------------------------- labels and an index


def test_columns_whose_labels_are_numbers(project: AuditProject) -> None:
    table(seeds=1)[["truth", "score"]].set_axis([0, 1], axis=1).to_parquet(project.folder / "p.parquet")
    project.run("judge", "p.parquet", "--truth", "0", "--score", "1", "--quiet").assert_success()


@pytest.mark.parametrize("index", [["image"], ["image", "seed"]])
def test_an_index_with_a_name_is_a_column(tmp_path: Path, index: list[str]) -> None:
    frame = table()
    plain, found = given(tmp_path, frame, "csv"), given(tmp_path, frame.set_index(index), "parquet")
    assert (plain.fingerprint, plain.names) == (found.fingerprint, found.names)
    assert judged(plain).findings == judged(found).findings


def test_an_index_with_the_name_of_a_column(tmp_path: Path) -> None:
    frame = table()
    frame.index = pd.Index(frame.image, name="image")
    with pytest.raises(DataError, match="there are several columns 'image'\n  give every column a name of its own"):
        given(tmp_path, frame, "parquet")


# --------------------------------------------------------------------------------------------------------------- scores


def scored(score: Any, truth: Any = None) -> pd.DataFrame:
    """Scores of images that are positive and negative in turns."""
    return pd.DataFrame({"truth": np.arange(len(score)) % 2 if truth is None else truth, "score": score})


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7, 0.999])
@pytest.mark.parametrize("logits", [False, True])
def test_scores_beside_the_threshold_are_on_their_own_side(tmp_path: Path, threshold: float, logits: bool) -> None:
    limit = logit(threshold) if logits else threshold
    score = limit + np.tile([-1e-9, -1e-13, 0, 1e-13, 1e-9, 1e-6, -1e-6, 0.0005], 20)
    frame = scored(score, np.tile([0, 0, 0, 1, 1, 1, 0, 1], 20))
    for form in ("csv", "parquet"):
        found = given(tmp_path, frame, form, BARE, threshold=threshold, logit=logits)
        assert value(found, "accuracy") == 1


def test_scores_in_single_precision_are_compared_in_it_as_numpy_does(tmp_path: Path) -> None:
    frame = scored(np.tile(np.array([0.2, 0.3, 0.3, 0.4], dtype=np.float32), 30))
    found = value(given(tmp_path, frame, "parquet", BARE, threshold=0.3), "accuracy")
    assert found == accuracy_score(frame.truth, frame.score > 0.3)


@pytest.mark.parametrize("times", [1, 25, 1000])
def test_ranks_are_those_of_the_logits_however_large(tmp_path: Path, times: float) -> None:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 2000)
    z = np.float32(times * (truth + rng.normal(0, 1.5, 2000)))
    found = given(tmp_path, scored(z, truth), "parquet", BARE, logit=True)
    assert value(found, "auroc") == pytest.approx(roc_auc_score(truth, z), abs=1e-12)
    assert value(found, "brier") == pytest.approx(brier_score_loss(truth, expit(z.astype(float))), abs=1e-9)


def test_logits_that_all_have_the_probability_1_are_ranked(tmp_path: Path) -> None:
    frame = scored(40 + np.arange(100) % 2)
    assert value(given(tmp_path, frame, "csv", BARE, logit=True), "auroc") == 1
    assert value(given(tmp_path, frame, "csv", BARE, logit=True), "expected_calibration_error") == pytest.approx(0.5)


def test_logits_beyond_single_precision_are_read_without_a_word(project: AuditProject) -> None:
    scored(np.where(np.arange(100) % 2 == 1, 1e300, -1e300)).to_csv(project.folder / "p.csv", index=False)
    asked = ("--truth", "truth", "--score", "score", "--logit", "--metrics", "accuracy,auroc", "--quiet")
    assert project.run("judge", "p.csv", *asked).assert_success().err == ""
    found = read(project.folder / "p.csv", BARE, Reading(logit=True))
    assert [value(found, metric) for metric in ("accuracy", "auroc")] == [1, 1]


def test_a_column_may_be_both_people_and_group(tmp_path: Path) -> None:
    frame = table()
    frame["person"] = frame.person % 40
    columns = replace(ALL, groups=(("person",),))
    assert given(tmp_path, frame, "csv", columns).panel.levels == {"person": tuple(range(40))}
