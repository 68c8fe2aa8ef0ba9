"""Charts to static SVG: with CSS variables inside a page that has them, with plain colours as a file of its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import vl_convert

from auditkit.replacing import replacing
from auditkit.report.blocks import Figure
from auditkit.report.charts import sized

VEGA_LITE = "6.1"
GEOMETRY = {"d", "transform", "x", "y", "x2", "y2", "width", "height"}
"""Attributes that need no more than two decimals."""
HYPHEN = re.compile(r"(?<![\w-])-(?=\d)")
NAMESPACE = "http://www.w3.org/2000/svg"
WIDE, NARROW = 720, 348
LIGHT: Mapping[str, str] = {
    "ink": "#1b1f24", "soft": "#5b6570", "line": "#d5dae0", "paper": "#ffffff", "noise": "#9aa3ad", "margin": "#e9c46a",
    "c1": "#0072b2", "c2": "#d55e00", "c3": "#00875f", "c4": "#a8478f", "c5": "#8a6a00", "c6": "#3b6fd4",
    "c7": "#6b4f3a", "c8": "#444444",
    "d0": "#b2530f", "d1": "#e08f4f", "d2": "#f6d2b3", "d3": "#f1f3f5", "d4": "#bcd9ee", "d5": "#5fa3d3",
    "d6": "#0f68a3", "on-strong": "#ffffff",
}  # fmt: skip
"""Okabe and Ito's colours, darkened where they would not reach a contrast of 3 to 1 on white."""
DARK: Mapping[str, str] = {
    "ink": "#e8eaed", "soft": "#a3adb8", "line": "#3a424c", "paper": "#14181d", "noise": "#7b8590", "margin": "#8d7428",
    "c1": "#56b4e9", "c2": "#ff9149", "c3": "#2fc499", "c4": "#e08fc6", "c5": "#e6b800", "c6": "#8fb2ff",
    "c7": "#c9a58b", "c8": "#c4c9cf",
    "d0": "#e58a45", "d1": "#a8602a", "d2": "#5d3d25", "d3": "#262c33", "d4": "#22435a", "d5": "#2b6f9f",
    "d6": "#58aee6", "on-strong": "#0b0e11",
}  # fmt: skip
ET.register_namespace("", NAMESPACE)
_KEPT: ContextVar[Path | None] = ContextVar("folder of drawn charts", default=None)


def inline(figure: Figure, width: int, variant: str = "") -> str:
    """The chart for a page that defines the colours as CSS variables; `variant` keeps ids apart."""
    root = _drawn(figure, width)
    label = f"{figure.id}{variant}"
    root.attrib |= {"role": "img", "aria-labelledby": f"{label}-title {label}-desc"}
    _describe(root, figure, label)
    return ET.tostring(root, encoding="unicode").replace(f' xmlns="{NAMESPACE}"', "", 1)


def standalone(figure: Figure) -> str:
    """The chart as a file: plain colours on a white ground."""
    root = _drawn(figure, WIDE)
    root.attrib |= {"role": "img", "font-family": "Helvetica, Arial, sans-serif"}
    _describe(root, figure, figure.id)
    _ground(root)
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda match: LIGHT[match[1]], ET.tostring(root, encoding="unicode"))


def variables() -> str:
    """The colours as CSS declarations that follow the colour scheme, with plain light ones for old browsers."""
    light = ";".join(f"--{name}:{value}" for name, value in LIGHT.items())
    both = ";".join(f"--{name}:light-dark({value},{DARK[name]})" for name, value in LIGHT.items())
    return f":root{{{light}}}\n@supports (color:light-dark(#000,#fff)){{:root{{{both}}}}}\n"


def natural(figure: Figure) -> int | None:
    """The width of a chart that has one of its own, wider than a phone; it is scrolled there."""
    width: int | None = figure.chart.get("width")
    return min(width, WIDE) if width is not None and width > NARROW else None


def _drawn(figure: Figure, width: int) -> ET.Element:
    root = ET.fromstring(_vega(json.dumps(sized(figure.chart, width))))  # noqa: S314 - what we have just drawn
    _tidy(root)
    root.attrib.pop("class", None)
    return root


@contextmanager
def kept_in(folder: Path | None) -> Iterator[None]:
    """Within, charts that were drawn before are read from a folder, and new ones are kept there."""
    before = _KEPT.set(folder)
    try:
        yield
    finally:
        _KEPT.reset(before)


@lru_cache(maxsize=128)
def _vega(chart: str) -> str:
    """Drawn once per chart and width: it takes 50 to 200 ms, more than all else of a report."""
    folder = _KEPT.get()
    if folder is None:
        return _draw(chart)
    said = f"{version('vl-convert-python')} {VEGA_LITE} {chart}"
    path = folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.svg"
    kept = _read(path)
    if kept:
        return kept
    drawn = _draw(chart)
    with suppress(OSError):  # what cannot be kept is drawn again
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as aside:
            aside.write_text(drawn, encoding="utf-8")
    return drawn


def _read(path: Path) -> str:
    """A chart that was drawn before; "" where there is none, or a damaged one."""
    try:
        kept = path.read_text(encoding="utf-8")
        ET.fromstring(kept)  # noqa: S314 - what we have drawn
    except (OSError, ValueError, ET.ParseError):
        return ""
    return kept


def warm_up() -> None:
    """Have Vega's engine started, which takes as long as several charts."""
    _draw('{"data": {"values": []}, "mark": "point"}')


def _draw(chart: str) -> str:
    drawn: str = vl_convert.vegalite_to_svg(chart, vl_version=VEGA_LITE)
    return drawn


def minus(text: str) -> str:
    """Hyphens before digits as minus signs, as axes have them."""
    return HYPHEN.sub("\N{MINUS SIGN}", text)


def _tidy(element: ET.Element) -> None:
    """Keep what is seen; a mark's description becomes its tooltip."""
    for child in list(element):
        if _invisible(child):
            element.remove(child)
        else:
            _tidy(child)
    label = element.attrib.pop("aria-label", "")
    kind = element.attrib.pop("aria-roledescription", "")
    for name in ("role", "aria-hidden", "pointer-events", "class", "font-family"):
        element.attrib.pop(name, None)
    if element.get("opacity") == "1":
        del element.attrib["opacity"]
    for name in GEOMETRY & element.attrib.keys():
        element.attrib[name] = re.sub(r"(\.\d\d)\d+", r"\1", element.attrib[name])
    if label and kind in {"point", "rect mark"}:
        ET.SubElement(element, f"{{{NAMESPACE}}}title").text = minus(label)
    if element.text and element.tag == f"{{{NAMESPACE}}}text":
        element.text = minus(element.text)


def _invisible(element: ET.Element) -> bool:
    ground = element.tag == f"{{{NAMESPACE}}}rect" and element.get("fill") == "transparent"
    if ground or element.get("display") == "none":
        return True
    return element.get("class") == "background" and element.get("fill") is None and element.get("stroke") is None


def _describe(root: ET.Element, figure: Figure, label: str) -> None:
    for position, (tag, text) in enumerate((("title", figure.title), ("desc", figure.description))):
        element = ET.Element(f"{{{NAMESPACE}}}{tag}", {"id": f"{label}-{tag}"})
        element.text = text
        root.insert(position, element)


def _ground(root: ET.Element) -> None:
    attributes: dict[str, Any] = {"width": "100%", "height": "100%", "fill": LIGHT["paper"]}
    root.insert(2, ET.Element(f"{{{NAMESPACE}}}rect", attributes))
