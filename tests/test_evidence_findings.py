"""From panels to findings: numbers, support, words, and everything that can be missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import (
    ACCURACY,
    COUNTING,
    SCORING,
    evidence,
    pick,
    right,
    shuffled,
    toy_panel,
    with_column,
    with_margin,
)
from scipy import stats

from auditkit.cohort import Attributes
from auditkit.contracts import CountMetric
from auditkit.evidence.findings import Derived, derive
from auditkit.evidence.judgements import judge_gates, judge_published
from auditkit.evidence.layout import lay_out
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.results import OTHER_TARGETS, Finding, Interval, exploratory
from auditkit.evidence.scan import ScannedPools, scan
from auditkit.evidence.seeds import seed_variances
from auditkit.spec.model import Gate, Published

PANEL = toy_panel()
MALE, WOMEN, MEN = ("Male",), (("Male", 0),), (("Male", 1),)


@pytest.fixture(scope="module")
def derived() -> Derived:
    return derive([toy_panel(effect=2.0)], evidence(groups=(MALE, ("Bald",), ("Male", "Young"))), ACCURACY)


# ------------------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(("people", "few"), [(2, True), (12, False)])
def test_a_change_that_few_people_carry_says_so(people: int, few: bool) -> None:
    turned = np.isin(PANEL.identity, np.arange(people))
    before = PANEL.arms[0].margin
    panel = with_margin(PANEL, 1, np.where(turned, -before, before))
    found = pick(derive([panel], evidence(), ACCURACY).findings, quantity="change", over=(), arm="arm1")
    assert found.effective_identities == pytest.approx(people, rel=0.4)
    assert found.rests_on_few == few
    assert found.explanation.endswith("; resting on few people, the interval may hold less often than it says") == few


def test_the_change_of_a_gap_rests_on_those_who_make_it() -> None:
    """Of three groups, two make the gap; two people carry its change, and many the changes of the third group."""
    rng, n = np.random.default_rng(4), len(PANEL.identity)
    group = PANEL.identity % 3
    base = np.where(rng.random(n) < np.array([0.95, 0.5, 0.75])[group], 1.0, -1.0) * (2 * PANEL.truth - 1)
    turned = np.where(
        group == 2, rng.random(n) < 0.1, np.isin(PANEL.identity, [1, 4]) & (base * (2 * PANEL.truth - 1) > 0)
    )
    panel = with_column(PANEL, "Group", group, (0, 1, 2))
    panel = with_margin(with_margin(panel, 0, [base] * 3), 1, [np.where(turned, -base, base)] * 3)
    found = pick(
        derive([panel], evidence(groups=(("Group",),)), ACCURACY).findings,
        quantity="change_in_gap", over=("Group",), arm="arm1",
    )  # fmt: skip
    assert found.effective_identities is not None
    assert found.rests_on_few


def test_arms_that_are_the_same_rest_on_nobody() -> None:
    panel = with_margin(PANEL, 1, PANEL.arms[0].margin)
    found = pick(derive([panel], evidence(), ACCURACY).findings, quantity="change", over=(), arm="arm1")
    assert (found.effective_identities, found.rests_on_few) == (None, False)


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


@pytest.mark.parametrize(("arms", "seeds", "paired", "df"), [(2, 3, False, 4), (3, 3, False, 6), (4, 3, True, 6)])
def test_few_seeds_of_few_arms_are_not_paired(arms: int, seeds: int, paired: bool, df: int) -> None:
    """The variance is that of the differences where seeds are paired, else the sum of the arms' own variances."""
    panel = toy_panel(arms=arms, seeds=seeds)
    layout = lay_out(panel, np.random.default_rng(0))
    each = np.stack([right(panel, arm).mean(axis=1) for arm in range(arms)])
    influence = np.zeros((1, arms * seeds, layout.blocks), dtype=np.float32)
    found = seed_variances(layout, each.reshape(1, -1), influence, [[""] * arms], [(1, 0)])
    left = each - each.mean(axis=1, keepdims=True)
    left = left - left.mean(axis=0) if paired else left
    assert found.df[0, 0] == df
    assert found.measured[0, 0] == pytest.approx(2 * (left**2).sum() / df / seeds)
    said = "Smiling: arms and seeds are too few to pair seeds; the variance of a change is that of independent networks"
    assert (said in derive([panel], evidence(), ACCURACY).remarks) is not paired


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


@pytest.mark.parametrize(("mine", "theirs", "words"), [(1, 3, "one seed"), (2, 3, "")])
def test_arms_with_unlike_numbers_of_seeds(mine: int, theirs: int, words: str) -> None:
    """With one seed nothing is called changed and a gate says so; two against three are two independent samples."""
    three = toy_panel(effect=2.0)
    fewer = replace(three.arms[1], seeds=tuple(range(mine)), margin=three.arms[1].margin[:mine])
    panel = replace(three, arms=(three.arms[0], fewer, three.arms[2]))
    asked = evidence(groups=(("Bald",),))
    findings = derive([panel], asked, ACCURACY).findings
    change = pick(findings, over=("Bald",), at=(("Bald", 1),), quantity="change")
    assert (change.seeds, change.per_seed) == (mine, ())
    assert change.verdict == ("cannot tell" if mine == 1 else "changed")
    at = {"Bald": 1}
    selector = {"task": "Smiling", "arm": "arm1", "over": ("Bald",), "at": at, "quantity": "change"}
    gate = Gate.model_validate({"finding": selector, "at_most": -0.01})
    (row,) = judge_gates((gate,), findings, asked)
    assert row.outcome == ("insufficient evidence" if mine == 1 else "pass")
    assert ("training variance not measured with one seed" in row.detail) is (words == "one seed")
    printed = Published.model_validate({"where": "x", "finding": selector, "value": 0.5, "protocol": "same"})
    (judged,) = judge_published((printed,), findings, asked)
    told = "training variance was not measured" if mine == 1 else "two arms with unlike seeds"
    assert judged.judgement == "cannot tell"
    assert told in judged.note


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


