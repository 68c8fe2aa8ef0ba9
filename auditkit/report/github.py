"""What GitHub Actions shows: annotations on the gates' lines, and a summary of the job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from auditkit.evidence.results import GateRow
from auditkit.report.blocks import Document
from auditkit.report.conditions import in_full
from auditkit.report.markdown import escape
from auditkit.report.view import View

COMMANDS = {"fail": "error", "insufficient evidence": "warning"}


def commands(view: View, root: Path | None = None) -> tuple[str, ...]:
    """Workflow commands: an error per failed gate, a warning per gate with insufficient evidence.

    GitHub takes files relative to the repository, whose folder is `root`.
    """
    return tuple(_annotation(view, gate, root) for gate in view.results.gates if gate.outcome in COMMANDS)


def _annotation(view: View, gate: GateRow, root: Path | None) -> str:
    file, _, line = gate.place.rpartition(":")
    if root is not None and file and (whole := Path(file).resolve()).is_relative_to(root.resolve()):
        file = whole.relative_to(root.resolve()).as_posix()
    title = f"gate {gate.title}: {gate.outcome}"
    properties = {"file": file, "line": line if file else "", "title": title}
    place = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{COMMANDS[gate.outcome]} {place}::{_data(in_full(view, gate))}"


def _data(text: str) -> str:
    """Escaped as GitHub's toolkit does (actions/toolkit, packages/core/src/command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(document: Document) -> str:
    """The first screen in Markdown, without charts."""
    return "\n".join(_summary(document)).rstrip() + "\n\n"


def _summary(document: Document) -> Iterator[str]:
    yield from (f"## {escape(document.title)}", "")
    for warning in document.banner:
        yield from (f"> **{escape(warning)}**", "")
    for sentence in document.answer:
        yield from (escape(sentence), "")
    yield from (f"- **{escape(name)}**: {escape(text)}" for name, text in document.strip)
    if document.gates:
        yield from ("", "| gate | |", "| --- | --- |")
        yield from (f"| {escape(gate.label)} | {escape(gate.text)} |" for gate in document.gates)
