"""Golden renderings, that every rendering carries the same numbers, and the files that they are written to."""

from __future__ import annotations

import io
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_toys import audit, results, tables
from rich.console import Console

from auditkit.evidence.results import Results
from auditkit.report import document, files, html, markdown, svg, terminal
from auditkit.report.blocks import Document

GOLDEN = Path(__file__).parent / "golden"


def on_terminal(built: Document, width: int, *, everything: bool = False) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    with console.capture() as capture:
        terminal.render(built, console, everything=everything)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def assert_golden(name: str, text: str) -> None:
    """AUDITKIT_UPDATE_GOLDEN=1 writes what is rendered now; look at the difference before committing it."""
    path = GOLDEN / name
    if os.environ.get("AUDITKIT_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal_is_as_agreed(built: Document, width: int) -> None:
    assert_golden(f"report-{width}.txt", on_terminal(built, width))


def test_everything_on_a_terminal_is_as_agreed(built: Document) -> None:
    assert_golden("report-everything-100.txt", on_terminal(built, 100, everything=True))


def test_markdown_is_as_agreed(built: Document) -> None:
    assert_golden("report.md", markdown.render(built, pictures="charts"))


@pytest.mark.parametrize("width", [80, 100, 140])
def test_nothing_is_wider_than_the_terminal(built: Document, width: int) -> None:
    lines = on_terminal(built, width, everything=True).splitlines()
    assert max(map(len, lines)) <= width


def test_what_does_not_fit_stands_apart_and_keeps_its_per_cent_signs(built: Document) -> None:
    """At 80 columns tables go on below; a line with nothing but a unit would belong to no column."""
    lines = on_terminal(built, 80, everything=True).splitlines()
    assert not [line for line in lines if line.strip() == "%"]
    further = [number for number, line in enumerate(lines) if "arm" in line.split() and "because" in line.split()]
    assert further
    assert {lines[number - 1] for number in further} == {""}


@pytest.mark.parametrize("width", [80, 140])
def test_no_number_is_cut_on_a_terminal(built: Document, width: int) -> None:
    shown = on_terminal(built, width, everything=True)
    for table in tables(built):
        for row in table.rows:
            for cell in row:
                if len(cell.text) <= terminal.WRAPPED:
                    assert cell.text in shown


# ------------------------------------------------------------------------------------------------------- same numbers


class Tables(HTMLParser):
    """Texts of the tables of a page, row by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.tables[-1][-1][-1] += data.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")


def in_markdown(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for before, line in zip(["", *text.splitlines()], text.splitlines(), strict=False):
        if not line.startswith("|"):
            continue
        if not before.startswith("|"):
            found.append([])
        cells = [cell.strip() for cell in line.replace(r"\|", "\0").strip("|").split("|")]
        if not set("".join(cells)) <= set(":-"):
            found[-1].append([cell.replace("\0", "|").replace("\\", "") for cell in cells])
    return found


def expected(built: Document) -> list[list[list[str]]]:
    return [[list(t.columns), *([cell.text for cell in row] for row in t.rows)] for t in tables(built)]


def test_html_has_every_cell_of_every_table(built: Document, page: str) -> None:
    assert Tables(page).tables == expected(built)


def test_markdown_has_every_cell_of_every_table(built: Document) -> None:
    assert in_markdown(markdown.render(built)) == expected(built)


def test_the_chart_of_the_effect_shows_what_its_table_says(built: Document) -> None:
    (figure,) = built.effect
    drawn = {(row["group"], row["arm"]): row["x"] for row in figure.chart["data"]["values"]}
    said = {(row[0].text, row[1].text): float(row[3].text.split()[0]) for row in figure.table.rows[:2]}
    assert drawn == pytest.approx(said, abs=0.0501)


# --------------------------------------------------------------------------------------------------- every rendering


def test_synthetic_data_leads_every_rendering(built: Document, page: str) -> None:
    warning = "SYNTHETIC DATA (faces): these numbers say nothing about people."
    assert on_terminal(built, 80).splitlines()[0] == warning
    assert markdown.render(built).splitlines()[0] == f"> **{warning}**"
    assert page.index(warning) < page.index("<h1>")


def test_what_is_missing_leaves_no_section() -> None:
    bare = document.build(audit(), Results())
    assert [section.id for section in bare.sections] == ["methods", "facts"]
    assert bare.answer == ("No change between arms could be measured.",)
    for width in (80, 140):
        assert on_terminal(bare, width, everything=True)
    assert html.render(bare)
    assert markdown.render(bare)


def test_markdown_is_escaped() -> None:
    assert markdown.escape("a|b <i> *x* `y` Big_Nose _z_ $1$") == r"a\|b \<i\> \*x\* \`y\` Big_Nose \_z\_ \$1\$"


# ------------------------------------------------------------------------------------------------------------- files


def test_all_files_are_written(built: Document, tmp_path: Path) -> None:
    paths = files.write(built, results(), tmp_path / "out")
    names = {str(path.relative_to(tmp_path / "out")) for path in paths}
    assert {"report.html", "report.md", "findings.json", "findings.csv", "charts/effect-male.svg"} <= names
    assert all(path.is_file() for path in paths)
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    for picture in (tmp_path / "out" / "charts").iterdir():
        assert f"(charts/{picture.name})" in text
        assert "var(--" not in picture.read_text(encoding="utf-8")


def test_charts_of_an_earlier_report_are_removed_and_foreign_ones_stay(built: Document, tmp_path: Path) -> None:
    before = set(files.write(built, results(), tmp_path))
    (tmp_path / "charts" / "effect-mine.svg").write_text("mine")
    fewer = results(curves=(), flips=())
    after = set(files.write(document.build(audit(), fewer), fewer, tmp_path))
    gone = {path.relative_to(tmp_path).as_posix() for path in before - after}
    assert "flips.csv" in gone and any(name.startswith("charts/curve-") for name in gone)
    there = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {*after, tmp_path / "charts" / "effect-mine.svg"}


def test_charts_are_drawn_once(built: Document, tmp_path: Path) -> None:
    """What was kept is what is shown; a folder that cannot be made costs nothing but time."""
    svg._vega.cache_clear()
    files.write(built, results(), tmp_path / "first", tmp_path / "drawings")
    kept = sorted((tmp_path / "drawings").iterdir())
    assert {path.suffix for path in kept} == {".svg"}
    for path in kept:
        path.write_text(path.read_text(encoding="utf-8").replace("<svg ", '<svg data-kept="yes" ', 1), encoding="utf-8")
    svg._vega.cache_clear()
    files.write(built, results(), tmp_path / "second", tmp_path / "drawings")
    assert "data-kept" in (tmp_path / "second" / "charts" / "effect-male.svg").read_text(encoding="utf-8")
    svg._vega.cache_clear()
    (tmp_path / "taken").touch()
    files.write(built, results(), tmp_path / "third", tmp_path / "taken")
    first, third = (tmp_path / name / "report.html" for name in ("first", "third"))
    assert first.read_bytes() == third.read_bytes()
    svg._vega.cache_clear()
