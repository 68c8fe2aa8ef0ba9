"""What the first screen says of whether to trust a report: what families count, balance; and how gates are called."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Literal

import pytest
from findings_toys import ARMS
from report_toys import audit, results, tables
from rich.console import Console

from auditkit.evidence.results import NOT_MEASURED, Composition, Finding, Leak, Marginal, exploratory
from auditkit.report import document, html, markdown, terminal
from auditkit.report.blocks import Document
from auditkit.report.tables import BOTH_GAPS


def trusted(built: Document, label: str) -> list[str]:
    """What the list of trust says under a label."""
    return [item.text for item in built.trust if item.label == label]


def test_families_say_what_they_count() -> None:
    built = document.build(audit(), results())
    assert trusted(built, "Comparisons") == [
        "30 changes of task Male (18 of groups, 3 of signed gaps, 9 of other pairs of groups); verdicts on "
        "simultaneous 95 % intervals"
    ]


def test_metrics_that_lack_the_same_are_named_together() -> None:
    lost = [f for f in results().findings if f.quantity == "value" and f.status == "not estimable"]
    of_both = [replace(f, metric=metric) for metric in ("accuracy", "true_positive_rate") for f in lost[:1]]
    kept = [f for f in results().findings if f not in lost]
    built = document.build(audit(), results(findings=(*kept, *of_both)))
    assert trusted(built, "Not estimable") == [
        "accuracy, true positive rate of women, old: 3 images of 2 people (needs 30 images of 10 people)"
    ]


def test_images_that_are_all_tested_are_counted_once() -> None:
    everything = {"kind": "predictions made elsewhere", "images": 890, "identities": 220}
    facts = {"dataset": everything, "splits": {"test": 890, "test_identities": 220}}
    assert ("Data", "predictions made elsewhere · test 890 images of 220 people") in document.build(
        audit(), results(facts=facts)
    ).strip


def test_every_rendering_has_the_gates_on_its_first_screen() -> None:
    built = document.build(audit(), results())
    said = "gap · at most +0.5 points · +2.1 points [+1.1, +3.1], simultaneous interval, oversampled against original"
    assert f"- **Gate fail**: ✗ {said}" in markdown.render(built).split("## Can I trust this?")[0]
    page = html.render(built).split('id="trust"')[0]
    assert html.minus(said) in page
    assert page.index("Gate fail") < page.index("<figure")


def test_a_warning_is_one_without_colour() -> None:
    console = Console(width=80, file=io.StringIO(), force_terminal=False, color_system=None)
    with console.capture() as capture:
        terminal.render(document.build(audit(), results()), console)
    printed = capture.get().splitlines()
    assert any(line.startswith("! Leaks") for line in printed)
    assert any(line.startswith("! gate fail") for line in printed)
    assert any(line.startswith("  gate pass") for line in printed)


def test_test_sets_of_leaks_are_told_apart_only_where_there_are_two() -> None:
    def columns(*tests: str) -> tuple[str, ...]:
        leaks = tuple(Leak("Male", "oversampled", test, "identity", 54, 1200) for test in tests)  # type: ignore[arg-type]
        built = document.build(audit(), results(leaks=leaks))
        return next(t for t in tables(built) if t.caption == "Test images met in training").columns

    assert columns("plain") == ("task", "arm", "shared", "images", "share")
    assert columns("plain", "resampled") == ("task", "arm", "test set", "shared", "images", "share")


def test_shares_before_are_those_of_the_reference() -> None:
    table = next(t for t in tables(document.build(audit(), results())) if t.columns[-1] == "times")
    assert table.notes == ("Before: in what original (reference) trains on. After: in what the arm trains on.",)


def test_a_gate_without_a_name_is_called_by_what_it_demands_in_its_table_too() -> None:
    table = next(t for t in tables(document.build(audit(), results())) if t.columns[0] == "gate")
    assert [row[0].text for row in table.rows] == ["gap", "accuracy of men, at least 0.9", "old women"]


def trained_on(**men: float) -> tuple[Composition, ...]:
    """The toys' compositions, had this share of men been in what the arms trained on; it was 40 % in the reference."""
    return tuple(
        replace(each, marginals=(Marginal("Male", 0, 0.6, 1 - men[each.arm]), Marginal("Male", 1, 0.4, men[each.arm])))
        for each in results().compositions
    )


