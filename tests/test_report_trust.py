"""What the first screen says of whether to trust a report: what families count, balance; and how gates are called."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_toys import audit, results, tables

from auditkit.evidence.results import Composition, Marginal
from auditkit.report import document
from auditkit.report.blocks import Document


def trusted(built: Document, label: str) -> list[str]:
    """What the list of trust says under a label."""
    return [item.text for item in built.trust if item.label == label]


def test_families_say_what_they_count() -> None:
    built = document.build(audit(), results())
    assert trusted(built, "Comparisons") == [
        "30 changes of Male (18 of groups, 3 of signed gaps, 9 of other pairs of groups); verdicts on simultaneous "
        "95 % intervals"
    ]


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
