"""Gates and published figures are told so that a decision can be defended: bound, interval, arms, one unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from report_toys import audit, results, tables

from auditkit.evidence.results import Finding, GateRow, Interval, PublishedRow
from auditkit.report import document
from auditkit.report.blocks import Document, Table


def table(built: Document, section: str) -> dict[str, tuple[str, ...]]:
    (found,) = next(each for each in built.sections if each.id == section).blocks
    assert isinstance(found, Table)
    return {name: tuple(row[n].text for row in found.rows) for n, name in enumerate(found.columns)}


def change(**more: Any) -> Finding:
    found = next(f for f in results().findings if f.quantity == "change_in_gap" and f.against == "original")
    known = {"estimate": 0.021, "interval": Interval(0.013, 0.029), "simultaneous": Interval(0.011, 0.031)}
    return replace(found, **(known | more))


def gates(*rows: GateRow) -> Document:
    return document.build(audit(), results(gates=rows))


def test_a_gate_names_its_bound_its_interval_and_the_arms() -> None:
    built = gates(GateRow("gap", "raw", "insufficient evidence", change(), "", "a.toml:3", at_most=0.02))
    told = table(built, "gates")
    assert told["condition"] == (
        "change in the accuracy gap between women and men, oversampled against original, task Male",
    )
    assert told["bound"] == ("at most +2.0 points",)
    assert told["ours"] == ("+2.1 points [+1.1, +3.1]",), "the interval that decides, not the plain one"
    assert told["because"] == ("the simultaneous interval reaches across the bound; a.toml:3",)
    (item,) = built.gates
    assert item.text == (
        "gap · at most +2.0 points · +2.1 points [+1.1, +3.1], simultaneous interval, which reaches across the bound, "
        "oversampled against original"
    )


def test_a_finding_outside_of_any_family_is_decided_on_its_plain_interval() -> None:
    alone = change(simultaneous=None, interval=Interval(0.001, 0.004), estimate=0.002, seeds=1)
    told = table(gates(GateRow("", "raw", "fail", alone, at_most=0.0)), "gates")
    assert told["bound"] == ("at most 0.0 points",)
    because = "the whole plain interval breaks the bound; one seed, so it holds for these trained networks only"
    assert told["because"] == (because,)


def test_a_bound_finer_than_the_decimals_is_not_rounded() -> None:
    told = table(gates(GateRow("", "raw", "pass", change(), at_least=-0.0025, at_most=0.1)), "gates")
    assert told["bound"] == ("at least -0.25 and at most +10.0 points",)


def test_a_gate_that_was_not_judged_says_why_and_keeps_its_bound() -> None:
    built = gates(GateRow("gap", "raw", "not judged", change(), "stand-in data", at_most=0.02))
    assert built.gates[0].text == "gap · at most +2.0 points · stand-in data"
    told = table(built, "gates")
    assert told["because"] == ("stand-in data",)


def test_ours_and_theirs_are_printed_in_one_unit_and_nothing_is_said_twice() -> None:
    value = next(f for f in results().findings if f.quantity == "value" and f.over == ("Male",))
    rows = (
        PublishedRow("Table 5", "accuracy at Male=1", 0.9759, value, "other protocol"),
        PublishedRow("Table 5", "change in the gap", 0.0143, change(), "other protocol"),
        PublishedRow("Table 1", "share of Bald = 1", 0.02281, None, "not judged"),
        PublishedRow("Table 1", "images drawn", 10_000, None, "not judged"),
    )
    told = table(document.build(audit(), results(published=rows)), "published")
    assert told["what"] == ("accuracy at men", "change in the gap", "share of Bald = 1", "images drawn")
    assert told["published"] == ("97.59 %", "+1.43 points", "0.02281", "10,000")
    assert told["ours"] == ("92.5 % [91.7, 93.3]", "+2.1 points [+1.3, +2.9]", "", "")


def test_a_placebo_is_recognised_whatever_its_label() -> None:
    arms = (
        {"name": "original"},
        {"name": "oversampled"},
        {"name": "placebo", "role": "placebo", "label": "anyone oversampled"},
    )
    said = dict(document.build(audit(arm=arms), results()).strip)["Arms"]
    assert said == "original (reference) · oversampled · anyone oversampled (placebo)"
    plain = dict(document.build(audit(), results()).strip)["Arms"]
    assert plain.endswith(" · placebo"), "a label that is the role says it once"


def test_published_figures_are_told_once_each_with_their_unit() -> None:
    first, second = results().published
    first = replace(first, what="accuracy of men", notes=("as published; or so it seems", "synthetic data"))
    second = replace(second, what="bald women", notes=("synthetic data",))
    built = document.build(audit(), results(published=(first, second)))
    table = next(t for t in tables(built) if "published" in t.columns)
    assert [[cell.text for cell in row[1:]] for row in table.rows] == [
        ["accuracy of men", "72.72 %", "94.4 % [93.6, 95.2]", "other protocol", "as published; or so it seems"],
        ["bald women", "0.0024", "", "not judged", ""],
    ]
    assert table.notes == ("of every row: synthetic data",)


def test_a_gate_on_stand_in_data_is_not_judged_and_never_will_be(built: Document, page: str) -> None:
    assert ("Gates", "1 passed, 1 failed, 1 not judged") in built.strip
    assert "judged yet" not in page
