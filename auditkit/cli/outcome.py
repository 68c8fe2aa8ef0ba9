"""From a prepared audit to its reports and its exit code; shared by ``run`` and ``report``."""

from __future__ import annotations

import contextlib
import threading
from importlib import import_module
from pathlib import Path

from auditkit import shelf
from auditkit.cli.codes import Code
from auditkit.cli.console import Console, working
from auditkit.engine.prepare import Prepared
from auditkit.engine.writable import require_file, require_folder
from auditkit.errors import AuditError
from auditkit.evidence.results import Results
from auditkit.report.blocks import Document

ELSEWHERE = "name another folder with --reports"
_NEEDED_LATER = ("auditkit.engine.conclude", "auditkit.report.document", "auditkit.report.files")


def import_ahead() -> threading.Thread:
    """Import and start what findings and reports are made with, while workers start and leave a core idle."""
    thread = threading.Thread(target=_prepare_what_is_needed_later)
    thread.start()
    return thread


def _prepare_what_is_needed_later() -> None:
    with contextlib.suppress(Exception):  # what is wrong is told where it is needed, or the run is being stopped
        for name in _NEEDED_LATER:
            import_module(name)
        import_module("auditkit.report.svg").warm_up()


def require_units(prepared: Prepared) -> None:
    """Raise AuditError unless some unit of the audit is in the store."""
    if len(prepared.missing()) == len(prepared.plan.units):
        raise prepared.not_trained()


def conclude(prepared: Prepared) -> Results:
    """Findings from the shelf, or derived now, which needs fairlearn."""
    return shelf.findings(prepared, _derive)


def _derive(prepared: Prepared) -> Results:
    from auditkit.engine.conclude import conclude as derive

    with working():
        return derive(prepared)


def write_reports(
    console: Console,
    prepared: Prepared,
    results: Results,
    *,
    quiet: bool,
    everything: bool = False,
    junit: Path | None = None,
) -> None:
    """Write the report; print its first screen, all of it, or only the gates that did not pass; tell a continuous
    integration of all gates."""
    from auditkit.cli.gates import announce, not_passed
    from auditkit.report import document, view

    read = prepared.read
    audit = read.resolved.audit
    built, seen = document.build(audit, results), view.of(audit, results)
    folder, drawings = read.settings.reports / read.name, prepared.store.charts
    publish(console, built, results, folder, quiet=quiet, everything=everything, drawings=drawings)
    if quiet:
        for line in not_passed(seen):
            console.print(line, markup=False, soft_wrap=True)
    announce(read.name, built, seen, junit)


def publish(
    console: Console,
    built: Document,
    results: Results,
    folder: Path,
    *,
    quiet: bool,
    everything: bool = False,
    drawings: Path | None = None,
) -> None:
    """Write report.md, report.html, findings.json and the tables, and print the first screen or everything."""
    from auditkit.report import terminal
    from auditkit.report.files import write

    try:
        write(built, results, folder, drawings)
    except OSError as error:
        raise AuditError(f"cannot write the report: {error.strerror}", where=str(folder), hint=ELSEWHERE) from error
    if not quiet:
        terminal.render(built, console, everything=everything)
    console.print(f"report  {folder / 'report.html'}", markup=False, soft_wrap=True)


def gate_code(results: Results) -> Code:
    """That a gate failed; else that one has too little evidence; else that all is done."""
    outcomes = {gate.outcome for gate in results.gates}
    if "fail" in outcomes:
        return Code.GATE_FAILED
    return Code.INSUFFICIENT if "insufficient evidence" in outcomes else Code.DONE


def require_writable(prepared: Prepared, junit: Path | None) -> None:
    """Raise AuditError now, and not after hours of training, for a place that cannot be written."""
    read = prepared.read
    require_folder(read.settings.reports / read.name, "the report", ELSEWHERE)
    if junit is not None:
        require_file(junit, "the JUnit file", "name another file with --junit")
    prepared.store.require_writable()
