"""Tables of predictions: what is read of them where something is missing, and every mistake told in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from elsewhere_toys import ALL, given, judged, refused
from judged_toys import table

from auditkit.engine.elsewhere import Columns, Reading, read
from auditkit.errors import DataError

BARE = Columns(truth="truth", score="score", groups=(("gender",),))


def test_without_a_column_of_arms_or_seeds_there_is_one(tmp_path: Path) -> None:
    frame = table(seeds=1).query("arm == 'a'")
    found = given(tmp_path, frame, BARE)
    assert [(arm.arm, arm.seeds) for arm in found.panel.arms] == [("model", (0,))]
    assert not found.panel.identities_known
    assert found.notes == (
        "5 columns were not looked at: 'image', 'person', 'young', 'arm', 'seed'; an option such as --groups, "
        "--explore or --identity names a column",
    )
    many = frame.assign(**dict.fromkeys("uvwxyz", 0))
    assert "'arm', 'seed', 'u' and 5 more; an option" in given(tmp_path, many, BARE).notes[0]


def test_missing_groups_and_identities_are_left_out_not_guessed(tmp_path: Path) -> None:
    frame = table(seeds=1)
    frame["gender"] = frame["gender"].astype(object).where(frame["image"] != "0007.jpg", None)
    frame["person"] = frame["person"].astype("Int64").where(frame["image"] != "0009.jpg")
    panel = given(tmp_path, frame).panel
    assert panel.attributes["gender"][7] == -1
    assert (panel.identity == -1).nonzero()[0].tolist() == [9]


def test_a_column_of_identities_without_values_is_as_if_none_were_known(tmp_path: Path) -> None:
    frame = table(seeds=1)
    frame["person"] = pd.Series([None] * len(frame), dtype="string")
    found, without = given(tmp_path, frame), given(tmp_path, frame, replace(ALL, identity=None))
    assert found.notes[0] == "column 'person', named by --identity, is empty"
    assert found.fingerprint == without.fingerprint
    mine, theirs = judged(found), judged(without)
    assert (mine.findings, mine.remarks) == (theirs.findings, theirs.remarks)
    assert mine.facts["dataset"]["identities"] is None
    assert mine.remarks[0] == (
        "truth: who is on the images is not known; every image counts as a person of its own, so intervals are too "
        "narrow where one person has several images"
    )


def test_levels_of_text_numbers_and_truth_values(tmp_path: Path) -> None:
    frame = table(seeds=1)
    frame["young"] = frame["young"].astype(float).where(frame["image"] != "0001.jpg")
    frame["flag"] = frame["truth"] == 1
    columns = replace(ALL, groups=(("gender",), ("young",), ("flag",)))
    assert given(tmp_path, frame, columns).panel.levels == {
        "gender": ("f", "m"), "young": (0, 1), "flag": (False, True)
    }  # fmt: skip


def test_one_level_of_many_is_judged_against_all_others(tmp_path: Path) -> None:
    frame = table(seeds=1)
    frame["truth"] = np.where(frame.truth == 1, "cat", np.where(frame.young == 1, "dog", "owl"))
    found = given(tmp_path, frame, positive="cat")
    assert (found.positive, int(found.panel.truth.sum())) == ("cat", int((frame.truth == "cat").sum() // 2))


def test_a_missing_column(tmp_path: Path) -> None:
    said = refused(tmp_path, table(), replace(ALL, score="scor"))
    assert said == "there is no column 'scor'\n  did you mean 'score'?"
    said = refused(tmp_path, table()[["truth", "score", "gender"]], Columns("truth", "scor", (("age",), ("gender",))))
    assert said == "there are no columns 'scor' and 'age'\n  its columns are truth, score, gender"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("truth,score,score\n1,0.2,0.9\n", "there are several columns 'score'\n  give every column a name of its own"),
        (
            "truth,score\n0,1,0.2\n1,0,0.9\n",
            "cannot read the table: the first line names 2 columns, and lines have more fields\n"
            "  a table is CSV, its first line naming every column, or Parquet",
        ),
    ],
)
def test_names_and_fields_that_do_not_belong_together(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read(path, Columns("truth", "score"), Reading())
    assert str(caught.value) == f"{path}: {said}"


def test_commas_at_the_ends_of_lines_move_no_column(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("truth,score\n0,0.2,\n1,0.9,\n")
    assert read(path, Columns("truth", "score"), Reading()).panel.truth.tolist() == [0, 1]


def test_scores_that_are_no_numbers(tmp_path: Path) -> None:
    frame = table()
    frame["score"] = frame["score"].astype(object).astype(str)
    frame.loc[4, "score"] = "high"
    assert refused(tmp_path, frame) == (
        "column 'score' is not numeric: 'high' in row 5\n"
        "  the score is the probability of the positive level, or with --logit its logit"
    )


def test_scores_that_are_missing(tmp_path: Path) -> None:
    frame = table()
    frame.loc[[2, 8], "score"] = np.nan
    assert refused(tmp_path, frame) == (
        "column 'score' has 2 missing values, the first in row 3\n  fill them in, or leave these rows out"
    )


def test_a_line_of_a_text_file_is_named_as_an_editor_counts_it(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text('note,truth,score\na,0,0.25\n\n"two\nlines",1,0.5\nb,1,high\n')
    with pytest.raises(DataError, match="'high' in line 6"):
        read(path, Columns("truth", "score"), Reading())


def test_scores_that_are_no_probabilities(tmp_path: Path) -> None:
    frame = table()
    frame.loc[3, "score"] = 1.5
    assert refused(tmp_path, frame) == (
        "column 'score' is no probability: 1.5 in row 4 is outside of 0 to 1\n"
        "  --logit reads logits; the score is the probability of the positive level"
    )
    assert given(tmp_path, frame, logit=True).warnings == ()


def test_the_truth_is_no_prediction(tmp_path: Path) -> None:
    said = refused(tmp_path, table(), replace(ALL, score="truth"))
    assert said == "truth and score are the same column 'truth'\n  name the column of predictions"


def test_a_photo_that_stands_twice(tmp_path: Path) -> None:
    said = refused(tmp_path, table(), replace(ALL, seed=None))
    assert said == (
        "image '0000.jpg' stands 2 times for arm 'a', seed 0\n"
        "  --arm and --seed name the columns that tell its lines apart; of lines that are the same leave one"
    )


def test_images_that_would_count_several_times_without_their_column(tmp_path: Path) -> None:
    frame = table(seeds=3).rename(columns={"image": "File_Name"})
    other = "a column of other things needs another name"
    said = "column 'File_Name' names 450 images, which would count as 2,700: one stands"
    assert refused(tmp_path, frame, replace(ALL, row=None, seed=None)) == (
        f"{said} 3 times for one arm and seed\n  give --row File_Name, --seed seed; {other}"
    )
    assert refused(tmp_path, frame, BARE) == (
        f"{said} 6 times for one arm and seed\n  give --row File_Name, --arm arm, --seed seed; {other}"
    )
    assert given(tmp_path, frame, replace(ALL, row=None)).warnings == ()


def test_images_without_names_that_would_count_several_times(tmp_path: Path) -> None:
    frame = table().drop(columns="image")
    assert refused(tmp_path, frame, replace(ALL, row=None, seed=None)) == (
        "each of the 2 levels of column 'seed' has the same truth and groups line by line: images would count several "
        "times\n  give --seed seed; a column of other things needs another name"
    )


def test_truth_with_too_many_levels(tmp_path: Path) -> None:
    frame = table()
    frame["truth"] = frame.truth + frame.young
    assert refused(tmp_path, frame) == (
        "truth has two levels, and column 'truth' has 3 levels: 0, 1, 2\n"
        "  --positive LEVEL judges one level against all others"
    )


def test_truth_with_one_level(tmp_path: Path) -> None:
    frame = table()
    frame["truth"] = 1
    assert refused(tmp_path, frame) == (
        "truth has two levels, and column 'truth' has 1 level: 1\n  a table to be judged has images of both levels"
    )


def test_truth_whose_positive_level_is_not_said(tmp_path: Path) -> None:
    frame = table()
    frame["truth"] = np.where(frame.truth == 1, "yes", "no")
    assert refused(tmp_path, frame) == (
        "column 'truth' has the levels 'no' and 'yes', and which is positive is not said\n  as in --positive yes"
    )
    assert refused(tmp_path, frame.assign(truth=frame.truth.replace({"yes": "ja", "no": "nein"}))).endswith(
        "\n  as in --positive ja"
    )
    assert refused(tmp_path, frame, positive="yess") == (
        "column 'truth' has no level 'yess'\n  did you mean 'yes'? there are 'no' and 'yes'"
    )


@pytest.mark.parametrize("column", ["truth", "gender", "person"])
def test_what_must_not_differ_between_the_lines_of_a_photo(tmp_path: Path, column: str) -> None:
    frame = table()
    last = frame.index[-1]
    frame.loc[last, column] = {"truth": 1 - frame.truth[last], "gender": "x", "person": 9999}[column]
    assert refused(tmp_path, frame) == (
        f"column '{column}' differs between the lines of image '0449.jpg'\n  an image is the same in every arm and seed"
    )


def test_groups_of_too_many_levels(tmp_path: Path) -> None:
    assert refused(tmp_path, table(), replace(ALL, groups=(("person",),))) == (
        "column 'person' has 150 levels, and groups can be made of 50\n  cut it into a few ranges first"
    )


def test_too_many_groups_of_several_columns(tmp_path: Path) -> None:
    frame = table()
    frame["floor"], frame["room"] = frame.person % 9, frame.person // 9
    assert refused(tmp_path, frame, replace(ALL, groups=(("floor", "room"),))) == (
        "floor * room makes 150 groups, all pairs of which are compared: at most 100\n"
        "  name fewer columns together, or cut one into a few ranges first"
    )


def test_an_empty_table_and_none(tmp_path: Path) -> None:
    assert refused(tmp_path, table().head(0)) == "the table has no rows"
    with pytest.raises(DataError, match="there is no such table"):
        read(tmp_path / "absent.csv", ALL, Reading())
    (tmp_path / "broken.csv").write_text('a,b\n1,"2\n')
    with pytest.raises(DataError, match="cannot read the table"):
        read(tmp_path / "broken.csv", ALL, Reading())
