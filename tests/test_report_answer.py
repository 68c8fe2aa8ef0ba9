"""The answer and what stands beside it: gaps before and after, the reference, what intervals hold for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from findings_toys import ARMS
from report_toys import audit, results, tables

from auditkit.evidence.results import NOT_MEASURED, Finding, Interval, Place
from auditkit.report import document
from auditkit.report.answer import SAID
from auditkit.report.blocks import Document, Fold

GAP = "Accuracy of men minus women"
RACES: tuple[Place, ...] = tuple((("Race", level),) for level in ("Asian", "Black", "White"))


def gaps(before: float, after: float, **change: object) -> tuple[Finding, ...]:
    """The toys' findings, with these signed gaps between women and men in the placebo and in the arm oversampled."""
    known = {"placebo": before, "oversampled": after}
    return tuple(
        replace(f, estimate=known[f.arm]) if f.quantity == "signed_gap" and not f.at and f.arm in known
        else replace(f, estimate=after - before, **change)  # type: ignore[arg-type]
        if f.quantity == "change_in_signed_gap" and f.against == "placebo" and f.over == ("Male",)
        else f
        for f in results().findings
    )  # fmt: skip


def test_the_answer_tells_changes_the_gap_and_what_intervals_hold_for() -> None:
    assert document.build(audit(), results()).answer == (
        "oversampled against placebo, accuracy of women: changed by -2.0 points [-3.0, -1.0]; "
        "men: cannot tell (+0.2 points [-0.8, +1.2]). "
        "Against original (reference), women: changed by -1.8 points [-2.8, -0.8]; "
        "men: cannot tell (+0.4 points [-0.6, +1.4]).",
        "Accuracy of men minus women: +2.0 points in placebo, +4.2 in oversampled; "
        "changed by +2.2 points [+1.2, +3.2].",
        "Of 16 other declared changes of groups and gaps, 3 are called changed, all in accuracy. The largest is of men "
        "minus women in oversampled against original: changed by +2.2 points [+1.2, +3.2].",
        "All intervals above are simultaneous: at 95 % they hold for all 30 declared changes of task Male at once.",
    )


def test_a_gap_that_another_group_leads_after_it_changed_is_reversed() -> None:
    wide = Interval(0.118, 0.418)
    built = document.build(audit(), results(findings=gaps(-0.173, 0.095, verdict="changed", simultaneous=wide)))
    assert built.answer[1] == (
        "Accuracy of men minus women: -17.3 points in placebo, +9.5 in oversampled; changed by +26.8 points "
        "[+11.8, +41.8], and by these estimates who is ahead is reversed."
    )


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("cannot tell", "cannot tell (+26.8 points [-1.0, +54.6])"),
        ("no change larger than the margin", "no change larger than 1.0 points (+26.8 points [-1.0, +54.6])"),
    ],
)
def test_a_gap_that_is_not_known_to_have_changed_is_not_called_reversed(verdict: str, said: str) -> None:
    moved = gaps(-0.173, 0.095, verdict=verdict, because="", simultaneous=Interval(-0.01, 0.546))
    built = document.build(audit(), results(findings=moved))
    assert built.answer[1] == f"Accuracy of men minus women: -17.3 points in placebo, +9.5 in oversampled; {said}."


def test_what_only_the_test_tells_from_0_says_so() -> None:
    told = {
        "verdict": "changed",
        "because": "the step-down test tells it from 0",
        "simultaneous": Interval(-0.004, 0.11),
    }
    built = document.build(audit(), results(findings=gaps(0.02, 0.073, **told)))
    assert "; changed by +5.3 points [-0.4, +11.0], the step-down test tells it from 0." in built.answer[1]


def test_the_table_of_the_headline_has_the_gap_that_is_told() -> None:
    (figure,) = document.build(audit(), results()).effect
    assert figure.table.rows[-1][0].text == "signed gap men minus women"


def among_races(estimate: float) -> tuple[Finding, ...]:
    """Three groups: values, gaps of 4 points before, and how the gap changed."""
    whole = next(f for f in results().findings if f.quantity == "change_in_gap" and f.against == "original")
    value = {"over": ("Race",), "against": "", "family": "", "verdict": "", "simultaneous": None}
    ends = {"over": ("Race",), "simultaneous": Interval(estimate - 0.01, estimate + 0.01), "verdict": "changed"}
    return (
        *(replace(whole, **ends, arm="oversampled", quantity="change", at=at, estimate=-0.02) for at in RACES),  # type: ignore[arg-type]
        *(replace(whole, **value, arm=arm, quantity="value", at=at, estimate=0.9) for arm in ARMS for at in RACES),  # type: ignore[arg-type]
        replace(whole, **value, arm="original", quantity="gap", estimate=0.04),  # type: ignore[arg-type]
        replace(whole, **value, arm="oversampled", quantity="gap", estimate=0.04 + estimate),  # type: ignore[arg-type]
        replace(whole, **ends, arm="oversampled", estimate=estimate),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("estimate", "said"),
    [(0.022, "6.2 in oversampled; widened by 2.2 points [1.2, 3.2]"),
     (-0.022, "1.8 in oversampled; narrowed by 2.2 points [1.2, 3.2]")],
)  # fmt: skip
def test_the_gap_of_more_groups_is_told_before_and_after(estimate: float, said: str) -> None:
    evidence = {"reference": "original", "groups": (("Race",),), "margin": 0.01}
    built = document.build(audit(evidence=evidence), results(findings=among_races(estimate)))
    assert built.answer[-2] == f"The accuracy gap largest minus smallest over Race: 4.0 points in original, {said}."


