"""Charts say what there is: names whole, axes that end where shares do, dark tiles only where there is evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from report_toys import all_figures, audit, results

from auditkit.evidence.results import Finding, Interval
from auditkit.report import charts, document, svg
from auditkit.report.blocks import Document, Figure

LABELS = ("as many copies, all different", "goes on, nothing added", "everyone is augmented")


def named(**changes: object) -> Document:
    """The toys with arms that have long labels."""
    raw = audit().model_dump(by_alias=True)
    arms = tuple(arm | {"label": label} for arm, label in zip(raw["arm"], LABELS, strict=True))
    return document.build(audit(arm=arms), results(**changes))


def figure(built: Document, start: str) -> Figure:
    return next(figure for figure in all_figures(built) if figure.id.startswith(start))


@pytest.mark.parametrize("width", [svg.WIDE, svg.NARROW])
def test_names_of_rows_columns_and_series_are_not_cut(width: int) -> None:
    drawn = [svg.inline(figure, width) for figure in all_figures(named())]
    assert len(drawn) > 5
    for picture in drawn:
        assert "…" not in picture


def test_names_of_many_columns_are_turned_and_of_few_broken() -> None:
    few, many = (charts.heat_map([], 0.5, ["Bald"], LABELS[:1] * number)["encoding"]["x"]["axis"] for number in (3, 7))
    assert (few["labelAngle"], many["labelAngle"]) == (0, 30)
    assert "labelExpr" in few
    assert "labelExpr" not in many


def test_the_numbers_along_an_axis_are_fewer_on_a_phone() -> None:
    chart = figure(named(), "groups").chart
    ticks = [charts.sized(chart, width)["config"]["axisX"]["tickCount"] for width in (svg.WIDE, svg.NARROW)]
    assert ticks == [7, 4]


def values_near(value: float) -> tuple[Finding, ...]:
    interval = Interval(value - 0.02, value)
    return tuple(
        replace(f, estimate=value, interval=interval) if f.quantity == "value" and f.estimate is not None else f
        for f in results().findings
    )


@pytest.mark.parametrize(("highest", "end"), [(0.95, None), (0.999, 100.0), (1.0, 100.0)])
def test_no_axis_of_shares_goes_beyond_all_of_them(highest: float, end: float | None) -> None:
    chart = figure(named(findings=values_near(highest)), "groups").chart
    assert [layer["encoding"]["x"]["scale"].get("domainMax") for layer in chart["layer"]] == [end] * 2
    assert ">105<" not in svg.inline(figure(named(findings=values_near(highest)), "groups"), svg.WIDE)


def test_only_tiles_that_exclude_zero_are_dark() -> None:
    tiles: list[dict[str, Any]] = figure(named(), "spillover").chart["data"]["values"]
    assert {tile["shown"].endswith("*") for tile in tiles} == {True, False}
    for tile in tiles:
        limit = abs(tile["value"]) if tile["shown"].endswith("*") else 1.0
        assert abs(tile["shade"]) == min(abs(tile["value"]), limit)
        assert tile["shade"] * tile["value"] >= 0


def test_a_margin_of_0_leaves_tiles_their_colours() -> None:
    evidence = audit().model_dump(by_alias=True)["evidence"] | {"margin": 0.0}
    spilled = figure(document.build(audit(evidence=evidence), results()), "spillover")
    limits = spilled.chart["layer"][0]["encoding"]["color"]["scale"]["domain"]
    assert limits == sorted(set(limits))
    assert "in steps of 0.5, 1.5 and 3 times 0.5 points" in spilled.description
    pale = [tile["shade"] for tile in spilled.chart["data"]["values"] if not tile["shown"].endswith("*")]
    assert pale
    assert max(map(abs, pale)) < limits[-2]


def test_tiles_have_minus_signs_as_axes_have() -> None:
    drawn = svg.inline(figure(named(), "spillover"), svg.WIDE)
    assert ">\N{MINUS SIGN}0.9<" in drawn
    assert ">-" not in drawn


def test_tiles_have_tooltips() -> None:
    spilled = figure(named(), "spillover")
    assert svg.inline(spilled, svg.WIDE).count("<title>") == len(spilled.table.rows)
