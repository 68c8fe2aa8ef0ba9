"""A chart at the width of a screen: fewer ticks, broken labels and narrower legends on a phone."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from auditkit.report.charts import CONFIG, PADDING, Chart

SMALL = 500
"""Below this width legends are stacked and labels are shorter."""
MOST, TICKS = 7, 4
"""About so many numbers fit beside each other, on a wide and on a small screen."""
LETTER = 6.6
"""Pixels of a letter, about; browsers' fonts are wider than the one that is measured with."""
SYMBOL = 38
"""Pixels of a legend's entry beside its text."""
ROWS = 150
"""Pixels of the labels of a map, whose rows have room for one line."""
SHORT, LONG = 15, 28
"""Letters in a line of a label, on a small and on a wide screen."""


def sized(chart: Mapping[str, Any], width: int) -> Chart:
    """The chart at a width in pixels, axes and legends included, or at its own where that is less."""
    small, tight = width < SMALL, isinstance(chart.get("height"), Mapping)
    labels = ROWS if tight else 104 if small else 190
    names = _names(chart)
    legend = {**CONFIG["legend"], "columns": _columns(names, width - labels), "labelLimit": width - labels - SYMBOL}
    config = {**CONFIG, "legend": legend, "axis": {**CONFIG["axis"], "labelLimit": labels}}
    fitted = {"type": "fit-x", "contains": "padding"}
    wide = min(width, chart.get("width", width))
    shown: Chart = _fitted(chart, TICKS if small else MOST, SHORT if small and not tight else LONG)
    return {**shown, "width": wide, "autosize": fitted, "padding": PADDING, "config": config}


def _columns(names: list[str], room: int) -> int:
    """How many entries of a legend fit beside each other, at most four."""
    widest = LETTER * max(map(len, names), default=0) + SYMBOL
    return max(1, min(4, int(room / widest)))


def _names(chart: Mapping[str, Any]) -> list[str]:
    """The names of the series, told in a legend."""
    return [str(name) for part in _parts(chart) for name in part.get("color", {}).get("scale", {}).get("domain", ())]


def _parts(chart: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The encodings of a chart and of its layers."""
    yield chart.get("encoding", {})
    for layer in chart.get("layer", ()):
        yield from _parts(layer)


def _fitted(part: Any, ticks: int, line: int) -> Any:
    """No more ticks on axes of numbers than fit, and names beside an axis in lines; the data as it is."""
    if isinstance(part, list):
        return [_fitted(each, ticks, line) for each in part]
    if not isinstance(part, Mapping):
        return part
    inner = {name: each if name == "data" else _fitted(each, ticks, line) for name, each in part.items()}
    if "tickCount" in inner:
        inner["tickCount"] = min(ticks, inner["tickCount"])
    if inner.get("type") == "nominal" and "sort" in inner and inner.get("axis", {}).get("orient", "left") == "left":
        inner["axis"] = {**inner.get("axis", {}), "labelExpr": _broken(inner["sort"], line)}
    return inner


def _broken(names: list[str], line: int) -> str:
    """A Vega expression that breaks the long ones of these names into lines."""
    lines = {name: textwrap.wrap(name, line, break_long_words=False) for name in names if len(name) > line}
    return f"{json.dumps(lines)}[datum.label] || datum.label" if lines else "datum.label"
