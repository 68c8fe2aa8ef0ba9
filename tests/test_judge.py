"""Predictions made elsewhere: the same numbers as an audit's, however the lines of arms and seeds are matched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from elsewhere_toys import ALL, given, judged, one
from judged_toys import SIMULATED, prepared, simulate, table
from scipy.special import expit
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score

from auditkit.engine.conclude import conclude
from auditkit.engine.elsewhere import Columns, Reading, read
from auditkit.engine.judging import Question, judge
from auditkit.engine.registry import Registry

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


def test_a_group_over_the_truth_is_undefined_by_definition(tmp_path: Path) -> None:
    columns = replace(ALL, groups=(("truth",),))
    results = judged(given(tmp_path, table(), columns), columns)
    rates = [f for f in results.findings if f.metric == "true_positive_rate" and f.over == ("truth",)]
    assert {f.status for f in rates} == {"undefined by definition"}


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
