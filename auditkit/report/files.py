"""The files of a report: HTML, Markdown with its pictures, JSON and CSV, each replaced whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from auditkit.evidence.results import Results
from auditkit.replacing import replacing
from auditkit.report import archive, html, markdown, svg
from auditkit.report.blocks import Block, Document, Figure, Fold

PICTURES = "charts"


def write(document: Document, results: Results, folder: Path, drawings: Path | None = None) -> tuple[Path, ...]:
    """Write report.html, report.md, charts/*.svg, findings.json and the CSV tables; returns their paths.

    Charts and tables of an earlier report that this one does not have are removed; files of others stay. `drawings` is
    a folder that keeps charts as they were drawn, so that another report need not draw them again.
    """
    with svg.kept_in(drawings):
        texts = {
            "report.html": html.render(document),
            "report.md": markdown.render(document, pictures=PICTURES),
            "findings.json": archive.to_json(results),
            **{f"{PICTURES}/{name}": text for name, text in pictures(document).items()},
        }
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    no_more = _shown(folder) - texts.keys()
    for name, text in texts.items():
        with replacing(folder / name) as aside:
            aside.write_text(text, encoding="utf-8")
    for name in no_more:
        (folder / name).unlink(missing_ok=True)
    return (*(folder / name for name in texts), *archive.write_csv(results, folder))


def _shown(folder: Path) -> set[str]:
    """The charts of the report that lies in the folder, if there is one."""
    page = folder / "report.md"
    text = page.read_text(encoding="utf-8", errors="replace") if page.is_file() else ""
    return set(re.findall(rf"\]\(({PICTURES}/[\w.-]+\.svg)\)", text))


def pictures(document: Document) -> Mapping[str, str]:
    """Every chart as an SVG file, by file name."""
    blocks = (*document.effect, *(block for section in document.sections for block in section.blocks))
    return {f"{figure.id}.svg": svg.standalone(figure) for figure in figures(blocks)}


def figures(blocks: tuple[Block, ...]) -> Iterator[Figure]:
    """The figures among blocks, folded ones included."""
    for block in blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, Fold):
            yield from figures(block.blocks)