def test_a_change_without_any_photo_that_differs_rests_on_nobody() -> None:
    panel = toy_panel()
    women = panel.attributes["Male"] == 0
    margin = np.where(women, panel.arms[0].margin, panel.arms[1].margin)
    found = derive([with_margin(panel, 1, margin)], evidence(groups=(("Male",),)), ACCURACY).findings
    change = pick(found, over=("Male",), at=(("Male", 0),), quantity="change", arm=panel.arms[1].arm)
    assert (change.estimate, change.effective_identities, change.rests_on_few) == (0.0, None, False)
    assert change.interval is not None
    people = len(np.unique(panel.identity[women]))
    assert change.interval.high == pytest.approx(1 - 0.025 ** (1 / people), rel=0.1), "so many may, whom none is of"
    assert change.verdict == "cannot tell"
    needed = int(re.search(r"about ([\d,]+) people", change.explanation)[1].replace(",", ""))  # type: ignore[index]
    assert change.simultaneous is not None
    assert needed == pytest.approx(people * change.simultaneous.high / 0.005, rel=0.1)


def test_the_same_predictions_of_more_seeds_are_nobodys_change_too() -> None:
    panel = toy_panel(arms=2, seeds=1)
    margin = panel.arms[0].margin
    arms = tuple(
        ArmScores(name, tuple(range(n)), np.repeat(margin, n, axis=0)) for name, n in (("arm0", 3), ("arm1", 5))
    )
    found = derive([replace(panel, arms=arms)], evidence(groups=(("Male",),)), ACCURACY).findings
    change = pick(found, over=("Male",), at=(("Male", 1),), quantity="change")
    people = len(np.unique(panel.identity[panel.attributes["Male"] == 1]))
    assert (round(change.estimate or 0.0, 9), change.effective_identities) == (0.0, None)
    assert change.interval is not None
    assert change.interval.high == pytest.approx(1 - 0.025 ** (1 / people), rel=0.1)


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


def test_shares_that_nobody_or_one_misses_have_wilsons_interval_where_images_are_independent() -> None:
    n = 600  # more people than 2,048 are put into blocks
    panel = toy_panel(n=3 * n, people=3 * n, arms=1, seeds=1)
    panel = replace(panel, identity=np.arange(3 * n), attributes={"third": np.repeat([0, 1, 2], n).astype(np.int8)})
    panel = replace(panel, levels={"third": (0, 1, 2)})
    wrong = np.isin(np.arange(3 * n), [n, 2 * n, 2 * n + 1])
    panel = with_margin(panel, 0, np.where((panel.truth == 1) ^ wrong, 1.0, -1.0)[None])
    found = derive([panel], evidence(groups=(("third",),)), ACCURACY).findings
    for third, errors in enumerate((0, 1, 2)):
        one = pick(found, over=("third",), at=(("third", third),), arm="arm0")
        exact = stats.binomtest(n - errors, n).proportion_ci(method="wilson")
        assert one.interval is not None
        assert (one.interval.low, one.interval.high) == pytest.approx((exact.low, exact.high), abs=3e-4), (
            "within what 2,000 replicates tell"
        )


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
        assert f.noise is None


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
    assert intervals(plain) == intervals(other)


def intervals(findings: Iterable[Finding]) -> list[tuple[float | None, Interval | None, Interval | None]]:
    return [(f.estimate, f.interval, f.simultaneous) for f in findings]


def test_the_order_of_groups_and_metrics_does_not_matter() -> None:
    panel = toy_panel(effect=2.0)
    metrics = {name: COUNTING[name] for name in ("accuracy", "selection_rate", "precision")}
    first = derive([panel], evidence(groups=(MALE, ("Young",), ("Male", "Young"))), metrics).findings
    turned = dict(reversed(metrics.items()))
    other = derive([panel], evidence(groups=(("Male", "Young"), ("Young",), MALE)), turned).findings
    assert {f.verdict for f in first} == {"", "changed", "cannot tell"}
    assert sorted(map(repr, first)) == sorted(map(repr, other))


def test_predictions_that_are_missing_change_no_interval_that_does_not_need_them() -> None:
    """One arm lacks the men: nothing else moves, not even by chance."""
    margin = PANEL.arms[2].margin.copy()
    margin[:, PANEL.attributes["Male"] == 1] = np.nan
    plain = derive([PANEL], evidence(groups=(MALE,)), ACCURACY | SCORING).findings
    other = derive([with_margin(PANEL, 2, margin)], evidence(groups=(MALE,)), ACCURACY | SCORING).findings
    women = [f for f in plain if f.at == WOMEN and f.quantity in ("value", "change")]
    assert {f.arm for f in women} == {"arm0", "arm1", "arm2"}
    for f in women:
        same = {n: getattr(f, n) for n in ("arm", "metric", "over", "at", "quantity")}
        assert f.interval == pick(other, **same).interval


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
    only_rare = replace(
        rare, attributes=rare.attributes | {"Rare": np.where(np.arange(1500) < 3, 1, -1).astype(np.int8)}
    )
    never = derive([only_rare], evidence(groups=(MALE, ("Rare",))), ACCURACY).findings
    for f in plain:
        assert (
            f.simultaneous == pick(never, **{n: getattr(f, n) for n in ("arm", "over", "at", "quantity")}).simultaneous
        )