@pytest.mark.parametrize(
    ("men", "placebo", "said"),
    [
        (0.677, 0.41, ["men: 67.7 % of what oversampled trained on (original: 40.0 %; placebo: 41.0 %)"]),
        (0.3, 0.4, ["women: 70.0 % of what oversampled trained on (original: 60.0 %; placebo: 60.0 %)"]),
        (0.42, 0.48, ["women: 58.0 % of what oversampled trained on (original: 60.0 %; placebo: 52.0 %)"]),
        (0.44, 0.4, []),
    ],
)
def test_a_shift_of_a_declared_group_is_named(men: float, placebo: float, said: list[str]) -> None:
    built = document.build(audit(), results(compositions=trained_on(original=0.4, oversampled=men, placebo=placebo)))
    assert trusted(built, "Balance") == said


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (1000, []),
        (
            1500,
            [
                "oversampled trained on 1,500 images, placebo on 1,000: what is told against such a placebo is an "
                "effect of the number of images, too"
            ],
        ),
    ],
)
def test_a_placebo_of_another_dose_is_named(rows: int, said: list[str]) -> None:
    many = {"original": 800, "oversampled": rows, "placebo": 1000}
    drawn = tuple(replace(each, rows=many[each.arm]) for each in results().compositions)
    assert trusted(document.build(audit(), results(compositions=drawn)), "Placebo") == said


def test_what_was_not_declared_or_not_recorded_shifts_nothing() -> None:
    """Bald moved by far in the toys, and no group is made of it."""
    evidence = {"reference": "original", "placebo": "placebo", "groups": (("Young",),)}
    assert trusted(document.build(audit(evidence=evidence), results()), "Balance") == []
    assert trusted(document.build(audit(), results(compositions=())), "Balance") == []


LeakOf = Literal["image", "identity", "identical file"]


@pytest.mark.parametrize(
    ("compared", "said"),
    [
        (("image",), "none: no image of the test set was trained on; files were not compared"),
        (("image", "identity"), "none: no image or person of the test set was trained on; files were not compared"),
        (("image", "identical file"), "none: no image or identical file of the test set was trained on"),
        (
            ("image", "identity", "identical file"),
            "none: no image, person or identical file of the test set was trained on",
        ),
    ],
)
def test_no_leak_says_what_was_compared(compared: tuple[LeakOf, ...], said: str) -> None:
    leaks = tuple(Leak("Male", arm, "plain", what, 0, 1200) for arm in ARMS for what in compared)
    built = document.build(audit(), results(leaks=leaks))
    assert next(item.text for item in built.trust if item.label == "Leaks") == said


def test_changes_that_rest_on_few_people_are_marked_and_explained() -> None:
    few = tuple(replace(f, effective_identities=2.0) if f.against else f for f in results().findings)
    built = document.build(audit(), results(findings=few))
    table = next(t for t in tables(built) if t.caption.startswith("Male: change in accuracy against"))
    assert all(row[3].text.endswith("] (a)") for row in table.rows)
    assert table.notes == (
        BOTH_GAPS,
        "(a) resting on few people: the interval may hold less often than it says",
    )
    assert any(sentence.endswith("], resting on few people).") for sentence in built.answer)
    (told,) = (item for item in built.trust if item.label == "Few people")
    counted = [f for f in few if f.family and f.quantity != "change_in_gap" and not exploratory(f.family)]
    number = len(counted)
    assert told.text == (
        f"{number} of {number} declared changes of groups and signed gaps rest on few people (effective number "
        "below 4); such intervals may hold less often than they say"
    )


