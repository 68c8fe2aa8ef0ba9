"""What a report tells: of which data, against which arms, of whom; and what it leaves out, marks or explains."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from findings_toys import ARMS
from report_toys import audit, results, tables

from auditkit.evidence.results import Finding, Interval, Marginal
from auditkit.evidence.verdicts import BY_THE_TEST
from auditkit.report import document, markdown
from auditkit.report.blocks import Document, Figure, Fold, Table


def test_official_data_has_no_banner() -> None:
    built = document.build(audit(), results(facts={"dataset": {"kind": "official CelebA", "synthetic": False}}))
    assert built.banner == ()


def test_a_subset_is_announced() -> None:
    built = document.build(audit(), results(facts={"dataset": {"kind": "subset, not official CelebA"}}))
    assert built.banner == ("SUBSET: subset, not official CelebA.",)


def test_without_a_placebo_the_answer_is_against_the_reference() -> None:
    evidence = {"reference": "original", "groups": (("Male",),), "margin": 0.01}
    built = document.build(audit(evidence=evidence), results())
    assert built.effect[0].title == "Male: change in accuracy against original, in points"
    assert "against original" in built.answer[0]


def test_arms_with_placebos_of_their_own_are_told_against_them() -> None:
    """The control's changes from the second placebo are invented: those of the first arm, relabelled."""
    more = ({"name": "half"}, {"name": "half-placebo", "role": "placebo"})
    evidence = {
        "reference": "original",
        "placebo": {"oversampled": "placebo", "half": "half-placebo"},
        "groups": (("Male",),),
        "margin": 0.01,
    }
    raw = audit().model_dump(by_alias=True)
    findings = results().findings
    mine = [f for f in findings if (f.arm, f.against, f.over) == ("oversampled", "placebo", ("Male",))]
    theirs = tuple(replace(f, arm="half", against="half-placebo") for f in mine)
    built = document.build(audit(arm=(*raw["arm"], *more), evidence=evidence), results(findings=(*findings, *theirs)))
    assert built.answer[0].startswith("oversampled against placebo, accuracy of women: changed by -2.0 points")
    assert built.answer[1].startswith("half against half-placebo, accuracy of women: changed by -2.0 points")
    (figure,) = built.effect
    assert figure.title == "Male: change in accuracy against their placebos, in points"
    told = {row[1].text for row in figure.table.rows}
    assert told == {"oversampled against placebo", "half against half-placebo"}


def test_everyone_is_told_beside_the_groups(built: Document) -> None:
    """Once for every arm that changes are from: below the headline, or in a table of its own."""
    told = [
        (re.findall(r"against (\w+), in points", table.caption), row[1].text)
        for table in tables(built)
        for row in table.rows
        if row[0].text == "everyone" and "verdict" in table.columns
    ]
    assert told == [(["placebo"], "oversampled"), (["original"], "oversampled"), (["original"], "placebo")]


def test_other_metrics_are_told_without_groups_too() -> None:
    evidence = {"reference": "original", "metrics": ({"use": "accuracy"}, {"use": "true_positive_rate"})}
    whole = [f for f in results().findings if f.over == ()]
    rates = [replace(f, metric="true_positive_rate") for f in whole]
    built = document.build(audit(evidence=evidence), results(findings=(*whole, *rates)))
    section = next(section for section in built.sections if section.id == "metrics")
    assert [fold.summary for fold in section.blocks if isinstance(fold, Fold)] == ["True positive rate"]


def test_what_is_undefined_by_definition_is_told_once() -> None:
    """No table of changes in which nothing could ever stand, and one reason, whichever group comes first."""
    reason = "the groups are defined by 'Male', which the task predicts"
    known = [f for f in results().findings if f.metric == "accuracy" and f.over == ("Male",)]
    gone = [
        replace(f, metric="true_positive_rate", estimate=None, status="undefined by definition")
        for f in known
        if f.quantity in {"value", "signed_gap", "change", "change_in_gap"}
    ]
    gone = [replace(f, reason=reason) for f in gone]
    built = document.build(audit(), results(findings=(*known, *gone)))
    (fold,) = next(section for section in built.sections if section.id == "metrics").blocks
    assert isinstance(fold, Fold)
    (table,) = fold.blocks
    assert isinstance(table, Table)
    assert table.notes == (f"(a) {reason}",)


def test_a_change_that_only_the_step_down_test_tells_from_0_says_so() -> None:
    beside = tuple(
        replace(f, verdict="changed", simultaneous=Interval(-0.001, 0.05), because=BY_THE_TEST) if f.simultaneous else f
        for f in results().findings
    )
    said = {cell.text for t in tables(document.build(audit(), results(findings=beside))) for r in t.rows for cell in r}
    assert {"changed", "the step-down test tells it from 0"} <= said


