"""Selectors, gates and published figures."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from evidence_toys import ACCURACY, evidence, pick, toy_panel, with_column

from auditkit.evidence.findings import derive
from auditkit.evidence.judgements import find, judge_gates, judge_published, printed_range
from auditkit.evidence.results import Finding
from auditkit.spec.model import Gate, Published, Selector

PANEL = toy_panel(effect=2.0)
EVIDENCE = evidence(groups=(("Bald",), ("Male", "Young")))


@pytest.fixture(scope="module")
def findings() -> tuple[Finding, ...]:
    return derive([PANEL], EVIDENCE, ACCURACY).findings


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
    (row,) = judge_gates([Gate(finding=wanted, **bounds)], findings, EVIDENCE)
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
    assert gate(found, wanted, at_most=1) == (
        "insufficient evidence",
        "3 images of 3 people (needs 30 images of 10 people)",
    )


def test_one_seed_passes_a_gate_for_the_trained_networks_only() -> None:
    found = derive([toy_panel(seeds=1)], evidence(), ACCURACY).findings
    outcome, detail = gate(found, selector(), at_least=0.1)
    assert outcome == "pass"
    assert detail.endswith("; one seed, so it holds for these trained networks only")


def test_one_seed_decides_no_gate_on_a_change() -> None:
    found = derive([toy_panel(seeds=1)], EVIDENCE, ACCURACY).findings
    for quantity in ("change", "change_in_gap"):
        over = ("Bald",) if quantity == "change_in_gap" else ()
        asked = selector(quantity=quantity, over=over)
        assert gate(found, asked, at_most=1) == (
            "insufficient evidence",
            "training variance not measured with one seed",
        )


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
    return row.judgement, "; ".join(row.notes)


def test_published_figures(findings: tuple[Finding, ...]) -> None:
    ours = pick(findings)
    assert ours.estimate is not None
    assert judge(findings, value=round(ours.estimate, 3))[0] == "consistent"
    verdict, note = judge(findings, value=0.5)
    assert verdict == "not consistent"
    assert re.fullmatch(r"one run of ours would give \d\d\.\d\d to \d\d\.\d\d %", note), "in the unit it is printed in"
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
    assert (row.judgement, row.notes, row.ours) == ("not judged", ("synthetic data",), pick(findings))


def test_a_published_row_has_its_notes_in_parts(findings: tuple[Finding, ...]) -> None:
    published = [
        Published(where="T: a", finding=selector(), value=0.9, note="read off; roughly"),
        Published(where="T", label="a = b: c", value=3.0),
    ]
    first, second = judge_published(published, findings, EVIDENCE, not_judged="synthetic data")
    assert (first.what, first.notes) == (
        "accuracy, arm arm1, task Smiling", ("read off; roughly", "synthetic data")
    )  # fmt: skip
    assert (second.what, second.notes) == ("a = b: c", ("synthetic data",))


def test_a_printed_difference_is_set_against_the_noise_of_one_run(findings: tuple[Finding, ...]) -> None:
    published = [
        Published(where="Table 4", finding=selector(), value=0.9779),
        Published(where="Table 4", finding=selector(arm="arm0"), value=0.9776),
        Published(where="Figure 5", finding=selector(quantity="change"), value=-0.5),
    ]
    rows = judge_published(published, findings, EVIDENCE)
    assert rows[0].notes[-1].startswith("the printed difference from arm0 (+0.03 points) is within noise: a single run")
    assert not rows[1].notes
    assert (
        rows[2]
        .notes[-1]
        .startswith("a change of this size is beyond noise: a single run on this test set of 150 people ")
    )
    assert all(row.notes[-1].endswith(" points") for row in (rows[0], rows[2]))
    plain = judge_published(published, findings, EVIDENCE, plain={"accuracy"})
    assert plain[0].notes[-1].startswith("the printed difference from arm0 (+0.0003) is within noise"), (
        "of what is no share"
    )


def test_figures_of_different_protocols_have_no_printed_difference(findings: tuple[Finding, ...]) -> None:
    published = [
        Published(where="Table 4", finding=selector(), value=0.9779, protocol="same"),
        Published(where="Table 9", finding=selector(arm="arm0"), value=0.5),
        Published(where="Table 4", finding=selector(arm="arm0"), value=0.9776, protocol="same"),
    ]
    note = "; ".join(judge_published(published, findings, EVIDENCE)[0].notes)
    assert note.count("the printed difference from arm0") == 1
    assert "(+0.03 points) is within noise: a single run on this test set of 150 people moves it by" in note


def test_so_is_a_printed_difference_from_the_placebo() -> None:
    against = EVIDENCE.model_copy(update={"placebo": "arm1"})
    found = derive([PANEL], against, ACCURACY).findings
    published = [
        Published(where="Table 4", finding=selector(arm="arm2"), value=0.9779),
        Published(where="Table 4", finding=selector(arm="arm1"), value=0.9776),
    ]
    rows = judge_published(published, found, against)
    assert rows[0].notes[-1].startswith("the printed difference from arm1 (+0.03 points) is within noise: a single run")
    assert not rows[1].notes


@pytest.mark.parametrize(("quantity", "at"), [("gap", None), ("signed_gap", {"Young": 1})])
def test_so_is_a_printed_difference_of_gaps(findings: tuple[Finding, ...], quantity: str, at: Any) -> None:
    gap = {"quantity": quantity, "over": ("Male", "Young"), "at": at}
    published = [
        Published(where="Figure 8", finding=selector(**gap), value=0.0212),
        Published(where="Figure 8", finding=selector(arm="arm0", **gap), value=0.0204),
    ]
    rows = judge_published(published, findings, EVIDENCE)
    assert rows[0].notes[-1].startswith("the printed difference from arm0 (+0.08 points) is within noise: a single run")
    assert not rows[1].notes


def test_stored_findings_are_judged_without_fairlearn() -> None:
    code = "import sys, auditkit.evidence.judgements; print({'fairlearn', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
