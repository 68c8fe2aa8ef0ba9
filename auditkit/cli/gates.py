"""How the gates came out, for continuous integration: JUnit XML, GitHub annotations, GitHub's job summary."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from auditkit.errors import AuditError
from auditkit.report import github, junit
from auditkit.report.blocks import Document
from auditkit.report.conditions import told
from auditkit.report.view import View


def not_passed(view: View) -> Iterator[str]:
    """A line for every gate that failed or has too little evidence; on stand-in data no gate is judged."""
    for gate in view.results.gates:
        if gate.outcome in ("fail", "insufficient evidence"):
            how = "failed" if gate.outcome == "fail" else gate.outcome
            yield f"gate {how}: {told(view, gate)}{f' ({gate.place})' if gate.place else ''}"


def announce(name: str, document: Document, view: View, file: Path | None) -> None:
    """Write JUnit XML where asked; on GitHub print annotations and add to the summary of the job."""
    if file is not None:
        _write(file, junit.render(name, view), "w")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        folder = os.environ.get("GITHUB_WORKSPACE")
        for line in github.commands(view, Path(folder) if folder else None):
            click.echo(line)
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        _write(Path(os.environ["GITHUB_STEP_SUMMARY"]), github.summary(document), "a")


def _write(file: Path, text: str, mode: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open(mode, encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise AuditError(f"cannot write the file: {error.strerror}", where=str(file)) from error
