"""Every chart of the report, described once in Vega-Lite; colours are names of CSS variables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

Sign = str | list[int]
Row = Mapping[str, Any]
Chart = dict[str, Any]

COLOURS = tuple(f"var(--c{number})" for number in range(1, 9))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left", "triangle-right")
DASHES = ([1, 0], [5, 3], [2, 2], [8, 3, 2, 3], [1, 3], [10, 4], [4, 1], [6, 2, 1, 2])
ONCE: Mapping[str, Any] = {"values": [{}]}
"""The data of a mark that is drawn once, whatever the rows."""
STEPS = (-3.0, -1.5, -0.5, 0.5, 1.5, 3.0)
"""Class limits of the heat map, in units of the declared margin."""
INK, SOFT, LINE = "var(--ink)", "var(--soft)", "var(--line)"
CONFIG: Chart = {
    "background": "transparent",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": SOFT,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 150,
    },
    "legend": {
        "orient": "top",
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": 200,
        "symbolSize": 90,
        "columnPadding": 26,
        "title": None,
    },
    "header": {"labelColor": INK, "titleColor": SOFT, "labelFontSize": 12, "labelFontWeight": "bold"},
}
PADDING = {"left": 14, "right": 8, "top": 4, "bottom": 4}
"""Room for fonts that are wider than the one that is measured with."""
NEAR = 2.0
"""Where numbers come so near to the most that is possible, the axis ends there: rounding up would go beyond."""
TILE = 88
LONGEST = 16
"""Names with more characters are broken at words, so that phones need not cut them."""
UPRIGHT = 6
"""A map of more columns has names that are turned, and narrower tiles."""
LEADING = 13
"""Pixels from one line of a name to the next."""
SMALL = 500
"""Below this width legends are stacked, labels are shorter and numbers along an axis fewer."""


def sized(chart: Mapping[str, Any], width: int) -> Chart:
    """The chart at a width in pixels, axes and legends included, or at its own where that is less."""
    columns, labels, ticks = (2, 110, 4) if width < SMALL else (4, 190, 7)
    legend = {**CONFIG["legend"], "columns": columns, "labelLimit": 130 if width < SMALL else 200}
    axis = {**CONFIG["axis"], "labelLimit": labels}
    config = {**CONFIG, "legend": legend, "axis": axis, "axisX": {"tickCount": ticks}}
    fitted = {"type": "fit-x", "contains": "padding"}
    wide = min(width, chart.get("width", width))
    return {**chart, "width": wide, "autosize": fitted, "padding": PADDING, "config": config}


def effects(rows: Sequence[Row], title: str, margin: float, arms: Sequence[str], groups: Sequence[str]) -> Chart:
    """Changes per group (rows) and arm (colour and shape), with both intervals.

    rows: group, arm, x, low, high, wide_low, wide_high, noise (or None), text; numbers in the units of the axis.
    """
    series = _series("arm", arms)
    y = _rows("group", groups, {"grid": False, "ticks": False})
    place = {"y": y, "yOffset": {"field": "arm", "sort": list(arms)}}
    return {
        "data": {"values": list(rows)},
        "height": _height(groups, arms),
        "layer": [
            _band(margin),
            _noise(y),
            _zero(),
            _bar("wide_low", "wide_high", 1.5, place, series["color"], title),
            _bar("low", "high", 4, place, series["color"], title),
            _dots("x", place, series, title),
        ],
    }


def _height(rows: Sequence[str], series: Sequence[str]) -> int:
    """Pixels for rows that each hold a series of marks; two lines of a name fit into the lowest."""
    return max(1, len(rows)) * (14 + max(12, 26 - 3 * len(series)) * max(1, len(series)))


def _band(margin: float) -> Chart:
    ends = {"x": {"datum": -margin, "type": "quantitative"}, "x2": {"datum": margin}}
    mark = {"type": "rect", "fill": "var(--margin)", "fillOpacity": 0.25, "aria": False}
    return {"data": ONCE, "mark": mark, "encoding": ends}


def _noise(y: Chart) -> Chart:
    ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    mark = {"type": "bar", "fill": "var(--noise)", "fillOpacity": 0.3, "aria": False}
    widest = [{"aggregate": [{"op": "max", "field": "noise", "as": "high"}], "groupby": ["group"]}]
    known = [*widest, {"filter": "isValid(datum.high)"}, {"calculate": "-datum.high", "as": "low"}]
    return {"transform": known, "mark": mark, "encoding": {"y": y, **ends}}


def _zero() -> Chart:
    mark = {"type": "rule", "color": INK, "strokeWidth": 1.2, "aria": False}
    return {"data": ONCE, "mark": mark, "encoding": {"x": {"datum": 0, "type": "quantitative"}}}


def _rows(field: str, names: Sequence[str], axis: Chart, longest: int = LONGEST) -> Chart:
    """Names along an axis, in the order given, the long ones broken at words."""
    lines = _in_lines(names, longest)
    return {"field": field, "type": "nominal", "sort": list(names), "title": None, "axis": {**axis, **lines}}


def _in_lines(names: Sequence[str], longest: int) -> Chart:
    """What an axis or a legend needs to show long names in several lines."""
    broken = _broken(names, longest)
    return {"labelExpr": f"({json.dumps(broken)})[datum.label] || datum.label"} if broken else {}


def _broken(names: Sequence[str], longest: int) -> dict[str, list[str]]:
    return {name: wrap(name, longest, break_long_words=False) for name in names if len(name) > longest}


def _series(field: str, names: Sequence[str]) -> dict[str, Chart]:
    """The encodings that tell series apart, by colour and by shape."""
    legend: Chart = {"legend": _in_lines(names, LONGEST) if len(names) > 1 else None}
    return {
        "color": {"field": field, "type": "nominal", "scale": _colours(names), **legend},
        "shape": {"field": field, "type": "nominal", "scale": _signs(names, SHAPES), **legend},
    }


def _colours(names: Sequence[str]) -> Chart:
    """A colour for each name, again from the first when all are used."""
    return {"domain": list(names), "range": [COLOURS[i % len(COLOURS)] for i in range(len(names))]}


def _signs(names: Sequence[str], choice: Sequence[Sign]) -> Chart:
    """What tells names apart beside the colour, one further on with every round of colours: 64 pairs, none twice."""
    shifted = (i + i // len(COLOURS) for i in range(len(names)))
    return {"domain": list(names), "range": [choice[i % len(choice)] for i in shifted]}


def _bar(low: str, high: str, width: float, place: Chart, colour: Chart, title: str) -> Chart:
    mark = {"type": "rule", "strokeWidth": width, "strokeCap": "round", "opacity": 0.75, "aria": False}
    ends = {"x": _across(low, title), "x2": {"field": high}}
    known = [{"filter": f"isValid(datum.{low})"}]
    return {"transform": known, "mark": mark, "encoding": {**place, **ends, "color": colour}}


def _dots(x: str, place: Chart, series: dict[str, Chart], title: str) -> Chart:
    mark = {"type": "point", "filled": True, "size": 100, "opacity": 1}
    return {"mark": mark, "encoding": {**place, "x": _across(x, title), **series, "description": {"field": "text"}}}


def _across(field: str, title: str, *, zero: bool = True) -> Chart:
    scale = {"zero": zero, "nice": True, "padding": 6}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale}


def values(
    rows: Sequence[Row], title: str, arms: Sequence[str], groups: Sequence[str], most: float | None = None
) -> Chart:
    """Values per arm (rows) and group (colour and shape), none beyond `most`. rows: arm, group, x, low, high, text."""
    series = _series("group", groups)
    y = _rows("arm", arms, {"grid": True, "ticks": False})
    place: Chart = {"y": y, "yOffset": {"field": "group", "sort": list(groups)}}
    bars = _bar("low", "high", 2.5, place, series["color"], title)
    dots = _dots("x", place, series, title)
    for layer in (bars, dots):
        layer["encoding"]["x"] = _across(layer["encoding"]["x"]["field"], title, zero=False)
        if most is not None and any(most - NEAR < (row["high"] or row["x"]) for row in rows):
            layer["encoding"]["x"]["scale"] |= {"domainMax": most, "padding": 0}
    return {"data": {"values": list(rows)}, "height": _height(arms, groups), "layer": [bars, dots]}


def dose(rows: Sequence[Row], option: str, title: str, groups: Sequence[str]) -> Chart:
    """Values over a numeric option, per group. rows: dose, group, x, low, high, text."""
    series = _series("group", groups)
    across = {
        "field": "dose",
        "type": "quantitative",
        "title": option,
        "scale": {"zero": False, "nice": False, "padding": 12},
        "axis": {"values": sorted({row["dose"] for row in rows}), "labelOverlap": True, "labelExpr": "datum.value"},
    }
    up = {"field": "x", "type": "quantitative", "title": title, "scale": {"zero": False, "nice": True}}
    ends = {"y": {**up, "field": "low"}, "y2": {"field": "high"}}
    bar = {"type": "rule", "strokeWidth": 2, "opacity": 0.6, "aria": False}
    known = [{"filter": "isValid(datum.low)"}]
    bars = {"transform": known, "mark": bar, "encoding": {"x": across, **ends, "color": series["color"]}}
    line = {"type": "line", "strokeWidth": 1.5, "opacity": 0.7, "aria": False}
    lines = {"mark": line, "encoding": {"x": across, "y": up, "color": series["color"]}}
    dots = _dots("x", {}, series, title)
    dots["encoding"] |= {"x": across, "y": up}
    return {"data": {"values": list(rows)}, "height": 260, "layer": [bars, lines, dots]}


def curves(rows: Sequence[Row], title: str, arms: Sequence[str]) -> Chart:
    """A value per epoch, a line per unit, arms told apart by colour and dash. rows: epoch, y, arm, unit."""
    stroke = {"symbolType": "stroke", "symbolSize": 300, **_in_lines(arms, LONGEST)}
    legend: Chart = {"legend": stroke if len(arms) > 1 else None}
    encoding = {
        "x": {"field": "epoch", "type": "quantitative", "title": "epoch", "axis": {"tickMinStep": 1, "grid": False}},
        "y": {"field": "y", "type": "quantitative", "title": title, "scale": {"zero": False}},
        "color": {"field": "arm", "type": "nominal", "scale": _colours(arms), **legend},
        "strokeDash": {"field": "arm", "type": "nominal", "scale": _signs(arms, DASHES), **legend},
        "detail": {"field": "unit"},
    }
    mark = {"type": "line", "strokeWidth": 1.8, "opacity": 0.85, "point": {"size": 14}}
    return {"data": {"values": list(rows)}, "height": 200, "mark": mark, "encoding": encoding}


def _columns(names: Sequence[str]) -> Chart:
    """Names above a map, broken at words; where they are many, turned and on one line.

    Only the first line would be held above the tiles. Turned ones end at their column: to the left, above the names of
    the rows, there is room.
    """
    angle, longest = (30, 190) if len(names) > UPRIGHT else (0, 13)
    lines = max(map(len, _broken(names, longest).values()), default=1)
    axis = {"orient": "top", "labelAngle": angle, "labelPadding": 4 + LEADING * (lines - 1), "labelLimit": 190}
    return _rows("column", names, {**axis, "ticks": False, "domain": False}, longest)


def heat_map(rows: Sequence[Row], margin: float, down: Sequence[str], across: Sequence[str]) -> Chart:
    """Signed numbers on tiles. rows: row, column, value, shade (what the colour tells, in margins' units), shown, text.

    Where there is no value, what is shown stands without a tile.
    """
    y = _rows("row", down, {"ticks": False, "domain": False, "labelLimit": 190}, longest=190)
    x = _columns(across)
    limits = [step * margin for step in STEPS]
    classes = {"type": "threshold", "domain": limits, "range": [f"var(--d{number})" for number in range(7)]}
    colour = {"field": "shade", "type": "quantitative", "scale": classes, "legend": None}
    tile = {"type": "rect", "stroke": "var(--paper)", "strokeWidth": 2, "cornerRadius": 3}
    known = [{"filter": "isValid(datum.value)"}]
    tiles = {"transform": known, "mark": tile, "encoding": {"color": colour, "description": {"field": "text"}}}
    strong = {"test": f"abs(datum.shade) >= {limits[-1]}", "value": "var(--on-strong)"}
    ink = {"condition": [{"test": "!isValid(datum.value)", "value": SOFT}, strong], "value": INK}
    numbers = {
        "mark": {"type": "text", "fontSize": 11, "aria": False},
        "encoding": {"text": {"field": "shown"}, "color": ink},
    }
    layers = {"encoding": {"x": x, "y": y}, "layer": [tiles, numbers]}
    return {"data": {"values": list(rows)}, "width": 200 + TILE * len(across), "height": {"step": 22}, **layers}
