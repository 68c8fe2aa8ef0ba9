"""A document as one HTML file: nothing is loaded, nothing is run, and it follows the reader's colour scheme."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from auditkit.report import svg
from auditkit.report.blocks import SIGNS, Document, Figure, Table

LONG = 12
"""The table of a chart is folded where it has more rows."""
PERCENTAGE = re.compile(r"(?<=\d) %")
BRACKETS = re.compile(r"\[([^][,]*), ([^][,]*)\]")


def render(document: Document) -> str:
    """The whole page."""
    styles = _styles()
    return _template().render(document=document, styles=Markup(styles), policy=_policy(styles))  # noqa: S704 - our own


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    shown = {"minus": minus, "breaks": breaks, "drawn": _drawn}
    environment.filters |= shown | {"kind": _kind, "unknown": _unknown, "long": _long, "sign": SIGNS.__getitem__}
    return environment.from_string(_source("report.html.jinja2"))


def _source(name: str) -> str:
    return files("auditkit.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _styles() -> str:
    return f"\n{svg.variables()}{_source('report.css')}"


def _policy(styles: str) -> str:
    """Nothing may be loaded or run; the only style sheet is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def minus(text: str) -> str:
    """Hyphens before digits as minus signs; neither intervals nor percentages are broken over lines."""
    whole = BRACKETS.sub("[\\1,\N{NO-BREAK SPACE}\\2]", svg.minus(text))
    return PERCENTAGE.sub("\N{NO-BREAK SPACE}%", whole)


def breaks(text: str) -> Markup:
    """Names such as Wearing_Necklace may be broken behind their underscores."""
    return Markup("_<wbr>").join(text.split("_"))


def _unknown(part: object) -> str:
    raise TypeError(f"no rendering for {_kind(part)}")


def _kind(part: object) -> str:
    return type(part).__name__


def _long(table: Table) -> bool:
    return len(table.rows) > LONG


def _drawn(figure: Figure) -> Markup:
    """The chart for wide and for narrow screens; styles show the one that fits, or scroll the only one."""
    own = svg.natural(figure)
    if own is not None:
        only = Markup(svg.inline(figure, own))  # noqa: S704
        return Markup('<div class="scroll only" tabindex="0">{}</div>').format(only)
    wide, narrow = svg.inline(figure, svg.WIDE), svg.inline(figure, svg.NARROW, "-narrow")
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        Markup(wide),  # noqa: S704 - drawn here, its texts escaped by the XML writer
        Markup(narrow),  # noqa: S704
    )
