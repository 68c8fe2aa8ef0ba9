"""From panels to findings: numbers, support, words, and everything that can be missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import ACCURACY, COUNTING, SCORING, evidence, pick, shuffled, toy_panel, with_column, with_margin

from auditkit.contracts import CountMetric, ScoreMetric
from auditkit.evidence.findings import Derived, derive
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import Finding, Interval

PANEL = toy_panel()
MALE, WOMEN, MEN = ("Male",), (("Male", 0),), (("Male", 1),)


def right(panel: Panel, arm: int) -> np.ndarray:
    """(seeds, n) whether each prediction is right."""
    return np.asarray((panel.arms[arm].margin > 0) == (panel.truth == 1))


@pytest.fixture(scope="module")
def derived() -> Derived:
    return derive([toy_panel(effect=2.0)], evidence(groups=(MALE, ("Bald",), ("Male", "Young"))), ACCURACY)


# ------------------------------------------------------------------------------------------------------------ numbers


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


def test_the_family_is_groups_times_metrics_times_arms() -> None:
    found = derive([PANEL], evidence(), {name: COUNTING[name] for name in ("accuracy", "precision", "count")})
    assert found.families == {"changes of Smiling": 3 * 2 * 2, "changes in gaps of Smiling": 2 * 2}
    assert {f.family for f in found.findings if f.quantity == "change"} == {"changes of Smiling"}
    assert not [f for f in found.findings if f.metric == "count" and (f.interval or "change" in f.quantity)]


def test_simultaneous_intervals_are_wider_than_plain_ones(derived: Derived) -> None:
    for f in derived.findings:
        if f.simultaneous is not None and f.quantity == "change":
            assert f.interval is not None
            assert f.simultaneous.low <= f.interval.low
            assert f.simultaneous.high >= f.interval.high or f.simultaneous.high == pytest.approx(0, abs=1e-9)


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


def test_scores_have_intervals_too() -> None:
    found = derive([toy_panel(effect=2.0)], evidence(groups=(("Bald",),)), SCORING).findings
    for metric in SCORING:
        change = pick(found, metric=metric, over=("Bald",), at=(("Bald", 1),), quantity="change")
        assert change.interval is not None
        assert change.interval.high > change.interval.low
    auroc = pick(found, metric="auroc", over=("Bald",), at=(("Bald", 1),), quantity="change")
    assert auroc.verdict == "changed"


def test_a_score_metric_without_influence_is_left_out_person_by_person() -> None:
    class Plain(type(SCORING["brier"])):  # type: ignore[misc]
        def influence(self, truth: Any, score: Any, weight: Any) -> None:
            return None

    found = derive([PANEL], evidence(groups=()), {"brier": SCORING["brier"], "plain": Plain(None)}).findings
    known, left_out = (pick(found, metric=metric).interval for metric in ("brier", "plain"))
    assert known is not None
    assert left_out is not None
    assert left_out.high - left_out.low == pytest.approx(known.high - known.low, rel=0.25)


# ------------------------------------------------------------------------------------------------------------- order


def test_an_arm_against_itself_is_exactly_nothing() -> None:
    found = derive([with_margin(PANEL, 1, PANEL.arms[0].margin)], evidence(), ACCURACY | SCORING).findings
    own = [f for f in found if f.arm == "arm1" and "change" in f.quantity]
    assert own
    for f in own:
        assert f.estimate == 0.0
        assert f.interval == f.simultaneous == Interval(0.0, 0.0)
        assert f.explanation == "the two arms made the very same predictions"


def test_no_other_interval_has_zero_width() -> None:
    margin = PANEL.arms[0].margin.copy()
    margin[0, 0] *= 1.01
    found = derive([with_margin(PANEL, 1, margin)], evidence(groups=(MALE, ("Bald",))), ACCURACY).findings
    assert all(f.interval.high > f.interval.low for f in found if f.interval is not None)


def test_the_order_of_rows_does_not_matter() -> None:
    options = evidence(groups=(MALE, ("Male", "Young")), spillover=True)
    assert derive([shuffled(PANEL)], options, ACCURACY) == derive([PANEL], options, ACCURACY)


def test_names_do_not_matter() -> None:
    def renamed(panel: Panel) -> Panel:
        arms = tuple(replace(arm, arm=arm.arm.replace("arm", "z")) for arm in panel.arms)
        names = {"Male": "y_true", "Young": "unit", "Bald": "Bald", "Smiling": "Smiling"}
        return replace(
            panel,
            arms=arms,
            attributes={names[name]: codes for name, codes in panel.attributes.items()},
            levels={names[name]: levels for name, levels in panel.levels.items()},
        )

    plain = derive([PANEL], evidence(groups=(("Male", "Young"),)), ACCURACY).findings
    other = derive([renamed(PANEL)], evidence(groups=(("y_true", "unit"),), reference="z0"), ACCURACY).findings
    assert [(f.estimate, f.interval, f.simultaneous) for f in plain] == [
        (f.estimate, f.interval, f.simultaneous) for f in other
    ]


def test_the_order_of_groups_does_not_matter() -> None:
    first = derive([PANEL], evidence(groups=(MALE, ("Young",))), ACCURACY).findings
    other = derive([PANEL], evidence(groups=(("Young",), MALE)), ACCURACY).findings
    wanted = {"over": MALE, "at": MEN, "quantity": "change"}
    assert pick(first, **wanted).interval == pick(other, **wanted).interval


def test_what_is_not_estimable_changes_no_other_interval() -> None:
    rare = with_column(PANEL, "Rare", np.arange(1500) < 3)
    plain = derive([PANEL], evidence(groups=(MALE,)), ACCURACY).findings
    more = derive([rare], evidence(groups=(MALE, ("Rare",))), ACCURACY).findings
    for f in plain:
        assert f.interval == pick(more, **{n: getattr(f, n) for n in ("arm", "over", "at", "quantity")}).interval
    bald = pick(more, over=("Rare",), at=(("Rare", 1),), quantity="change")
    assert bald.status == "not estimable"
    common = pick(more, over=("Rare",), at=(("Rare", 0),), quantity="change")
    assert common.status == "estimable"


# ----------------------------------------------------------------------------------------------------------- missing


def value(found: Derived, **wanted: Any) -> Finding:
    return pick(found.findings, **wanted)


def test_too_little_data_says_how_much_is_there_and_needed() -> None:
    panel = with_column(PANEL, "Rare", (PANEL.identity < 2) & (np.cumsum(PANEL.identity < 2) <= 3))
    found = derive([panel], evidence(groups=(("Rare",),)), ACCURACY)
    one = value(found, over=("Rare",), at=(("Rare", 1),))
    assert (one.status, one.reason, one.estimate) == ("not estimable", "3 photos of 2 people (needs 30 of 10)", None)
    assert (one.images, one.identities, one.denominator) == (3, 2, 3)
    gap = value(found, over=("Rare",), quantity="gap")
    assert (gap.status, gap.reason) == ("not estimable", "Rare=1: 3 photos of 2 people (needs 30 of 10)")
    change = value(found, over=("Rare",), quantity="change_in_gap")
    assert change.status == "not estimable"


def test_a_lowered_minimum_still_gets_no_interval_below_ten_people() -> None:
    panel = with_column(PANEL, "Few", PANEL.identity < 6)
    found = derive([panel], evidence(groups=(("Few",),), minimum_identities=2), ACCURACY)
    one = value(found, over=("Few",), at=(("Few", 1),))
    assert one.estimate is not None
    assert one.interval is None
    assert one.reason == "no interval: 6 people are too few to vouch for one (needs 10)"


def test_groups_that_contain_the_target_allow_accuracy_only() -> None:
    metrics = {name: COUNTING[name] for name in ("accuracy", "true_positive_rate")}
    found = derive([PANEL], evidence(groups=(("Smiling",),)), metrics)
    at = {"over": ("Smiling",), "at": (("Smiling", 1),)}
    assert value(found, **at).status == "estimable"
    other = value(found, metric="true_positive_rate", **at)
    assert other.status == "undefined by definition"
    assert other.reason == "the groups are defined by 'Smiling', which the task predicts"


def test_no_denominator_is_not_estimable() -> None:
    margin = PANEL.arms[1].margin.copy()
    margin[1] = -1
    found = derive([with_margin(PANEL, 1, margin)], evidence(), {"precision": COUNTING["precision"]} | ACCURACY)
    one = value(found, metric="precision")
    assert (one.status, one.estimate) == ("not estimable", None)
    assert one.reason == "no photo counts in the denominator with seed 1"
    change = value(found, metric="precision", arm="arm2", quantity="change")
    assert change.status == "estimable"
    assert value(found).status == "estimable"
    assert "Smiling: arm 'arm1' with seed 1 predicts the same for every photo, negative" in found.remarks


def test_a_metric_that_raises_in_one_group_leaves_the_others_alone() -> None:
    class Touchy(CountMetric):
        def compute(self, tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
            if np.sum(tp) > 0 and np.sum(fn) == 0:
                raise ZeroDivisionError("no misses")
            return tp, fn + tp

    margin = np.where(PANEL.attributes["Male"] == 1, 2.0 * PANEL.truth - 1, PANEL.arms[1].margin)
    panel = replace(PANEL, arms=(PANEL.arms[0], replace(PANEL.arms[1], margin=margin.astype(np.float32))))
    panel = with_margin(panel, 0, margin)
    found = derive([panel], evidence(), {"touchy": Touchy(None)})
    men = value(found, metric="touchy", over=MALE, at=MEN)
    assert (men.status, men.reason) == ("not estimable", "the metric raised ZeroDivisionError: no misses")
    assert value(found, metric="touchy", over=MALE, at=WOMEN).status == "estimable"


def test_a_score_metric_that_raises_is_reported_too() -> None:
    class Broken(ScoreMetric):
        def compute(self, truth: Any, score: Any, weight: Any) -> float:
            raise ValueError("out of order")

    found = derive([PANEL], evidence(), {"broken": Broken(None)} | ACCURACY)
    assert value(found, metric="broken").reason == "the metric raised ValueError: out of order"
    assert value(found).status == "estimable"


def test_missing_values_are_left_out_and_said() -> None:
    codes = PANEL.attributes["Male"].copy()
    codes[:100] = -1
    found = derive([with_column(PANEL, "Male", codes)], evidence(), ACCURACY)
    assert "Smiling: 100 of 1500 photos have no value of 'Male' and are left out of its groups" in found.remarks
    images = sum(value(found, over=MALE, at=at).images for at in (MEN, WOMEN))
    assert (images, value(found).images) == (1400, 1500)


def test_one_level_makes_no_gap() -> None:
    found = derive([with_column(PANEL, "Male", np.ones(1500))], evidence(spillover=True), ACCURACY)
    gap = value(found, over=MALE, quantity="gap")
    assert (gap.status, gap.reason) == ("not estimable", "Male=0: no photo of this group in the test set")
    assert "Smiling: 'Male' has fewer than two levels in the test set, so no gap over it is estimable" in found.remarks
    only = with_column(PANEL, "Only", np.zeros(1500), ("yes",))
    found = derive([only], evidence(groups=(("Only",),), spillover=True), ACCURACY)
    assert value(found, over=("Only",), at=(("Only", "yes"),)).status == "estimable"
    assert value(found, over=("Only",), quantity="gap").reason == "'Only' has one level only"


def test_a_group_that_one_arm_was_not_tested_on() -> None:
    margin = PANEL.arms[1].margin.copy()
    margin[:, PANEL.attributes["Male"] == 1] = np.nan
    found = derive([with_margin(PANEL, 1, margin)], evidence(), ACCURACY)
    assert value(found, over=MALE, at=MEN).reason == "arm 'arm1' has no prediction for a photo of this group"
    assert value(found, over=MALE, at=MEN, quantity="change").status == "not estimable"
    assert value(found, over=MALE, at=MEN, quantity="change", arm="arm2").status == "estimable"
    assert value(found, over=MALE, at=WOMEN, quantity="change").status == "estimable"
    reverse = derive([with_margin(PANEL, 0, margin)], evidence(), ACCURACY)
    change = value(reverse, over=MALE, at=MEN, quantity="change")
    assert change.reason == "in 'arm0': arm 'arm0' has no prediction for a photo of this group"


def test_arms_tested_on_different_photos_are_compared_on_what_each_has() -> None:
    first, second = PANEL.arms[0].margin.copy(), PANEL.arms[1].margin.copy()
    first[:, :500] = np.nan
    second[:, 1000:] = np.nan
    panel = with_margin(with_margin(PANEL, 0, first), 1, second)
    found = derive([panel], evidence(groups=()), ACCURACY)
    change = value(found, quantity="change")
    mine, theirs = right(panel, 1)[:, :1000].mean(), right(panel, 0)[:, 500:].mean()
    assert change.estimate == pytest.approx(mine - theirs)
    assert "Smiling: arm 'arm1' with seed 0 was tested on 1000 of 1500 photos" in found.remarks


def test_one_person_only() -> None:
    found = derive([replace(PANEL, identity=np.zeros(1500, dtype=np.int64))], evidence(), ACCURACY | SCORING)
    assert value(found).reason == "1500 photos of 1 person (needs 30 of 10)"
    assert {f.status for f in found.findings} == {"not estimable"}


def test_unknown_identities_cost_something_and_say_so() -> None:
    found = derive([replace(PANEL, identities_known=False)], evidence(), ACCURACY)
    assert value(found).identities is None
    assert found.remarks[0].startswith("Smiling: who is on the photos is not known; every photo counts as a person")
    known = value(derive([PANEL], evidence(), ACCURACY)).interval
    unknown = value(found).interval
    assert known is not None
    assert unknown is not None
    assert unknown.high - unknown.low < known.high - known.low
    partly = replace(PANEL, identity=np.where(PANEL.identity < 5, -1, PANEL.identity))
    remarks = derive([partly], evidence(), ACCURACY).remarks
    assert f"Smiling: {(PANEL.identity < 5).sum()} of 1500 photos have no identity" in remarks[0]


def test_one_seed_never_says_changed() -> None:
    found = derive([toy_panel(seeds=1, effect=3.0)], evidence(groups=(("Bald",),)), ACCURACY)
    change = value(found, over=("Bald",), at=(("Bald", 1),), quantity="change")
    assert change.simultaneous is not None
    assert change.simultaneous.high < 0
    assert (change.verdict, change.seed_sd, change.noise) == ("cannot tell", None, None)
    assert change.explanation.startswith("training variance not measured: with one seed, -")
    assert "Smiling: training variance not measured: an arm has one seed, so no change of it is called one" in (
        found.remarks
    )


def test_arms_with_different_numbers_of_seeds_are_compared_unpaired() -> None:
    panel = with_margin(PANEL, 1, np.concatenate([PANEL.arms[1].margin, PANEL.arms[2].margin[:2]]))
    found = derive([panel], evidence(), ACCURACY)
    change = value(found, quantity="change")
    assert change.per_seed == ()
    assert change.estimate == pytest.approx(right(panel, 1).mean() - right(panel, 0).mean())
    assert change.interval is not None
    assert "Smiling: arms have different numbers of seeds; they are compared unpaired where these differ" in (
        found.remarks
    )


def test_a_missing_reference_leaves_the_values() -> None:
    found = derive([PANEL], evidence(reference="nobody"), ACCURACY)
    assert not [f for f in found.findings if "change" in f.quantity]
    assert value(found).estimate is not None
    assert "Smiling: no predictions of arm 'nobody', so no change from it is reported" in found.remarks


def test_a_panel_of_one_arm_has_no_changes() -> None:
    found = derive([replace(PANEL, arms=PANEL.arms[:1])], evidence(spillover=True), ACCURACY)
    assert {f.quantity for f in found.findings} == {"value", "gap", "ratio", "signed_gap"}


def test_copies_of_a_photo_are_one_image() -> None:
    twice = np.concatenate([np.arange(1500), np.arange(300)])
    panel = replace(
        PANEL,
        test="resampled",
        **{name: getattr(PANEL, name)[twice] for name in ("row", "identity", "truth")},
        copy=np.repeat([0, 1], [1500, 300]),
        attributes={name: codes[twice] for name, codes in PANEL.attributes.items()},
        arms=tuple(replace(arm, margin=arm.margin[:, twice]) for arm in PANEL.arms),
    )
    found = derive([panel], evidence(), ACCURACY)
    one = value(found)
    assert (one.test, one.denominator, one.images) == ("resampled", 1800, 1500)
    assert "changes of Smiling, resampled test" in found.families


def test_more_people_than_are_resampled_one_by_one() -> None:
    panel = toy_panel(n=9000, people=6000, arms=2, seeds=2)
    found = derive([panel], evidence(groups=()), ACCURACY)
    one = value(found)
    people = len(np.unique(panel.identity))
    assert one.identities == people
    assert one.interval is not None
    independent = 2 * 1.96 * right(panel, 1).mean(axis=0).std() / np.sqrt(9000)
    assert 0.95 < (one.interval.high - one.interval.low) / independent < 1.3
    assert any("random blocks" in remark for remark in found.remarks)
