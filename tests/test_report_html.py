"""The page stands alone, is well formed, can be read without colour or scripts, and is small."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from typing import Any
from xml.etree import ElementTree as ET

import altair
import pytest
from findings_toys import ATTRIBUTES
from report_toys import all_figures, audit, results
from rich.console import Console

from auditkit.evidence.results import Results
from auditkit.report import charts, document, html, markdown, svg, terminal
from auditkit.report.blocks import Document, Section
from auditkit.report.charts import sized
from auditkit.report.files import figures

VOID = {"meta", "input", "br", "hr", "img", "link", "wbr"}
LIMIT = 1_500_000


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects what tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_tags_are_closed_and_ids_are_unique(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"] for attributes in parsed.all("a")}
    assert targets <= {f"#{name}" for name in ids}


def test_nothing_is_loaded_and_nothing_is_run(page: str) -> None:
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(|\son\w+=|\sstyle=", page)


def test_the_policy_knows_the_style_sheet_by_its_hash(page: str) -> None:
    styles = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert styles and policy
    digest = base64.b64encode(hashlib.sha256(styles[1].encode()).digest()).decode()
    assert policy[1].replace("&#39;", "'").startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_landmarks_language_and_headings(page: str) -> None:
    parsed = Page(page)
    assert parsed.all("html")[0]["lang"] == "en"
    for landmark in ("header", "main", "nav", "footer", "h1"):
        assert len(parsed.all(landmark)) == 1, landmark
    assert parsed.all("a")[0] == {"class": "skip", "href": "#answer"}


def test_tables_have_scopes_and_captions(page: str) -> None:
    parsed = Page(page)
    assert all(attributes.get("scope") in {"row", "col"} for attributes in parsed.all("th"))
    assert len(parsed.all("caption")) == len(parsed.all("table"))


def test_charts_are_named_images_with_a_table(page: str) -> None:
    parsed = Page(page)
    ids = {attributes.get("id") for _, attributes in parsed.tags}
    for image in parsed.all("svg"):
        assert image["role"] == "img"
        assert set((image["aria-labelledby"] or "").split()) <= ids
    assert len(parsed.all("figure")) <= len(parsed.all("table"))
    assert len(parsed.all("figcaption")) == len(parsed.all("figure"))


def test_a_block_that_no_rendering_knows_is_an_error_and_not_left_out(built: Document) -> None:
    odd = replace(built, effect=(), sections=(Section("odd", "Odd", ("no block",)),))  # type: ignore[arg-type]
    console = Console(file=io.StringIO())
    for render in (html.render, markdown.render, lambda built: terminal.render(built, console, everything=True)):
        with pytest.raises(TypeError, match="no rendering for str"):
            render(odd)


def test_text_is_escaped(page: str) -> None:
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>" not in page


def test_long_tables_of_charts_are_folded_and_short_ones_shown() -> None:
    built = many_arms(2)
    page = html.render(built)
    folded = {}
    for figure in figures(tuple(block for section in built.sections for block in section.blocks)):
        start = page.index(f'<figure id="{figure.id}">')
        folded[len(figure.table.rows)] = "<details>" in page[start : page.index("</figure>", start)]
    assert folded == {rows: rows > html.LONG for rows in folded}
    assert set(folded.values()) == {True, False}


def test_percentages_are_not_broken_over_lines() -> None:
    space = "\N{NO-BREAK SPACE}"
    assert html.minus("plain 95 % intervals") == f"plain 95{space}% intervals"
    assert f'<th scope="col" class="long">change, simultaneous 95{space}%</th>' in html.render(
        document.build(audit(), results())
    )


def test_long_audits_stay_small() -> None:
    many = many_arms(8)
    page = html.render(many)
    assert len(page.encode()) < LIMIT
    assert Page(page).open == []


def many_arms(number: int) -> Document:
    """So many arms, three seeds, forty attributes of spillover."""
    whole = results()
    names = [f"ratio-{step}" for step in range(number)]
    copies = [replace(f, arm=name) for name, f in product(names, whole.findings) if f.arm == "oversampled"]
    spill = next(f for f in copies if f.family.startswith("spillover"))
    spread = [
        replace(spill, arm=name, over=(f"{attribute}_{k}",), at=((f"{attribute}_{k}", True),))
        for name, attribute, k in product(names, ATTRIBUTES, range(6))
    ]
    curves = tuple(replace(c, arm=name) for name, c in product(names, whole.curves) if c.arm == "oversampled")
    arms = tuple({"name": name} for name in ("original", "placebo", *names))
    found = Results(findings=(*copies, *spread), curves=curves, scan=whole.scan, facts=whole.facts)
    return document.build(audit(arm=arms), found)


# ------------------------------------------------------------------------------------------------------------- charts


def test_charts_are_valid_vega_lite(built: Document) -> None:
    assert all_figures(built)
    for figure in all_figures(built):
        spec = sized(figure.chart, svg.WIDE) | {"$schema": altair.SCHEMA_URL}
        altair.Chart.from_dict(spec, validate=True)


def encodings(chart: Any) -> Iterator[dict[str, Any]]:
    """What is drawn by which sign, in all layers of a chart."""
    yield chart.get("encoding", {})
    for layer in chart.get("layer", ()):
        yield from encodings(layer)


def test_series_differ_in_more_than_colour() -> None:
    """By shape or dash as well, no pair of both being there twice; tiles have their numbers written on them."""
    seen = set()
    for figure in all_figures(many_arms(14)):
        text = str(figure.chart)
        assert "'color'" not in text or "'shape'" in text or "'strokeDash'" in text or "'text'" in text
        for encoding in encodings(figure.chart):
            for sign in encoding.keys() & {"shape", "strokeDash"}:
                colours, signs = (encoding[name]["scale"] for name in ("color", sign))
                assert colours["domain"] == signs["domain"]
                pairs = {(colour, str(one)) for colour, one in zip(colours["range"], signs["range"], strict=True)}
                assert len(pairs) == len(colours["domain"])
                seen.add((sign, len(pairs)))
    assert {("shape", 14), ("strokeDash", 14)} <= seen


def test_signs_are_enough_for_every_colour_with_every_shape() -> None:
    names = [str(number) for number in range(64)]
    drawn = charts.effects([], "change", 0.01, names, ["everyone"])["layer"][-1]["encoding"]
    assert len(set(zip(drawn["color"]["scale"]["range"], drawn["shape"]["scale"]["range"], strict=True))) == 64


@pytest.mark.parametrize("width", [svg.WIDE, svg.NARROW])
def test_charts_have_a_title_and_follow_the_page_colours(built: Document, width: int) -> None:
    for figure in all_figures(built):
        drawn = svg.inline(figure, width)
        root = ET.fromstring(drawn)
        assert [root[0].tag, root[0].text] == ["title", figure.title]
        assert [root[1].tag, root[1].text] == ["desc", figure.description]
        assert "var(--ink)" in drawn
        assert float(root.attrib["width"]) <= width + 1


def test_a_chart_as_a_file_has_plain_colours_on_white(built: Document) -> None:
    text = svg.standalone(built.effect[0])
    assert "var(" not in text
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert svg.LIGHT["paper"] in text


def test_names_may_be_broken_behind_underscores(page: str) -> None:
    assert "Wearing_<wbr>Hat" in page and "Wearing_Hat_" not in page


def test_both_palettes_name_the_same_colours() -> None:
    assert set(svg.DARK) >= set(svg.LIGHT)


@pytest.mark.parametrize("palette", [svg.LIGHT, svg.DARK], ids=["light", "dark"])
def test_marks_and_text_stand_out_from_the_paper(palette: dict[str, str]) -> None:
    for name in ("ink", "soft", *(f"c{number}" for number in range(1, 9))):
        needed = 4.5 if name in {"ink", "soft"} else 3.0
        assert contrast(palette[name], palette["paper"]) >= needed, name


def contrast(first: str, second: str) -> float:
    """WCAG 2.2, relative luminance."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
