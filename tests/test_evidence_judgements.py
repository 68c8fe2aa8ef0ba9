"""Verdicts in words, published figures, gates, the scan and flips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import ACCURACY, evidence, pick, toy_panel, with_column, with_margin

from auditkit.cohort import Attributes
from auditkit.evidence.findings import derive
from auditkit.evidence.flips import flips
from auditkit.evidence.judgements import find, judge_gates, judge_published, printed_range
from auditkit.evidence.results import Finding, Interval
from auditkit.evidence.scan import Pools, scan
from auditkit.evidence.uncertainty import Spread
from auditkit.evidence.verdicts import Basis, decide
from auditkit.spec.model import Gate, Published, Selector

PANEL = toy_panel(effect=2.0)
EVIDENCE = evidence(groups=(("Bald",), ("Male", "Young")))


@pytest.fixture(scope="module")
def findings() -> tuple[Finding, ...]:
    return derive([PANEL], EVIDENCE, ACCURACY).findings


# ---------------------------------------------------------------------------------------------------------- verdicts


def basis(**changes: Any) -> Basis:
    one = np.ones(1)
    spread = Spread(4e-5 * one, 99 * one, 6e-5 * one, 4 * one, 6e-5 * one, np.zeros(1, dtype=np.int64))
    plain = Basis(
        estimate=-0.031,
        interval=Interval(-0.040, -0.022),
        margin=0.005,
        percent=True,
        people=100,
        seeds=3,
        spread=spread,
        score=2.5,
        noise=0.012,
    )
    return replace(plain, **changes)


def test_changed() -> None:
    assert decide(basis()) == (
        "changed",
        "changed by -3.1 points [-4.0, -2.2]; seeds alone move it by up to 1.2",
    )


def test_numbers_that_are_no_percentages_have_three_decimals() -> None:
    assert decide(basis(percent=False, noise=None))[1] == "changed by -0.031 [-0.040, -0.022]"


def test_no_change_even_where_it_differs_from_zero() -> None:
    verdict, words = decide(basis(estimate=0.002, interval=Interval(0.001, 0.003)))
    assert verdict == "no change larger than the margin"
    assert words == "no change larger than the declared margin of 0.5: +0.2 points [+0.1, +0.3]"


def test_cannot_tell_and_what_would_help() -> None:
    wide = Interval(-0.05, 0.01)
    verdict, words = decide(basis(estimate=-0.02, interval=wide))
    assert verdict == "cannot tell"
    assert words.startswith("cannot tell (-2.0 points [-5.0, +1.0]): about ")
    one = np.ones(1)
    seeds_only = Spread(1e-7 * one, 99 * one, 2e-4 * one, 4 * one, 2e-4 * one, np.zeros(1, dtype=np.int64))
    _, words = decide(basis(estimate=-0.02, interval=wide, spread=seeds_only))
    assert words.endswith("seeds would be needed; more people alone would not help")
    people_only = replace(seeds_only, people=2e-4 * one, seeds=0 * one)
    _, words = decide(basis(estimate=-0.02, interval=wide, spread=people_only))
    assert words.endswith("people would be needed; more seeds alone would not help")
    both = replace(seeds_only, people=2e-4 * one)
    _, words = decide(basis(estimate=-0.02, interval=wide, spread=both))
    assert words.endswith("neither alone would help")
    hopeless = replace(seeds_only, people=9.0 * one)
    _, words = decide(basis(estimate=-0.02, interval=wide, spread=hopeless))
    assert words.endswith("even 1000 times as many people and seeds would not decide it")


def test_what_would_be_needed_is_enough() -> None:
    wide = basis(estimate=-0.025, interval=Interval(-0.05, 0.01), score=2.0)
    words = decide(wide)[1].split("about ")[1]
    people, seeds = int(words.split(" people")[0]), int(words.split("or ")[1].split(" seeds")[0])
    spread = wide.spread
    for more, fewer in ((people, people - 5), (seeds, seeds - 1)):
        enough, short = (
            replace(spread, people=spread.people * 100 / count, people_df=spread.people_df * count / 100)
            if more == people
            else replace(spread, seeds=spread.seeds * 3 / count, seeds_df=spread.seeds_df * (count - 1) / 2)
            for count in (more, fewer)
        )
        assert enough.half_width(2.0)[0] <= 0.025 < short.half_width(2.0)[0]


def test_one_seed_has_no_verdict() -> None:
    verdict, words = decide(basis(seeds=1))
    assert verdict == "cannot tell"
    assert words == (
        "training variance not measured: with one seed, -3.1 points [-4.0, -2.2] holds for these trained networks on "
        "other people, not for training again; about 5 seeds would be needed"
    )


# ---------------------------------------------------------------------------------------------------------- selectors


def selector(**wanted: Any) -> Selector:
    return Selector(**{"task": "Smiling", "arm": "arm1"} | wanted)


def test_a_selector_names_one_finding_in_any_order_of_attributes(findings: tuple[Finding, ...]) -> None:
    found = find(findings, selector(over=("Young", "Male"), at={"Young": 1, "Male": 0}), EVIDENCE)
    assert found == pick(findings, over=("Male", "Young"), at=(("Male", 0), ("Young", 1)))
    assert find(findings, selector(quantity="change"), EVIDENCE) == pick(findings, quantity="change")
    assert find(findings, selector(arm="nobody"), EVIDENCE) is None
    assert find(findings, selector(quantity="change", against="arm2"), EVIDENCE) is None


# -------------------------------------------------------------------------------------------------------------- gates


def gate(findings: tuple[Finding, ...], wanted: Selector, **bounds: float) -> tuple[str, str]:
    (row,) = judge_gates([Gate(finding=wanted, **bounds)], findings, EVIDENCE, places=["a.toml:7"])
    assert row.place == "a.toml:7"
    return row.outcome, row.detail


def test_gates_are_decided_on_the_interval(findings: tuple[Finding, ...]) -> None:
    one = pick(findings)
    assert one.interval is not None
    assert one.estimate is not None
    low, high = one.interval.low, one.interval.high
    assert gate(findings, selector(), at_least=low - 0.001)[0] == "pass"
    assert gate(findings, selector(), at_least=one.estimate) == (
        "insufficient evidence",
        f"{one.estimate:.4f} [{low:.4f}, {high:.4f}] reaches across the bound",
    )
    assert gate(findings, selector(), at_least=high + 0.001)[0] == "fail"
    assert gate(findings, selector(), at_least=low - 0.001, at_most=low - 0.0005)[0] == "fail"


def test_gates_on_changes_use_the_simultaneous_interval(findings: tuple[Finding, ...]) -> None:
    change = pick(findings, quantity="change", over=("Bald",), at=(("Bald", 0),))
    assert change.interval is not None
    assert change.simultaneous is not None
    between = (change.interval.high + change.simultaneous.high) / 2
    wanted = selector(quantity="change", over=("Bald",), at={"Bald": 0})
    assert gate(findings, wanted, at_most=between)[0] == "insufficient evidence"
    assert gate(findings, wanted, at_most=change.simultaneous.high)[0] == "pass"


def test_gates_without_evidence(findings: tuple[Finding, ...]) -> None:
    assert gate(findings, selector(arm="nobody"), at_most=1) == (
        "insufficient evidence",
        "there is no such finding: its arms are not trained, or not compared",
    )
    rare = with_column(PANEL, "Rare", np.arange(1500) < 3)
    found = derive([rare], evidence(groups=(("Rare",),)), ACCURACY).findings
    wanted = selector(over=("Rare",), at={"Rare": 1})
    assert gate(found, wanted, at_most=1) == ("insufficient evidence", "3 photos of 3 people (needs 30 of 10)")


def test_one_seed_passes_a_gate_for_the_trained_networks_only() -> None:
    found = derive([toy_panel(seeds=1)], evidence(), ACCURACY).findings
    outcome, detail = gate(found, selector(), at_least=0.1)
    assert outcome == "pass"
    assert detail.endswith("; one seed, so it holds for these trained networks only")


# ---------------------------------------------------------------------------------------------------------- published


@pytest.mark.parametrize(
    ("value", "precision", "expected"),
    [
        (0.9779, "rounded", (0.97785, 0.97795)),
        (0.9779, "truncated", (0.9779, 0.9780)),
        (-0.19, "truncated", (-0.20, -0.19)),
        (0.19, "approximate", (0.18, 0.20)),
        (0.19, "exact", (0.19, 0.19)),
        (3.0, "rounded", (2.95, 3.05)),
    ],
)
def test_the_range_that_is_printed_so(value: float, precision: Any, expected: tuple[float, float]) -> None:
    assert printed_range(Published(where="T", value=value, precision=precision)) == pytest.approx(expected)


def judge(findings: tuple[Finding, ...], **wanted: Any) -> tuple[str, str]:
    plain = {"where": "Table 4", "finding": selector(), "protocol": "same"}
    (row,) = judge_published([Published(**plain | wanted)], findings, EVIDENCE)
    return row.judgement, row.note


def test_published_figures(findings: tuple[Finding, ...]) -> None:
    ours = pick(findings)
    assert ours.estimate is not None
    assert judge(findings, value=round(ours.estimate, 3))[0] == "consistent"
    verdict, note = judge(findings, value=0.5)
    assert verdict == "not consistent"
    assert note.startswith("one run of ours would give 0.")
    assert judge(findings, value=0.5, protocol="as published")[0] == "other protocol"
    assert judge(findings, value=0.5, finding=selector(arm="nobody")) == ("cannot tell", "there is no such finding")
    assert judge(findings, value=0.5, finding=None, label="a figure") == (
        "not judged",
        "no finding of ours answers to it",
    )
    one_seed = derive([toy_panel(seeds=1)], EVIDENCE, ACCURACY).findings
    assert judge(one_seed, value=0.5) == (
        "cannot tell",
        "outside of our interval, but training variance was not measured",
    )


def test_nothing_is_judged_on_synthetic_data(findings: tuple[Finding, ...]) -> None:
    published = [Published(where="T", finding=selector(), value=0.9, protocol="same")]
    (row,) = judge_published(published, findings, EVIDENCE, not_judged="synthetic data")
    assert (row.judgement, row.note, row.ours) == ("not judged", "synthetic data", pick(findings))


def test_a_printed_difference_is_set_against_the_noise_of_one_run(findings: tuple[Finding, ...]) -> None:
    published = [
        Published(where="Table 4", finding=selector(), value=0.9779),
        Published(where="Table 4", finding=selector(arm="arm0"), value=0.9776),
        Published(where="Figure 5", finding=selector(quantity="change"), value=-0.5),
    ]
    rows = judge_published(published, findings, EVIDENCE)
    assert rows[0].note.startswith("the printed difference from arm0 (+0.0003) is within noise: a single run on this")
    assert rows[1].note == ""
    assert rows[2].note.startswith("a change of this size is beyond noise: a single run on this test set moves it by")


# ---------------------------------------------------------------------------------------------------- scan and flips


def test_the_scan_of_attributes() -> None:
    panel = with_column(PANEL, "Shape", np.arange(1500) % 10 // 4, ("oval", "round", "long"))
    names = ("Male", "Bald", "Young", "Smiling", "Shape")
    table = Attributes(
        names, ((0, 1),) * 4 + (("oval", "round", "long"),), np.stack([panel.attributes[n] for n in names], axis=1)
    )
    rows, family = scan(
        panel, evidence(groups=(("Male", "Young"),)), Pools(table, np.arange(1000), np.arange(1000, 1500))
    )
    assert [(row.attribute, row.minority) for row in rows][:3] == [("Male", 1), ("Bald", 1), ("Young", 0)]
    assert (rows[4].attribute, rows[4].minority) == ("Shape", "long")
    assert family == {"scan of Smiling": 5}
    bald, train = panel.attributes["Bald"] == 1, np.arange(1500) < 1000
    assert rows[1].share_train == pytest.approx(bald[train].mean())
    assert rows[1].share_valid == pytest.approx(bald[~train].mean())
    assert dict(rows[1].share_by) == pytest.approx(
        {"Male=1": 1.0, "Young=1": panel.attributes["Young"][bald & train].mean()}
    )
    wrong = ((panel.arms[0].margin > 0) != (panel.truth == 1)).mean(axis=0)
    assert rows[1].error_inside.estimate == pytest.approx(wrong[bald].mean())
    assert (rows[1].error_inside.at, rows[1].error_outside.at) == ((("Bald", 1),), (("Bald", 0),))
    assert rows[1].difference is not None
    assert rows[1].difference.estimate == pytest.approx(wrong[bald].mean() - wrong[~bald].mean())
    assert rows[1].difference.simultaneous is not None
    assert {finding.arm for row in rows for finding in (row.error_inside, row.error_outside)} == {"arm0"}


def test_a_scan_without_its_reference_is_empty() -> None:
    nothing = Attributes((), (), np.zeros((1500, 0), dtype=np.int8))
    assert scan(PANEL, evidence(reference="nobody"), Pools(nothing, np.arange(10))) == ((), {})


def test_flips_by_majority_over_seeds() -> None:
    sign = 2.0 * PANEL.truth - 1
    before = np.stack([sign, sign, sign])
    after = before.copy()
    after[:, 3] *= -1
    after[:2, 5] *= -1
    after[0, 7] *= -1
    before[:, 9] *= -1
    panel = with_margin(with_margin(PANEL, 0, before), 1, after)
    panel = replace(panel, arms=panel.arms[:2])
    found, counts = flips(panel, evidence(groups=(("Male",),)), {row: f"{row}.jpg" for row in panel.row.tolist()})
    assert [(f.row, f.direction, f.seeds) for f in found] == [
        (13, "turned wrong", 3), (19, "turned right", 3), (15, "turned wrong", 2),
    ]  # fmt: skip
    assert found[0].file_name == "13.jpg"
    assert found[0].at == (("Male", int(PANEL.attributes["Male"][3])),)
    assert (counts[0].at, counts[0].turned_right, counts[0].turned_wrong) == ((), 1, 2)
    assert sum(c.turned_wrong for c in counts[1:]) == 2


def test_seeds_that_are_split_evenly_flip_nothing() -> None:
    sign = 2.0 * PANEL.truth - 1
    after = np.stack([sign, sign])
    after[0] *= -1
    panel = with_margin(with_margin(PANEL, 0, np.stack([sign, sign])), 1, after)
    found, _ = flips(replace(panel, arms=panel.arms[:2]), evidence(), [""] * 2000)
    assert found == ()