def test_an_arm_without_changes_is_no_placebo_that_the_answer_is_against() -> None:
    evidence = {
        "reference": "original",
        "placebo": {"oversampled": "placebo", "half": "absent"},
        "groups": (("Male",),),
    }
    built = document.build(audit(evidence=evidence), results())
    assert built.effect[0].title == "Male: change in accuracy, oversampled against placebo, in points"


def test_a_placebo_by_evidence_is_called_one() -> None:
    raw = audit().model_dump(by_alias=True)
    arms = tuple(arm | {"label": f"the {arm['name']}", "role": "arm"} for arm in raw["arm"])
    built = document.build(audit(arm=arms), results())
    assert ("Arms", "the original (reference) · the oversampled · the placebo (placebo)") in built.strip


def test_the_attributes_that_moved_most_are_shown_and_none_is_lost() -> None:
    moved = [
        Marginal(f"A{n}", 1, 0.5, 0.5 + share) for n, share in enumerate((0.001, *(0.02 * k for k in range(1, 13))))
    ]
    composition = replace(results().compositions[1], marginals=tuple(moved))
    built = document.build(audit(), results(compositions=(composition,)))
    most, rest = (t for t in tables(built) if t.caption.startswith("Attributes that moved"))
    assert [row[1].text for row in most.rows] == [f"A{n}" for n in range(12, 4, -1)]
    assert [row[1].text for row in rest.rows] == ["A4", "A3", "A2", "A1", "A0"]


def test_reasons_stand_below_the_table(built: Document) -> None:
    table = next(t for t in tables(built) if "Male and Young, plain 95 %" in t.caption)
    assert table.rows[0][1].text == "not estimable (a)"
    assert table.notes[0] == "(a) women, old: 3 images of 2 people (needs 30 images of 10 people)"


@pytest.mark.parametrize(("off", "said"), [(0.0, False), (0.003, True)])
def test_counts_that_do_not_give_the_share_say_why(off: float, said: bool) -> None:
    def counted(f: Finding) -> Finding:
        return replace(f, numerator=100 * ((f.estimate or 0) + off), denominator=100.0)

    values = tuple(counted(f) if f.quantity == "value" and f.estimate else f for f in results().findings)
    table = next(t for t in tables(document.build(audit(), results(findings=values))) if t.caption.endswith("support"))
    assert any(note.startswith("A share is the mean of each seed's own") for note in table.notes) == said


def test_a_varying_option_is_drawn_as_a_dose() -> None:
    arms = tuple(
        {"name": name, "sampler": {"use": "oversample", "extra": dose}}
        for name, dose in zip(ARMS, (0.0, 0.1, 0.225), strict=True)
    )
    built = document.build(audit(arm=arms), results())
    section = next(section for section in built.sections if section.id == "dose")
    figure = section.blocks[0]
    assert isinstance(figure, Figure)
    assert [row[0].text for row in figure.table.rows] == ["0", "0.1", "0.225"]
    assert figure.table.columns == ("oversample: extra", "arm", "women", "men")


def test_people_with_photos_in_several_groups_are_explained() -> None:
    def notes(each: int) -> list[tuple[str, ...]]:
        """Of the support of women and men, so many of either among 70."""
        findings = tuple(replace(f, identities=each) if f.over == ("Male",) else f for f in results().findings)
        found = tables(document.build(audit(), results(findings=findings)))
        return [table.notes for table in found if table.caption.endswith("by Male: support")]

    assert notes(35) == [()]
    told = (
        "The groups have 90 people together and everyone is 70: labels are given image by image, so that one person "
        "can have images in several groups."
    )
    assert notes(45) == [(told,)]


def test_nothing_is_assumed_of_levels_or_their_number() -> None:
    levels = ("Asian", "Black", "White")
    template = next(f for f in results().findings if f.quantity == "value")
    findings = tuple(
        replace(template, arm=arm, over=("Race",), at=(("Race", level),), task="Skin")
        for arm in ARMS
        for level in levels
    )
    evidence = {"reference": "original", "groups": (("Race",),)}
    built = document.build(audit(task=({"target": "Skin"},), evidence=evidence), results(findings=findings))
    assert built.glance[0].columns == ("", "Race Asian", "Race Black", "Race White")


def test_the_scan_says_of_what_its_shares_are_and_where_errors_were_measured(built: Document) -> None:
    (table,) = (t for t in tables(built) if t.columns[0] == "minority")
    assert table.caption == "Male: attributes, and errors in valid, plain 95 % intervals"
    assert table.columns[1:5] == ("% of train", "% of valid", "% men in it", "% young in it")
    assert table.notes[0].startswith("% of train, of valid: of all images there. In it: of the minority's training")


def test_remarks_on_the_data_are_told_apart(built: Document) -> None:
    assert "- **Remarks on the data**: rendered; rare cells enriched\n" in markdown.render(built)