def doses(number: int) -> Document:
    """So many arms that change as the one oversampled, each by a little more."""
    names = [f"dose-{n}" for n in range(1, number + 1)]
    raw = audit().model_dump(by_alias=True)
    kept = tuple(f for f in results().findings if f.arm != "oversampled")
    mine = [f for f in results().findings if f.arm == "oversampled"]
    more = tuple(
        replace(f, arm=name, estimate=None if f.estimate is None else f.estimate + 0.001 * n)
        for n, name in enumerate(names)
        for f in mine
    )
    arms = (raw["arm"][0], raw["arm"][2], *({"name": name} for name in names))
    return document.build(audit(arm=arms), results(findings=(*kept, *more)))


def test_every_arm_has_its_gap_told_while_they_are_few() -> None:
    told = [sentence for sentence in doses(SAID).answer if sentence.startswith(GAP)]
    assert len(told) == SAID
    assert all(f"in dose-{n};" in sentence for n, sentence in enumerate(told, 1))


def test_of_many_arms_the_largest_change_of_a_gap_says_of_how_many_it_is() -> None:
    (told,) = (sentence for sentence in doses(SAID + 1).answer if sentence.startswith(GAP))
    assert told.startswith(
        "Accuracy of men minus women, the largest change of 5 arms: +2.0 points in placebo, +4.6 in "
    )


def changing(*names: str) -> tuple[Finding, ...]:
    """The toys with no change called one but those of men who are young, in these metrics."""
    young = (("Male", 1), ("Young", 1))
    quiet = tuple(replace(f, verdict="cannot tell") if f.verdict else f for f in results().findings)
    mine = [f for f in quiet if f.quantity == "change" and f.at == young and f.against == "placebo"]
    wide = Interval(-0.2, -0.1)
    how = {"estimate": -0.15, "verdict": "changed", "because": "", "simultaneous": wide}
    more = (replace(mine[0], metric=metric, **how) for metric in names)  # type: ignore[arg-type]
    return (*(f for f in quiet if f not in mine), *more)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ((), "none is called changed."),
        (("accuracy",), "1 is called changed, accuracy of men, young in oversampled against placebo: changed by -15.0"),
        (("accuracy", "true_positive_rate"), "2 are called changed (1 in accuracy, 1 in true positive rate). The "
         "largest in accuracy is of men, young in oversampled against placebo: changed by -15.0 points [-20.0, "),
    ],
)  # fmt: skip
def test_what_changed_beside_the_headline_is_told(metrics: tuple[str, ...], said: str) -> None:
    built = document.build(audit(), results(findings=changing(*metrics)))
    assert not any("changed by" in sentence for sentence in built.answer[:2]), "the headline cannot tell"
    assert said in built.answer[2]


def test_the_intervals_that_are_told_name_the_family_of_the_other_test_set() -> None:
    """Copies may be on both sides of a split; the changes on such a test set are a family of their own."""
    resampled = tuple(
        replace(f, test="resampled", family=f"{f.family}, resampled test", estimate=2 * (f.estimate or 0))
        for f in results().findings
        if f.family == "changes of Male"
    )
    families = {"changes of Male": 30, "changes of Male, resampled test": 24}
    built = document.build(audit(), results(findings=(*results().findings, *resampled), families=families))
    assert built.answer[-2].endswith("resampled test: changed by +4.4 points [+1.2, +3.2].")
    assert built.answer[-1].endswith(
        "for all 30 declared changes of task Male at once and for all 24 declared changes of task Male, resampled test "
        "at once."
    )


def test_the_largest_of_what_changed_is_told_whoever_it_is_of() -> None:
    young, old = (("Male", 1), ("Young", 1)), (("Male", 1), ("Young", 0))
    size = {("oversampled", young, "placebo"): -0.1, ("placebo", old, "original"): 0.3}
    found = tuple(
        replace(f, verdict="changed", estimate=size[f.arm, f.at, f.against])
        if f.quantity == "change" and (f.arm, f.at, f.against) in size
        else replace(f, verdict="cannot tell") if f.verdict else f
        for f in results().findings
    )  # fmt: skip
    said = document.build(audit(), results(findings=found)).answer[2]
    assert "2 are called changed, all in accuracy. The largest is of men, old in placebo against original" in said


