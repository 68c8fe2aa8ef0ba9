"""From panels to findings: values, gaps, changes, families and intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import (
    ACCURACY,
    COUNTING,
    MALE,
    MEN,
    SCORING,
    WOMEN,
    evidence,
    pick,
    right,
    toy_panel,
    with_column,
    with_margin,
)

from auditkit.cohort import Attributes
from auditkit.contracts import CountMetric
from auditkit.evidence.findings import Derived, derive
from auditkit.evidence.results import OTHER_TARGETS, exploratory
from auditkit.evidence.scan import ScannedPools, scan

PANEL = toy_panel()


@pytest.fixture(scope="module")
def derived() -> Derived:
    return derive([toy_panel(effect=2.0)], evidence(groups=(MALE, ("Bald",), ("Male", "Young"))), ACCURACY)


def test_values_are_means_over_seeds_with_their_support(derived: Derived) -> None:
    panel = toy_panel(effect=2.0)
    found = pick(derived.findings, over=MALE, at=MEN)
    men = panel.attributes["Male"] == 1
    per_seed = right(panel, 1)[:, men].mean(axis=1)
    assert found.per_seed == pytest.approx(tuple(per_seed))
    assert found.estimate == pytest.approx(per_seed.mean())
    assert found.seed_sd == pytest.approx(per_seed.std(ddof=1))
    assert found.numerator == pytest.approx(right(panel, 1)[:, men].sum(axis=1).mean())
    assert (found.denominator, found.images) == (men.sum(), men.sum())
    assert found.identities == len(np.unique(panel.identity[men]))
    assert found.interval is not None
    assert found.interval.low < found.estimate < found.interval.high


def test_gaps_are_signed_and_unsigned(derived: Derived) -> None:
    men, women = (pick(derived.findings, over=MALE, at=at) for at in (MEN, WOMEN))
    signed = pick(derived.findings, over=MALE, quantity="signed_gap")
    gap = pick(derived.findings, over=MALE, quantity="gap")
    ratio = pick(derived.findings, over=MALE, quantity="ratio")
    assert men.estimate is not None
    assert women.estimate is not None
    assert signed.estimate == pytest.approx(men.estimate - women.estimate)
    assert gap.estimate == pytest.approx(abs(men.estimate - women.estimate))
    assert ratio.estimate == pytest.approx(min(men.estimate, women.estimate) / max(men.estimate, women.estimate))
    assert signed.interval is not None
    assert gap.interval is not None
    assert gap.interval.high == pytest.approx(max(-signed.interval.low, signed.interval.high))


def test_gaps_within_a_group_hold_its_level(derived: Derived) -> None:
    old, young = (
        pick(derived.findings, over=("Male", "Young"), at=(("Male", 1), ("Young", level))).estimate for level in (0, 1)
    )
    found = pick(derived.findings, over=("Male", "Young"), at=MEN, quantity="signed_gap")
    assert old is not None
    assert young is not None
    assert found.estimate == pytest.approx(young - old)
    widest = pick(derived.findings, over=("Male", "Young"), quantity="gap")
    cells = [
        f.estimate
        for f in derived.findings
        if f.over == ("Male", "Young") and f.quantity == "value" and f.arm == "arm1" and f.estimate is not None
    ]
    assert widest.estimate == pytest.approx(max(cells) - min(cells))
    assert not [f for f in derived.findings if f.over == ("Male", "Young") and f.at == () and "signed" in f.quantity]


def test_changes_are_paired_by_seed_and_tell_the_planted_effect(derived: Derived) -> None:
    panel = toy_panel(effect=2.0)
    bald = panel.attributes["Bald"] == 1
    change = pick(derived.findings, over=("Bald",), at=(("Bald", 1),), quantity="change", against="arm0")
    paired = right(panel, 1)[:, bald].mean(axis=1) - right(panel, 0)[:, bald].mean(axis=1)
    assert change.per_seed == pytest.approx(tuple(paired))
    assert change.estimate == pytest.approx(paired.mean())
    assert change.verdict == "changed"
    assert change.simultaneous is not None
    assert change.simultaneous.high < 0
    assert change.explanation.startswith(f"changed by {100 * paired.mean():+.1f} points [")
    assert "seeds alone move it by up to" in change.explanation
    widened = pick(derived.findings, over=("Bald",), quantity="change_in_signed_gap")
    assert widened.estimate is not None
    assert widened.estimate < -0.2
    assert widened.verdict == "changed"


def test_the_placebo_is_a_second_thing_to_measure_against() -> None:
    found = derive([PANEL], evidence(placebo="arm2"), ACCURACY).findings
    changes = [(f.arm, f.against) for f in found if f.quantity == "change" and f.over == ()]
    assert changes == [("arm1", "arm0"), ("arm2", "arm0"), ("arm1", "arm2")]


def test_every_arm_has_a_placebo_of_its_own() -> None:
    panel = toy_panel(arms=5)
    placebo = {"arm1": "arm3", "arm2": "arm4"}
    found = derive([panel], evidence(placebo=placebo), ACCURACY).findings
    changes = [(f.arm, f.against) for f in found if f.quantity == "change" and f.over == ()]
    assert changes == [*((f"arm{n}", "arm0") for n in range(1, 5)), ("arm1", "arm3"), ("arm2", "arm4")]


def test_a_placebo_without_predictions_is_told() -> None:
    derived = derive([PANEL], evidence(placebo={"arm1": "arm9"}), ACCURACY)
    assert derived.remarks[0] == "Smiling: no predictions of arm 'arm9', so no change from it is reported"
    assert {f.against for f in derived.findings if f.quantity == "change"} == {"arm0"}


def test_the_family_is_groups_times_metrics_times_arms() -> None:
    found = derive([PANEL], evidence(), {name: COUNTING[name] for name in ("accuracy", "precision", "count")})
    assert found.families == {"changes of Smiling": 3 * 2 * 2 + 2 * 2}
    assert {f.family for f in found.findings if "change" in f.quantity} == {"changes of Smiling"}
    assert not [f for f in found.findings if f.metric == "count" and (f.interval or "change" in f.quantity)]


def test_simultaneous_intervals_are_wider_than_plain_ones(derived: Derived) -> None:
    for f in derived.findings:
        if f.simultaneous is not None and f.quantity == "change":
            assert f.interval is not None
            assert f.simultaneous.low <= f.interval.low
            assert f.simultaneous.high >= f.interval.high or f.simultaneous.high == pytest.approx(0, abs=1e-9)


def test_a_metric_that_is_no_share_is_not_kept_between_0_and_1() -> None:
    class Odds(CountMetric):
        percent = False

        def compute(self, tp: Any, fp: Any, fn: Any, tn: Any) -> tuple[Any, Any]:
            return tp, fn

    found = derive([PANEL], evidence(groups=()), {"odds": Odds(None)}).findings
    values = [f for f in found if f.quantity == "value"]
    assert all(f.estimate > 2 and f.interval.low < f.estimate < f.interval.high for f in values)  # type: ignore[operator,union-attr]
    changes = [f for f in found if f.quantity == "change"]
    assert all(f.interval.low < f.estimate < f.interval.high for f in changes)  # type: ignore[operator,union-attr]


def test_no_interval_of_shares_goes_beyond_what_is_possible() -> None:
    """Two seeds, one always wrong of women and one of men: t intervals would reach several hundred points."""
    panel = toy_panel(n=400, people=60, arms=2, seeds=2)
    right, men = np.where(panel.truth == 1, 5.0, -5.0), panel.attributes["Male"] == 1
    unlike = np.stack([np.where(men, right, -right), np.where(men, -right, right)])
    found = derive([with_margin(panel, 1, unlike)], evidence(groups=(MALE,)), {**ACCURACY, **SCORING}).findings
    ends = [
        (f, max(-each.low, each.high))
        for f in found
        for each in (f.interval, f.simultaneous)
        if each is not None and f.metric == "accuracy"
    ]
    reached = {f.quantity: size for f, size in ends}
    assert reached["change"] == reached["change_in_gap"] == 1.0
    assert reached["change_in_signed_gap"] == 2.0
    assert max(reached.values()) == 2.0


def test_spillover_asks_every_attribute_and_finds_the_planted_one() -> None:
    panel = with_column(toy_panel(effect=2.0), "Shape", np.arange(1500) % 3, ("oval", "round", "long"))
    found = derive([panel], evidence(spillover=True), ACCURACY)
    spilled = [f for f in found.findings if f.family == "spillover of Smiling" and f.arm == "arm1"]
    assert [f.at for f in spilled] == [
        (("Male", 1),), (("Bald", 1),), (("Young", 1),), (("Smiling", 1),),
        (("Shape", "oval"),), (("Shape", "round"),), (("Shape", "long"),),
    ]  # fmt: skip
    assert found.families["spillover of Smiling"] == 14
    bald = panel.attributes["Bald"] == 1
    lost = (right(panel, 1).astype(float) - right(panel, 0)).mean(axis=0)
    assert spilled[1].estimate == pytest.approx(lost[bald].mean() - lost[~bald].mean())
    assert spilled[1].verdict == "changed"


def test_what_was_not_declared_is_known_by_its_family() -> None:
    families = derive([PANEL], evidence(spillover=True), ACCURACY).families
    assert [name for name in families if exploratory(name)] == ["spillover of Smiling"]
    pools = ScannedPools(Attributes(("Bald",), ((0, 1),), PANEL.attributes["Bald"][:, None]), np.arange(1000))
    _, scanned = scan(replace(PANEL, row=np.arange(1500)), evidence(groups=()), pools)
    assert all(map(exploratory, (*scanned, f"{OTHER_TARGETS} of Smiling")))
    assert len(scanned) == 1


def test_scores_have_intervals_too() -> None:
    found = derive([toy_panel(effect=2.0)], evidence(groups=(("Bald",),)), SCORING).findings
    for metric in SCORING:
        change = pick(found, metric=metric, over=("Bald",), at=(("Bald", 1),), quantity="change")
        assert change.interval is not None
        assert change.interval.high > change.interval.low
    auroc = pick(found, metric="auroc", over=("Bald",), at=(("Bald", 1),), quantity="change")
    assert auroc.verdict == "changed"


def test_no_interval_of_a_score_metric_ends_beyond_its_bounds() -> None:
    panel = toy_panel(effect=2.0)
    sure = np.where(panel.truth == 1, 6.0, -6.0) + np.where(np.arange(len(panel.truth)) % 97 == 0, -9.0, 0.0)
    found = derive(
        [with_margin(panel, 0, np.broadcast_to(sure, panel.arms[0].margin.shape))], evidence(groups=()), SCORING
    ).findings
    values = [f for f in found if f.quantity == "value" and f.interval]
    assert {f.metric for f in values} == set(SCORING)
    assert all(f.interval and 0.0 <= f.interval.low <= f.interval.high <= 1.0 for f in values)
    assert any(f.interval and f.interval.high == 1.0 for f in values)


def test_seeds_alone_never_make_more_than_the_whole_interval(derived: Derived) -> None:
    known = [f for f in derived.findings if f.interval and f.noise is not None and f.quantity == "change"]
    assert known
    assert all(f.interval and 2 * (f.noise or 0.0) <= f.interval.high - f.interval.low + 1e-9 for f in known)


def test_exploration_does_not_decide_again_what_was_declared() -> None:
    panel = toy_panel(effect=0.3)
    found = derive([panel], evidence(groups=(("Bald",), ("Male", "Young")), spillover=True), ACCURACY).findings
    declared, explored = (
        pick(found, quantity="change_in_signed_gap", over=("Bald",), at=at, arm="arm1", against="arm0", family=family)
        for at, family in (((), "changes of Smiling"), ((("Bald", 1),), "spillover of Smiling"))
    )
    assert declared.simultaneous is not None
    assert replace(declared, at=explored.at, family=explored.family) == explored
    alone = derive([panel], evidence(groups=(), spillover=True), ACCURACY).findings
    other = pick(alone, quantity="change_in_signed_gap", over=("Bald",), at=explored.at, against="arm0")
    assert (other.estimate, other.simultaneous == explored.simultaneous) == (explored.estimate, False)


def test_a_score_metric_without_influence_is_left_out_person_by_person() -> None:
    class Plain(type(SCORING["brier"])):  # type: ignore[misc]
        def influence(self, truth: Any, score: Any, weight: Any) -> None:
            return None

    found = derive([PANEL], evidence(groups=()), {"brier": SCORING["brier"], "plain": Plain(None)}).findings
    known, left_out = (pick(found, metric=metric).interval for metric in ("brier", "plain"))
    assert known is not None
    assert left_out is not None
    assert left_out.high - left_out.low == pytest.approx(known.high - known.low, rel=0.25)
