"""Predictions made elsewhere: the same numbers as an audit's, and every mistake in a table told in one sentence."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from judged_toys import SIMULATED, prepared, simulate, table
from scipy.special import expit
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score

from auditkit.engine.conclude import conclude
from auditkit.engine.elsewhere import Columns, Given, Reading, read
from auditkit.engine.judging import Question, judge
from auditkit.engine.registry import Registry
from auditkit.errors import AuditError, DataError
from auditkit.evidence.results import Finding, Results
from auditkit.testing import AuditProject, audit_project

ALL = Columns(
    truth="truth", score="score", groups=(("gender",),), identity="person", row="image", arm="arm", seed="seed"
)
BARE = Columns(truth="truth", score="score", groups=(("gender",),))
ASKED = ("--truth", "truth", "--score", "score", "--groups", "gender,gender*young")


def given(folder: Path, frame: pd.DataFrame, columns: Columns = ALL, **reading: Any) -> Given:
    path = folder / "p.parquet"
    frame.to_parquet(path)
    return read(path, columns, Reading(**reading))


def judged(found: Given, columns: Columns = ALL, **question: Any) -> Results:
    return judge(found, columns, Question(title="t", **question), Registry.load())[1]


def one(results: Results, **wanted: Any) -> Finding:
    (found,) = [f for f in results.findings if all(getattr(f, name) == value for name, value in wanted.items())]
    return found


@pytest.fixture(scope="module")
def project() -> AuditProject:
    made = audit_project({})
    table(seeds=5).to_csv(made.folder / "p.csv", index=False)
    return made


def refused(folder: Path, frame: pd.DataFrame, columns: Columns = ALL, **reading: Any) -> str:
    with pytest.raises(DataError) as caught:
        given(folder, frame, columns, **reading)
    assert caught.value.where == str(folder / "p.parquet")
    return str(caught.value).removeprefix(f"{caught.value.where}: ")


# ---------------------------------------------------------------------------------------------------------- the numbers


def test_the_numbers_are_those_of_an_audit_on_the_same_predictions(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SIMULATED)
    ready = prepared(tmp_path / "s.toml", tmp_path / "store")
    simulate(ready)
    ours = conclude(ready)
    young = ready.dataset.attributes.column("Young")
    parts = []
    for unit in ready.plan.units:
        p = ready.store.predictions(unit.digest)
        columns = {"row": p.row, "person": p.identity, "Young": young[p.row], "Male": p.truth, "logit": p.margin}
        parts.append(pd.DataFrame({**columns, "arm": unit.arm.name, "seed": unit.seed}))
    frame = pd.concat(parts).sample(frac=1, random_state=0)
    columns = Columns("Male", "logit", (("Young",),), "person", "row", "arm", "seed")
    question = Question("t", ("accuracy", "true_positive_rate", "brier"), reference="original")
    frame.to_csv(tmp_path / "p.csv", index=False)
    audit, theirs = judge(
        replaced := read(tmp_path / "p.csv", columns, Reading(logit=True)), columns, question, Registry.load()
    )
    assert replaced.notes == ()
    assert audit.evidence.reference == "original"
    mine = {(f.arm, f.metric, f.quantity, f.at, f.over): f for f in ours.findings}
    assert mine.keys() == {(f.arm, f.metric, f.quantity, f.at, f.over) for f in theirs.findings}
    # an audit's file asks for fewer replicates, so only what replicates have no part in is compared here
    drawn = {
        "interval",
        "simultaneous",
        "noise",
        "people_error",
        "verdict",
        "explanation",
        "because",
        "undefined_replicates",
    }
    nothing: dict[str, Any] = dict.fromkeys(drawn)
    for f in theirs.findings:
        assert replace(f, **nothing) == replace(mine[f.arm, f.metric, f.quantity, f.at, f.over], **nothing)
    assert ours.flip_counts == theirs.flip_counts


def test_with_as_many_replicates_even_the_intervals_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SIMULATED.replace("replicates = 400", "replicates = 10000"))
    ready = prepared(tmp_path / "s.toml", tmp_path / "store")
    simulate(ready)
    p = [(unit, ready.store.predictions(unit.digest)) for unit in ready.plan.units]
    young = ready.dataset.attributes.column("Young")
    frame = pd.concat(
        pd.DataFrame(
            {
                "row": q.row, "person": q.identity, "Young": young[q.row], "Male": q.truth,
                "p": expit(q.margin.astype(float)), "arm": unit.arm.name, "seed": unit.seed,
            }
        )
        for unit, q in p
    )  # fmt: skip
    columns = Columns("Male", "p", (("Young",),), "person", "row", "arm", "seed")
    metrics = ("accuracy", "true_positive_rate", "brier")
    theirs = judged(given(tmp_path, frame, columns), columns, metrics=metrics, reference="original")
    ours = conclude(ready)
    assert [f.simultaneous for f in ours.findings if f.metric != "brier"] == [
        f.simultaneous for f in theirs.findings if f.metric != "brier"
    ]
    for mine, other in zip(ours.findings, theirs.findings, strict=True):
        assert mine.verdict == other.verdict
        if mine.interval and other.interval:
            assert [other.interval.low, other.interval.high] == pytest.approx(
                [mine.interval.low, mine.interval.high], abs=1e-6
            )


def test_values_are_scikit_learns(tmp_path: Path) -> None:
    frame = table(seeds=1)
    results = judged(given(tmp_path, frame, threshold=0.7), metrics=("accuracy", "true_positive_rate", "brier"))
    women = frame[(frame.arm == "b") & (frame.gender == "f")]
    predicted = women.score > 0.7
    at = {"arm": "b", "at": (("gender", "f"),), "quantity": "value"}
    assert one(results, metric="accuracy", **at).estimate == pytest.approx(accuracy_score(women.truth, predicted))
    assert one(results, metric="true_positive_rate", **at).estimate == pytest.approx(
        recall_score(women.truth, predicted)
    )
    assert one(results, metric="brier", **at).estimate == pytest.approx(
        brier_score_loss(women.truth, women.score), abs=1e-6
    )


def test_a_score_at_the_threshold_is_negative_and_certain_scores_are_read(tmp_path: Path) -> None:
    frame = table(seeds=1)
    frame["score"] = np.where(frame.truth == 1, 1.0, np.where(frame.young == 1, 0.7, 0.0))
    all_of_a = {"arm": "a", "over": (), "quantity": "value"}
    at, below = (judged(given(tmp_path, frame, threshold=t), metrics=("accuracy", "brier")) for t in (0.7, 0.69))
    assert one(at, metric="accuracy", **all_of_a).estimate == 1.0
    assert one(below, metric="accuracy", **all_of_a).estimate == pytest.approx(1 - (frame.score == 0.7).mean())
    assert one(at, metric="brier", **all_of_a).estimate == pytest.approx(0.49 * (frame.score == 0.7).mean(), abs=1e-6)


def test_a_gap_is_that_of_the_groups_means_over_seeds(tmp_path: Path) -> None:
    frame = table().query("arm == 'a'")
    ahead = frame.seed.map({0: "f", 1: "m"})
    wrong = (frame.gender != ahead) & (frame.groupby(["seed", "gender"]).cumcount() % 4 == 0)
    frame["score"] = np.abs(frame.truth - np.where(wrong, 0.9, 0.1))
    found = judged(given(tmp_path, frame), metrics=("accuracy",))
    gap, ratio = (one(found, over=("gender",), quantity=quantity) for quantity in ("gap", "ratio"))
    assert gap.estimate == pytest.approx(0, abs=0.002)
    assert ratio.estimate == pytest.approx(1, abs=0.002)
    assert gap.per_seed == pytest.approx((0.25, 0.25), abs=0.003)
    assert ratio.per_seed == pytest.approx((0.75, 0.75), abs=0.003)
    assert gap.seed_sd == pytest.approx(0, abs=0.003)


def test_a_planted_harm_is_found_where_it_was_planted(project: AuditProject) -> None:
    command = ("judge", "p.csv", *ASKED, "--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    out = project.run(*command, "--explore", "young").assert_success().out
    assert "b against a, accuracy of gender f: changed by" in out.replace("\n  ", " ")
    folder = project.folder / "reports" / "p-judged"
    assert {"report.html", "report.md", "findings.json", "findings.csv"} <= {p.name for p in folder.iterdir()}
    found = json.loads((folder / "findings.json").read_text())
    assert "spillover of truth" in found["families"]
    assert "<strong>" not in (folder / "report.md").read_text()


def test_one_model_gets_an_answer_about_its_groups(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("arm == 'b' and seed == 0")
    frame.to_csv(project.folder / "single.csv", index=False)
    out = project.run("judge", "single.csv", *ASKED, "--identity", "person").assert_success().out
    assert "truth: accuracy, gender m minus gender f: +" in out.replace("\n  ", " ")
    frame.query("gender == 'f'").to_csv(project.folder / "women.csv", index=False)
    out = project.run("judge", "women.csv", *ASKED, "--identity", "person").assert_success().out
    said = "over gender: not estimable ('gender' has one level only)."
    assert said in out.replace("\n  ", " ")


def test_no_torch_is_needed(project: AuditProject) -> None:
    code = (
        "import sys; from auditkit.cli import exit_code;"
        f"code = exit_code({['judge', 'p.csv', *ASKED, '--arm', 'arm', '--seed', 'seed', '--quiet']!r});"
        "print(code, sorted({'torch', 'torchvision'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


# -------------------------------------------------------------------------------------------------------- matching rows


def test_the_order_of_lines_does_not_matter_where_photos_are_named(tmp_path: Path) -> None:
    frame = table()
    first = judged(given(tmp_path, frame), reference="a")
    again = judged(given(tmp_path, frame.sample(frac=1, random_state=1)), reference="a")
    assert sorted(map(repr, first.findings)) == sorted(map(repr, again.findings))


def test_photos_are_matched_by_order_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    by_name = given(tmp_path, table())
    by_order = given(tmp_path, table(), replace(ALL, row=None))
    assert by_order.notes == (
        "the images of all arms and seeds were matched by the order of their rows, in which truth and groups agree; "
        "--row names them for certain",
        "2 columns were not looked at: 'image', 'young'; an option such as --groups, --explore or --identity names a "
        "column",
    )
    assert judged(by_name).findings == judged(by_order).findings


def test_unmatched_arms_are_compared_unpaired_and_it_is_said_what_that_costs(tmp_path: Path) -> None:
    frame = table()
    other = frame[frame.arm == "b"].groupby("seed", group_keys=False).apply(lambda part: part.iloc[::-1])
    other["seed"] = np.repeat([0, 1], len(other) // 2)
    apart = given(tmp_path, pd.concat([frame[frame.arm == "a"], other]), replace(ALL, row=None, identity=None))
    assert apart.notes[0].startswith("the images of different arms could not be matched, so every arm is taken to be")
    assert len(apart.panel.row) == 2 * 450
    names = replace(ALL, identity=None)
    unpaired, paired = judged(apart, names), judged(given(tmp_path, frame, names), names)
    wide, narrow = (one(r, quantity="change", over=(), metric="accuracy") for r in (unpaired, paired))
    assert wide.estimate == pytest.approx(narrow.estimate)
    assert not any("no image was put to two arms" in remark for remark in unpaired.remarks)  # nobody knows
    assert wide.people_error > narrow.people_error  # type: ignore[operator]


def test_people_are_matched_though_their_images_are_not(tmp_path: Path) -> None:
    frame = table()
    shuffled = pd.concat([frame[frame.arm == "a"], frame[frame.arm == "b"].iloc[::-1]])
    apart = given(tmp_path, shuffled, replace(ALL, row=None))
    assert apart.notes[0] == (
        "the images of different arms could not be matched, so every arm is taken to be tested on images of its own: "
        "images are counted for each arm, and changes are paired by person only; --row matches images"
    )
    found, known = judged(apart), judged(given(tmp_path, frame))
    assert not any("no image was put to two arms" in remark for remark in found.remarks)
    mine, theirs = (one(r, quantity="change", over=(), metric="accuracy") for r in (found, known))
    assert mine.interval == theirs.interval


def test_other_groups_do_not_make_other_data_of_named_images(tmp_path: Path) -> None:
    frame, more = table(), replace(ALL, groups=(("gender",), ("young",)))
    assert given(tmp_path, frame).fingerprint == given(tmp_path, frame, more).fingerprint
    unnamed = [replace(columns, row=None, identity=None) for columns in (ALL, more)]
    assert len({given(tmp_path, frame, columns).fingerprint for columns in unnamed}) == 2


def test_another_threshold_makes_other_decisions_and_reports_say_it(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    for threshold in ("0.5", "0.9"):
        project.run("judge", "p.csv", *ASKED, *told, "--threshold", threshold, "--reports", threshold).assert_success()
    note = "a prediction is positive above a probability of 0.9, not 0.5 (--threshold)"
    assert note in project.read("0.9/p-judged/report.md") and note not in project.read("0.5/p-judged/report.md")
    out = project.run("compare", "0.5/p-judged", "0.9/p-judged", "--all").assert_success().out
    assert "the very same networks" not in out
    assert [line.split() for line in out.splitlines() if "score.threshold" in line] == [
        ["score.threshold", "0.5", "0.9"]
    ]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--metrics", ""), "--metrics: no metric is named\n  as in --metrics accuracy,auroc\n"),
        (("--margin", "1"), "Error: Invalid value for '--margin': 1.0 is not in the range 0<=x<1.\n"),
    ],
)
def test_options_that_ask_for_nothing_are_refused(project: AuditProject, option: tuple[str, str], said: str) -> None:
    assert project.run("judge", "p.csv", *ASKED, *option).assert_code(2).err.endswith(said)


def test_a_margin_has_the_units_of_its_metric(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    asked = ("--truth", "truth", "--score", "score", "--groups", "gender", "--metrics", "auroc", "--margin", "0.2")
    out = " ".join(project.run("judge", "p.csv", *asked, *told, "--reports", "auroc").assert_success().out.split())
    assert "m: no change larger than 0.2 (" in out and " points" not in out


def test_an_arm_with_one_seed_beside_one_with_more_is_named(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("seed < 3 and (arm == 'a' or seed < 1)")
    frame.to_csv(project.folder / "alone.csv", index=False)
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    out = " ".join(project.run("judge", "alone.csv", *ASKED, *told).assert_success().out.split())
    assert "]); training variance not measured with one seed. Accuracy of" in out
    assert "]); training variance not measured with one seed." in out
    assert "seeds 1 to 3 Support" in out
    assert 'Seeds one seed in b: training variance not measured, so no change to or from it is called "changed" ' in out
    assert (
        "Note truth: training variance not measured in arm 'b', which has one seed: no change to or from it is called "
        "one, and its own intervals leave it out ! Note"
    ) in out


def test_a_single_model_is_no_reference(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("arm == 'b' and seed == 0")
    frame.to_csv(project.folder / "only.csv", index=False)
    out = " ".join(project.run("judge", "only.csv", *ASKED, "--identity", "person").assert_success().out.split())
    assert " arms model seeds 1 " in out
    assert (
        "Note truth: training variance not measured in arm 'model', which has one seed: its own intervals leave it out"
    ) in out


def test_arms_with_two_and_three_seeds(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("seed < 3 and (arm == 'a' or seed < 2)")
    frame.to_csv(project.folder / "unlike.csv", index=False)
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    outcome = project.run("judge", "unlike.csv", *ASKED, *told).assert_success()
    assert outcome.err == ""
    assert "2 to 3 seeds per arm" in outcome.out


def test_seeds_with_photos_of_their_own(tmp_path: Path) -> None:
    frame = table()
    short = frame.drop(frame[(frame.arm == "b") & (frame.seed == 1)].index[:5])
    found = given(tmp_path, short, replace(ALL, row=None))
    assert [note[:36] for note in found.notes] == [
        "the images of different arms could n",
        "the images of different seeds could ",
        "2 columns were not looked at: 'image",
    ]
    assert one(judged(found), arm="b", quantity="value", over=(), metric="accuracy").per_seed


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


def test_a_column_without_values_leaves_the_rest_standing(project: AuditProject) -> None:
    pd.read_csv(project.folder / "p.csv").assign(hat=None).to_csv(project.folder / "hat.csv", index=False)
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    asked = ("--truth", "truth", "--score", "score", "--groups", "hat,gender", *told)
    out = project.run("judge", "hat.csv", *asked).assert_success().out.replace("\n  ", " ")
    assert "b against a, accuracy of gender f: changed by" in out
    assert "truth: 450 of 450 images have no value of 'hat' and are left out of its groups" in " ".join(out.split())


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


def test_a_group_over_the_truth_is_undefined_by_definition(tmp_path: Path) -> None:
    columns = replace(ALL, groups=(("truth",),))
    results = judged(given(tmp_path, table(), columns), columns)
    rates = [f for f in results.findings if f.metric == "true_positive_rate" and f.over == ("truth",)]
    assert {f.status for f in rates} == {"undefined by definition"}


# ------------------------------------------------------------------------------------------------------------- mistakes


def test_a_missing_column(tmp_path: Path) -> None:
    said = refused(tmp_path, table(), replace(ALL, score="scor"))
    assert said == "there is no column 'scor'\n  did you mean 'score'?"
    said = refused(tmp_path, table()[["truth", "score", "gender"]], Columns("truth", "scor", (("age",), ("gender",))))
    assert said == "there are no columns 'scor' and 'age'\n  its columns are truth, score, gender"


def test_a_name_that_cannot_be_a_group(project: AuditProject) -> None:
    table().rename(columns={"gender": "gender, as told"}).to_csv(project.folder / "comma.csv", index=False)
    asked = ("--truth", "truth", "--score", "score", "--groups", "gender, as told")
    assert project.run("judge", "comma.csv", *asked).assert_code(2).err == (
        "comma.csv: there are no columns 'gender' and 'as told'\n  its columns are image, person, gender, as told, "
        "young, truth, score, arm, seed; a name with a comma or * cannot be asked for as a group: rename the column\n"
    )


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


def test_probabilities_that_are_read_as_logits_are_warned_of(project: AuditProject) -> None:
    names = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    outcome = project.run("judge", "p.csv", *ASKED, *names, "--logit", "--quiet", "--reports", "logit").assert_success()
    warning = "column 'score' is read as logits, and all of it lies in 0 to 1: probabilities are read without --logit"
    assert outcome.out == f"report  logit/p-judged/report.html\n! {warning}\n"
    assert warning in project.read("logit/p-judged/report.md")


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


def test_arms_and_seeds_that_no_option_names_are_warned_of(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("seed < 2").drop(columns="image")
    frame.sample(frac=1, random_state=0).to_csv(project.folder / "shuffled.csv", index=False)
    outcome = project.run("judge", "shuffled.csv", *ASKED, "--arm", "arm", "--quiet").assert_success()
    warning = (
        "column 'seed' was not looked at, so lines of all its levels count as different images; --seed seed tells them "
        "apart"
    )
    assert outcome.out == f"report  reports/shuffled-judged/report.html\n! {warning}\n"
    assert warning in project.read("reports/shuffled-judged/report.md")


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


def test_arms_and_metrics_that_do_not_exist(tmp_path: Path) -> None:
    found = given(tmp_path, table())
    with pytest.raises(AuditError) as caught:
        judged(found, reference="c")
    assert str(caught.value) == "--reference: there is no arm 'c'\n  there are 'a' and 'b'"
    with pytest.raises(AuditError) as caught:
        judged(found, placebo="a")
    assert str(caught.value) == (
        "--placebo: arm 'a' is the reference already\n  name another arm here, or another --reference"
    )
    with pytest.raises(AuditError) as caught:
        judged(found, metrics=("acuracy",))
    assert str(caught.value) == "--metrics: unknown metric 'acuracy'\n  did you mean 'accuracy'?"
    with pytest.raises(AuditError) as caught:
        judged(found, metrics=("accuracy", "auditkit:accuracy"))
    assert str(caught.value) == "--metrics: metric 'accuracy' is there twice"


def test_a_metric_may_be_named_with_its_distribution(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    reports = []
    for metric in ("accuracy", "auditkit:accuracy"):
        outcome = project.run("judge", "p.csv", *ASKED, *told, "--metrics", metric).assert_success()
        reports.append((outcome.out.partition("! this replaced")[0], project.read("reports/p-judged/report.md")))
    assert "b against a, accuracy of gender f: changed by" in reports[0][0].replace("\n  ", " ")
    assert reports[0] == (reports[1][0], reports[1][1].replace("auditkit:accuracy", "accuracy"))


def test_the_arm_that_was_taken_for_the_reference_is_told_where_none_was_named(tmp_path: Path) -> None:
    found = given(tmp_path, table())
    note = "changes are measured from 'a', the first arm; --reference names another"
    assert note in judged(found).facts["warnings"]
    assert not any("--reference" in text for text in judged(found, reference="a").facts["warnings"])


def test_the_same_columns_make_one_group_in_any_order(project: AuditProject) -> None:
    names = ["--truth", "truth", "--score", "score", "--arm", "arm", "--seed", "seed", "--row", "image"]
    project.run("judge", "p.csv", *names, "--groups", "gender*young,young*gender", "--quiet").assert_success()
    found = json.loads(project.read("reports/p-judged/findings.json"))["findings"]
    assert {tuple(one["over"]) for one in found} == {(), ("gender", "young")}


def test_a_report_of_other_options_is_replaced_and_it_is_said(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    place = "report  reports/again-judged/report.html\n"
    pd.read_csv(project.folder / "p.csv").to_csv(project.folder / "again.csv", index=False)
    assert project.run("judge", "again.csv", *ASKED, *told, "--quiet").assert_success().out == place
    assert project.run("judge", "again.csv", *told, *ASKED, "--quiet").assert_success().out == place
    assert project.run("judge", "again.csv", *ASKED, *told, "--margin", "0.01", "--quiet").assert_success().out == (
        f"{place}! this replaced the report of other columns or options; --reports PATH keeps both. The earlier was "
        "made by:\n    auditkit judge again.csv --truth truth --score score --groups 'gender,gender*young' --identity "
        "person --row image --arm arm --seed seed\n"
    )
    command = json.loads(project.read("reports/again-judged/findings.json"))["facts"]["command"]
    assert command.endswith("--seed seed --margin 0.01")
    project.run(*shlex.split(command)[1:], "--logit", "--reports", "other", "--quiet").assert_success()
    assert "--logit" in project.read("other/again-judged/report.md")


def test_mistakes_on_the_command_line_end_with_2(project: AuditProject) -> None:
    outcome = project.run("judge", "p.csv", "--truth", "truth", "--score", "score", "--groups", "gender*gender")
    assert (outcome.code, outcome.err) == (2, "--groups: gender*gender names a column twice\n")
    outcome = project.run("judge", "p.csv", "--truth", "truth", "--score", "score", "--groups", "gender,")
    assert outcome.err == "--groups: 'gender,' has an empty name\n  as in --groups gender,age,gender*age\n"
    assert project.run("judge", "p.csv", "--truth", "truth").assert_code(2).err.endswith("Missing option '--score'.\n")