def test_changes_that_no_seed_could_tell_are_not_counted() -> None:
    alone = tuple(
        replace(f, verdict="cannot tell", because=NOT_MEASURED) if f.verdict else f for f in results().findings
    )
    assert not any("other declared" in s for s in document.build(audit(), results(findings=alone)).answer)


def test_folded_changes_say_how_many_there_are() -> None:
    sections = {section.id: section for section in document.build(audit(), results()).sections}
    folds = [block.summary for block in sections["changes"].blocks if isinstance(block, Fold)]
    assert folds[0] == "Male: change in accuracy against original, in points, by Male: 3 of 8 changed"
    assert folds[-1] == "Male: change in accuracy against original, in points"


def test_a_gap_and_a_signed_gap_are_told_apart() -> None:
    (table,) = (t for t in tables(document.build(audit(), results())) if t.caption.startswith("Male: change of gaps"))
    assert [row[0].text for row in table.rows] == ["gap between women and men", "signed gap men minus women"]
    assert table.notes[0].startswith("A gap has no sign")


def alone(*groups: tuple[str, ...], arms: int) -> tuple[str, ...]:
    """The answer of a report on arms that nothing is measured from, with gaps over all declared groups."""
    kept = [f for f in results().findings if not f.against and f.arm in ARMS[:arms] and f.quantity != "gap"]
    crossed = (next(f for f in kept if f.arm == arm and f.quantity == "signed_gap") for arm in ARMS[:arms])
    gaps = [replace(f, quantity="gap", over=("Male", "Young"), estimate=0.031, interval=None) for f in crossed]
    raw = audit().model_dump(by_alias=True)
    evidence = raw["evidence"] | {"groups": groups, "placebo": None, "reference": ""}
    return document.build(audit(arm=raw["arm"][:arms], evidence=evidence), results(findings=(*kept, *gaps))).answer


def test_where_nothing_is_compared_every_declared_gap_is_told_while_they_are_few() -> None:
    crossed = "Male: accuracy, largest minus smallest over Male and Young: 3.1 points."
    assert alone(("Male",), ("Male", "Young"), arms=1)[1] == crossed
    assert alone(("Male", "Young"), ("Male",), arms=1)[0] == crossed, "gaps within groups are not the one over all"
    assert len(alone(("Male",), ("Male", "Young"), arms=3)) == 3


UNDEFINED = {
    "estimate": None, "interval": None, "simultaneous": None, "verdict": "", "because": "",
    "status": "undefined by definition", "reason": "the groups are defined by 'Male', which the task predicts",
}  # fmt: skip


def undefined(*over: tuple[str, ...]) -> Document:
    """The toys, had the metric no meaning over these groups."""
    findings = (replace(f, **UNDEFINED) if f.over in over else f for f in results().findings)  # type: ignore[arg-type]
    return document.build(audit(), results(findings=tuple(findings)))


def test_the_first_screen_is_about_the_first_groups_of_which_a_change_is_known() -> None:
    built = undefined(("Male",))
    assert "women, young: changed by -2.0 points [-3.7, -0.3]" in built.answer[0]
    assert built.glance[0].caption.startswith("Male: accuracy in %, by Male and Young")


def test_what_is_undefined_is_not_called_not_estimable() -> None:
    said = undefined(("Male",), ("Male", "Young"), ()).answer[0]
    assert "women: undefined (the groups are defined by 'Male', which the task predicts)" in said
    assert "not estimable" not in said


def test_many_changes_are_counted_against_the_reference_too() -> None:
    assert doses(SAID).answer[0] == (
        "Of 8 changes in accuracy against placebo (4 arms, 2 groups): 4 changed, 4 cannot be told. Against original "
        "(reference): 4 changed, 4 cannot be told."
    )


def test_tables_say_which_interval_is_which() -> None:
    built = document.build(audit(), results())
    assert built.glance[0].caption == "Male: accuracy in %, by Male, plain 95 % intervals"
    changed = next(table for table in tables(built) if "verdict" in table.columns)
    assert changed.columns[2:5] == ("verdict", "change, simultaneous 95 %", "plain 95 %")


def test_the_legend_names_the_band_of_the_seeds_only_where_it_is_drawn() -> None:
    (figure,) = document.build(audit(), results()).effect
    assert "the grey band is what seeds alone do" in figure.description
    quiet = tuple(replace(f, noise=None) for f in results().findings)
    (figure,) = document.build(audit(), results(findings=quiet)).effect
    assert figure.description.endswith("The light band is the declared margin of 1.0 points, the line is no change.")
