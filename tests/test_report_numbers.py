"""How numbers and names are written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evidence_toys import ACCURACY, COUNTING, SCORING, evidence, pick, toy_panel, with_column, with_margin
from report_toys import audit, results

from auditkit.contracts import Level
from auditkit.evidence.findings import derive
from auditkit.evidence.results import Finding, Interval, Results
from auditkit.report import names, numbers
from auditkit.report.numbers import Numbers
from auditkit.spec.quantities import Quantity


def finding(quantity: Quantity, estimate: float, low: float, high: float, metric: str = "accuracy") -> Finding:
    return Finding("Male", "a", metric, quantity=quantity, estimate=estimate, interval=Interval(low, high))


@pytest.mark.parametrize(
    ("quantity", "values", "text"),
    [
        ("value", (0.94, 0.931, 0.948), "94.0 % [93.1, 94.8]"),
        ("change", (-0.019, -0.026, -0.012), "-1.9 points [-2.6, -1.2]"),
        ("change", (0.0002, -0.001, 0.0071), "0.0 points [-0.1, +0.7]"),
        ("gap", (0.021, 0.013, 0.029), "2.1 points [1.3, 2.9]"),
        ("signed_gap", (0.018, 0.004, 0.032), "+1.8 points [+0.4, +3.2]"),
        ("ratio", (0.98, 0.97, 0.99), "0.980 [0.970, 0.990]"),
    ],
)
def test_numbers_in_words(quantity: Quantity, values: tuple[float, float, float], text: str) -> None:
    assert Numbers().in_words(finding(quantity, *values)) == text


@pytest.mark.parametrize(
    ("quantity", "metric", "values", "text"),
    [
        ("change", "accuracy", (-0.1, -0.2, 0.0004), "-10.0 points [-20.0, +0.04]"),
        ("change", "accuracy", (-0.1, -0.2, 0.0), "-10.0 points [-20.0, 0.0]"),
        ("change", "accuracy", (0.1, -1e-17, 0.2), "+10.0 points [0.0, +20.0]"),
        ("gap", "accuracy", (0.1, 0.0004, 0.2), "10.0 points [0.04, 20.0]"),
        ("value", "accuracy", (0.001, 0.0002, 0.004), "0.1 % [0.02, 0.4]"),
        ("change", "brier", (0.1, 0.0004, 0.2), "+0.100 [+0.0004, +0.200]"),
        ("ratio", "accuracy", (0.1, 0.0004, 0.2), "0.100 [0.0004, 0.200]"),
    ],
)
def test_only_an_end_that_is_0_is_printed_as_0(
    quantity: Quantity, metric: str, values: tuple[float, float, float], text: str
) -> None:
    plain, of = Numbers(plain=frozenset({"brier"})), finding(quantity, *values, metric)
    assert plain.in_words(of) == text


def test_an_end_of_a_difference_of_findings_is_not_printed_as_0_either() -> None:
    of = finding("value", 0.9, 0.8, 1.0)
    assert Numbers().difference(of, -0.1, Interval(-0.2, -0.0004)) == "-10.0 points [-20.0, -0.04]"


def test_counts_print_as_counts() -> None:
    panel = toy_panel()
    found = derive([panel], evidence(), {"count": COUNTING["count"], "brier": SCORING["brier"]}).findings
    printed = {"count": {"percent": False}, "brier": {"percent": False}}
    how = numbers.of(Results(findings=found, facts={"metrics": printed}))
    assert how.counts == {"count"}
    women = pick(found, metric="count", over=("Male",), at=(("Male", 0),))
    assert how.with_unit(women) == str(women.images)
    assert how.number("count", 1234.5) == "1,234.5"
    assert len(how.estimate(pick(found, metric="brier"))) == len("0.123")


def test_numbers_that_rest_on_few_people_say_so() -> None:
    few = replace(finding("change", -0.019, -0.026, -0.012), effective_identities=3.9)
    assert Numbers().in_words(few) == "-1.9 points [-2.6, -1.2], resting on few people"
    assert Numbers().magnitude(few) == "1.9 points [1.2, 2.6], resting on few people"
    assert Numbers().in_words(replace(few, effective_identities=4.0)) == "-1.9 points [-2.6, -1.2]"


def test_metrics_that_are_no_shares_are_plain() -> None:
    plain = Numbers(plain=frozenset({"brier"}))
    assert plain.in_words(finding("change", -0.0012, -0.002, 0.0011, "brier")) == "-0.001 [-0.002, +0.001]"


@pytest.mark.parametrize(
    ("quantity", "metric", "text"),
    [
        ("value", "accuracy", "-16.0 points [-20.0, -12.0]"),
        ("gap", "accuracy", "-16.0 points [-20.0, -12.0]"),
        ("change", "accuracy", "-16.0 points [-20.0, -12.0]"),
        ("ratio", "accuracy", "-0.160 [-0.200, -0.120]"),
        ("value", "brier", "-0.160 [-0.200, -0.120]"),
        ("ratio", "brier", "-0.160 [-0.200, -0.120]"),
    ],
)
def test_a_difference_of_findings_has_the_units_of_their_difference(quantity: Quantity, metric: str, text: str) -> None:
    plain, of = Numbers(plain=frozenset({"brier"})), finding(quantity, 0.9, 0.8, 1.0, metric)
    assert plain.difference(of, -0.16, Interval(-0.2, -0.12)) == text
    assert plain.difference(of, -0.16, None) == text.partition(" [")[0]


def test_small_effects_get_a_second_decimal() -> None:
    small = tuple(
        replace(f, interval=Interval(f.estimate - 0.001, f.estimate + 0.001))
        if f.estimate is not None and f.interval is not None
        else f
        for f in results().findings
    )
    assert numbers.of(results()).digits == 1
    assert numbers.of(results(findings=small)).digits == 2


def test_arms_that_are_the_same_get_no_second_decimal() -> None:
    panel = toy_panel(arms=4)
    for arm in (1, 2):
        panel = with_margin(panel, arm, panel.arms[0].margin)
    assert numbers.of(Results(findings=derive([panel], evidence(), ACCURACY).findings)).digits == 1
    panel = with_margin(panel, 3, panel.arms[0].margin)
    assert numbers.of(Results(findings=derive([panel], evidence(), ACCURACY).findings)).digits == 1


@pytest.mark.parametrize(("margin", "text"), [(0.005, "0.5 points"), (0.01, "1.0 points"), (0.0025, "0.25 points")])
def test_a_margin_keeps_its_decimals(margin: float, text: str) -> None:
    assert Numbers().margin(margin) == text


@pytest.mark.parametrize(("seconds", "text"), [(42.4, "0:42"), (725, "12:05"), (3723, "1:02:03")])
def test_durations(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_support_in_words() -> None:
    assert numbers.support(3, 1) == "3 images of 1 person"
    assert numbers.support(1, None) == "1 image"


def test_counts() -> None:
    assert [numbers.count(n) for n in (None, 1234.0, 12.5, 7)] == ["unknown", "1,234", "12.5", "7"]


def test_levels_have_words_or_say_yes_and_no() -> None:
    known = names.of(audit(), results())
    assert known.group((("Male", 1), ("Young", 0))) == "men, old"
    assert known.group((("Bald", True),)) == "Bald"
    assert known.group((("Smiling", 0),)) == "not Smiling"
    assert known.group(()) == "everyone"


def test_arms_have_their_labels_in_every_reason() -> None:
    labelled = tuple(arm | {"label": f"the {arm['name']}"} for arm in audit().model_dump(by_alias=True)["arm"])
    known = names.of(audit(arm=labelled), results())
    for reason, told in (
        (
            "every network of arms 'original', 'placebo' and 'x' was",
            "every network of arms 'the original', 'the placebo' and 'x' was",
        ),
        ("in 'placebo': few", "in 'the placebo': few"),
        ("no value of 'original' and 'placebo'", "no value of 'original' and 'placebo'"),
    ):
        assert known.in_words(reason) == told


def test_gaps_say_what_they_are_between() -> None:
    known = names.of(audit(), results())
    gap = Finding("Male", "a", "accuracy", over=("Male", "Young"), quantity="gap")
    assert known.pair(gap) == "largest minus smallest over Male and Young"
    within = replace(gap, at=(("Young", 0),), quantity="signed_gap")
    assert known.pair(within) == "men minus women within old"
    assert known.pair(replace(within, quantity="gap")) == "between women and men within old"


@pytest.mark.parametrize(
    ("levels", "signed", "unsigned"),
    [
        ((9, 10), "Age 10 minus Age 9", "between Age 9 and Age 10"),
        (("young", "old"), "Age old minus Age young", "between Age young and Age old"),
        (("1", "0"), "Age 0 minus Age 1", "between Age 1 and Age 0"),
    ],
)
def test_a_gap_is_named_in_the_order_it_is_taken_in(levels: tuple[Level, Level], signed: str, unsigned: str) -> None:
    panel = toy_panel()
    panel = with_column(panel, "Age", panel.attributes["Male"], levels)
    found = derive([panel], evidence(groups=(("Age",),), spillover=True), ACCURACY).findings
    first, second = (pick(found, over=("Age",), at=(("Age", level),)).estimate for level in levels)
    gap = pick(found, over=("Age",), quantity="signed_gap")
    assert first is not None
    assert second is not None
    assert gap.estimate == pytest.approx(second - first)
    known = names.of(audit(), Results(findings=found))
    assert known.pair(gap) == signed
    assert known.pair(replace(gap, quantity="gap")) == unsigned


def test_an_attribute_with_a_single_level_is_none_that_a_gap_goes_across() -> None:
    panel = with_column(toy_panel(), "Only", [0] * 1500, ("yes",))
    found = derive([panel], evidence(groups=(("Male", "Only"), ("Only",))), ACCURACY).findings
    known = names.of(audit(), Results(findings=found))
    crossed = {"over": ("Male", "Only")}
    assert known.pair(pick(found, **crossed, quantity="signed_gap")) == "men minus women"
    assert known.pair(pick(found, **crossed, quantity="gap")) == "between women and men"
    assert known.pair(pick(found, over=("Only",), quantity="gap")) == "largest minus smallest over Only"
