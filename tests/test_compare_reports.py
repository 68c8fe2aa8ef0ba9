"""Findings beside each other without their predictions: refusals, warnings, and intervals that are not paired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest

from auditkit.engine.comparing import Side, compare
from auditkit.engine.differences import flat
from auditkit.errors import AuditError
from auditkit.evidence.compare import Terms, unpaired
from auditkit.evidence.results import Finding, Interval, Results

TERMS = Terms(0.95, 0.005, ("accuracy",))


# ------------------------------------------------------------------------------------------------------------ refusals


def side(name: str, *findings: Finding, **facts: Any) -> Side:
    whole = {"protocol": "split first", "dataset": {"fingerprint": "d"}, "audit": audit(), **facts}
    return Side(name, Results(findings=findings or (finding(),), facts=whole))


def audit(**evidence: Any) -> dict[str, Any]:
    return {
        "task": [{"target": "Male", "name": "", "positive": 1}],
        "evidence": {"metrics": [{"use": "accuracy"}]} | evidence,
    }


def finding(estimate: float = 0.9, half: float = 0.01, **changes: Any) -> Finding:
    ends = Interval(estimate - half, estimate + half)
    plain = Finding(
        "Male", "arm", "accuracy", estimate=estimate, interval=ends, identities=400, per_seed=(0.9,) * 5, seeds=5
    )
    return replace(plain, **changes)


def refusal(first: Side, second: Side) -> str:
    with pytest.raises(AuditError) as caught:
        compare(first, second)
    assert str(caught.value).startswith("A and B cannot be compared: ")
    return str(caught.value).removeprefix("A and B cannot be compared: ")


def test_other_protocols_are_refused() -> None:
    said = refusal(side("A"), side("B", protocol="split after resampling"))
    assert said == "their protocols differ, 'split first' and 'split after resampling'"


def test_other_tasks_are_refused() -> None:
    assert refusal(side("A"), side("B", finding(task="Bald"))) == (
        "they have no task in common, the first predicts 'Male', the second 'Bald'"
    )
    mirrored = audit() | {"task": [{"target": "Male", "name": "", "positive": 0}]}
    assert refusal(side("A"), side("B", audit=mirrored)) == (
        "their meanings of task 'Male' differ, 'Male = 1' and 'Male = 0'"
    )


def test_other_metrics_and_levels_of_confidence_are_refused() -> None:
    assert refusal(side("A"), side("B", finding(metric="auroc"))) == (
        "they have no metric in common, the first has 'accuracy', the second 'auroc'"
    )
    binned = audit(metrics=[{"use": "accuracy", "bins": 3}])
    assert refusal(side("A"), side("B", audit=binned)).startswith("they have no metric in common")
    theirs, others = (audit(metrics=[{"use": f"{distribution}:accuracy"}]) for distribution in ("theirs", "others"))
    assert refusal(side("A", audit=theirs), side("B", audit=others)).startswith("they have no metric in common")
    assert refusal(side("A"), side("B", audit=audit(confidence=0.9))) == (
        "their confidence levels differ, '0.95' and '0.9'"
    )


def test_without_a_finding_in_common_there_is_nothing_to_compare() -> None:
    assert refusal(side("A"), side("B", finding(arm="other"))) == (
        "they have no finding in common; the arms of the first are 'arm', of the second 'other', and what is compared "
        "has the same name in both"
    )


def test_other_data_is_a_warning() -> None:
    found = compare(side("A"), side("B", dataset={"fingerprint": "e"}))
    assert found.warnings == (
        "they were tested on different data, so a difference may be one of the data and not of the audits",
    )


def test_other_margins_are_a_warning() -> None:
    wide = side("B", dataset={"fingerprint": "e"}, audit=audit(margin=0.02))
    found = compare(side("A", dataset={"fingerprint": "e"}, audit=audit(margin=0.01)), wide)
    assert "their margins differ, 0.01 and 0.02; verdicts take that of A" in found.warnings


def test_other_draws_of_training_images_are_a_warning() -> None:
    drawn = [{"seed": seed, "train": {"draw": 100, "cells": [{"count": seed}, {"count": 2}]}} for seed in (0, 1)]
    first, second = (side(name, audit={**audit(), "data": data}) for name, data in zip("AB", drawn, strict=True))
    assert compare(first, second).warnings[-1] == (
        "their training draws differ (data.seed, data.train.cells), so a difference may be one of the draw too: other "
        "images alone move what is found, and no interval has that"
    )
    assert not any("draw" in warning for warning in compare(first, first).warnings)


def test_findings_without_their_audit_are_compared_without_their_files() -> None:
    found = compare(side("A"), side("B", audit={}))
    assert found.files == ()
    assert found.warnings[-1] == "B was written without its audit, so its file cannot be compared; report it again"


def test_findings_of_one_side_only_are_counted() -> None:
    found = compare(side("A", finding(), finding(arm="x")), side("B", finding(), finding(arm="y"), finding(arm="z")))
    assert (len(found.findings), found.unmatched) == (1, (1, 2))


# ------------------------------------------------------------------------------------------------------------ unpaired


def results(*findings: Finding, digests: tuple[str, ...] = ()) -> Results:
    units = [{"task": "Male", "arm": "arm", "digest": digest} for digest in digests]
    return Results(findings=findings, facts={"units": units})


def test_variances_are_recovered_from_intervals() -> None:
    (one,) = unpaired(results(finding(0.90, 0.03)), results(finding(0.95, 0.04)), TERMS)
    assert one.interval is not None
    assert one.interval.low == pytest.approx(0.0)
    assert one.interval.high == pytest.approx(0.1)


def test_each_end_comes_from_the_ends_that_lie_that_way() -> None:
    first = finding(0.9, interval=Interval(0.86, 0.92))
    (one,) = unpaired(results(first), results(finding(0.95, interval=Interval(0.93, 0.96))), TERMS)
    assert one.interval is not None
    assert one.interval.low == pytest.approx(0.05 - np.hypot(0.02, 0.02))
    assert one.interval.high == pytest.approx(0.05 + np.hypot(0.04, 0.01))


def test_intervals_of_differences_of_shares_end_where_those_do() -> None:
    most = {"value": 1, "gap": 1, "signed_gap": 2, "change": 2, "change_in_gap": 2, "change_in_signed_gap": 4}
    for quantity, end in most.items():
        shares = Results(findings=(finding(0.0, 5.0, quantity=quantity),), facts={"metrics": {"accuracy": {}}})
        (found,) = unpaired(shares, shares, TERMS)
        assert found.interval == found.simultaneous == Interval(-end, end)


def test_more_questions_make_wider_simultaneous_intervals() -> None:
    def width(count: int) -> float:
        many = [finding(arm=f"arm{i}") for i in range(count)]
        joint = unpaired(results(*many), results(*many), TERMS)[0].simultaneous
        assert joint is not None
        return joint.high - joint.low

    assert width(1) == pytest.approx(2 * np.hypot(0.01, 0.01))
    assert width(1) < width(10) < width(100)


def test_findings_that_few_people_carry_say_so_when_compared_unpaired() -> None:
    few = replace(finding(0.05, 0.03), quantity="change", against="other", effective_identities=2.0)
    (one,) = unpaired(results(few), results(replace(few, estimate=0.06)), TERMS)
    assert one.reason.endswith("; resting on few people")


def test_unpaired_coverage_by_simulation() -> None:
    rng = np.random.default_rng(3)
    share, n, hits = (0.8, 0.9), (400, 500), 0
    for _ in range(2000):
        sides = []
        for p, size in zip(share, n, strict=True):
            found = rng.binomial(size, p) / size
            sides.append(results(finding(found, 1.96 * sqrt(found * (1 - found) / size))))
        (one,) = unpaired(sides[0], sides[1], TERMS)
        assert one.interval is not None
        hits += one.interval.low <= share[1] - share[0] <= one.interval.high
    assert 0.93 < hits / 2000 < 0.965


@pytest.mark.parametrize(
    ("first", "second", "verdict", "reason"),
    [
        (finding(0.8), finding(0.9), "differs", ""),
        (finding(0.9, 0.001), finding(0.901, 0.001), "no difference larger than the margin", ""),
        (finding(0.9, 0.05), finding(0.92, 0.05), "cannot tell", "it may be none, and may be larger than the margin"),
        (finding(0.8, seeds=1), finding(0.9), "cannot tell", "training variance not measured: one seed"),
    ],
)  # fmt: skip
def test_verdicts(first: Finding, second: Finding, verdict: str, reason: str) -> None:
    (one,) = unpaired(results(first), results(second), TERMS)
    assert (one.verdict, one.reason) == (verdict, reason)


def test_what_is_not_estimable_says_why() -> None:
    absent = replace(finding(), estimate=None, interval=None, status="not estimable", reason="3 images")
    (one,) = unpaired(results(finding()), results(absent), TERMS)
    assert (one.verdict, one.reason, one.estimate) == ("not estimable", "3 images", None)


def test_the_very_same_networks_do_not_differ() -> None:
    (one,) = unpaired(results(finding(), digests=("d1", "d2")), results(finding(), digests=("d1", "d2")), TERMS)
    assert (one.how, one.simultaneous) == ("the very same networks", Interval(0.0, 0.0))
    assert one.verdict == "no difference larger than the margin"


def test_a_file_is_flattened_under_names() -> None:
    def keys() -> Iterator[str]:
        nested = {"arm": [{"name": "a", "seeds": (0, 1)}], "gate": [{"at_most": 1}], "task": [{"target": "Male"}]}
        yield from dict(flat(nested))

    assert list(keys()) == ["arm.a.name", "arm.a.seeds", "gate.0.at_most", "task.Male.target"]