def test_what_is_not_estimable_is_named_once_per_metric_and_group() -> None:
    """The group that lacks the headline metric leads; another metric is named, with the fewest images of any arm."""
    missing = {"status": "not estimable", "estimate": None, "interval": None}
    whole = next(f for f in results().findings if f.quantity == "value" and not f.over)
    rates = tuple(
        replace(whole, metric="true_positive_rate", arm=arm, images=n, reason=f"{n} images of 2 people", **missing)
        for arm, n in zip(ARMS, (5, 4, 6), strict=True)
    )
    built = document.build(audit(), results(findings=(*rates, *results().findings)))
    (item,) = (item for item in built.trust if item.label == "Not estimable")
    assert item.text == (
        "accuracy of women, old: 3 images of 2 people (needs 30 images of 10 people); "
        "true positive rate of everyone: 4 images of 2 people"
    )


def test_one_seed_is_no_ground_to_call_anything_changed() -> None:
    single = tuple(replace(f, seeds=1, per_seed=f.per_seed[:1], seed_sd=None, noise=None) for f in results().findings)
    built = document.build(audit(), results(findings=single))
    item = next(item for item in built.trust if item.label == "Seeds")
    assert item.text == 'one seed: training variance not measured, so nothing is called "changed"'


def untold(arm: str) -> tuple[Finding, ...]:
    """The toys' findings, had one arm one seed."""
    why = {"seeds": 1, "noise": None, "verdict": "cannot tell", "because": NOT_MEASURED}
    return tuple(
        replace(f, **why) if f.estimate is not None and f.against and arm in (f.arm, f.against)
        else replace(f, seeds=1) if f.arm == arm else f
        for f in results().findings
    )  # fmt: skip


def test_an_arm_with_one_seed_is_named_and_is_the_reason_in_the_answer() -> None:
    built = document.build(audit(), results(findings=untold("oversampled")))
    assert built.answer == (
        "oversampled against placebo, accuracy of women: cannot tell (-2.0 points [-3.0, -1.0]); men: cannot tell "
        "(+0.2 points [-0.8, +1.2]); training variance not measured with one seed. Against original (reference), "
        "women: cannot tell (-1.8 points [-2.8, -0.8]); men: cannot tell (+0.4 points [-0.6, +1.4]); training variance "
        "not measured with one seed.",
        "Accuracy of men minus women: +2.0 points in placebo, +4.2 in oversampled; cannot tell (+2.2 points "
        "[+1.2, +3.2]); training variance not measured with one seed.",
        "Of 16 other declared changes of groups and gaps, none is called changed.",
        "All intervals above are simultaneous: at 95 % they hold for all 30 declared changes of task Male at once.",
    )
    first, second = (item.text for item in built.trust if item.label == "Seeds")
    assert first == (
        'one seed in oversampled: training variance not measured, so no change to or from it is called "changed"'
    )
    assert second.startswith(
        "1 to 3 seeds per arm; seeds alone move a change in accuracy by up to 0.3 points (everyone"
    )
    assert dict(built.strip)["Seeds"] == "1 to 3 (0, 1, 2)"


def test_many_changes_that_one_seed_leaves_untold_are_counted_with_the_reason() -> None:
    evidence = {"reference": "original", "placebo": "placebo", "groups": (("Male", "Young"),), "margin": 0.01}
    more = ({"name": "second"},)
    raw = audit().model_dump(by_alias=True)
    beside = tuple(replace(f, arm="second") for f in untold("oversampled") if f.arm == "oversampled")
    built = document.build(
        audit(arm=(*raw["arm"], *more), evidence=evidence), results(findings=(*untold("oversampled"), *beside))
    )
    assert built.answer[0] == (
        "Of 8 changes in accuracy against placebo (2 arms, 4 groups): 6 cannot be told (training variance not measured "
        "with one seed), 2 not estimable. Against original (reference): 6 cannot be told (training variance not "
        "measured with one seed), 2 not estimable."
    )


def test_the_noise_of_the_seeds_says_of_whom(built: Document) -> None:
    item = next(item for item in built.trust if item.label == "Seeds")
    assert item.text == (
        "3 seeds per arm; seeds alone move a change in accuracy by up to 0.3 points (everyone in oversampled); one "
        "training draw"
    )
