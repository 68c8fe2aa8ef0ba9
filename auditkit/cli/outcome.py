"""From a prepared audit to its reports and its exit code; shared by ``run`` and ``report``."""

from __future__ import annotations

from rich.console import Console

from auditkit import shelf
from auditkit.engine.prepare import Prepared
from auditkit.errors import AuditError
from auditkit.evidence.results import Results

DONE, GATE_FAILED, RUN_FAILED, INSUFFICIENT = 0, 1, 3, 4


def conclude(prepared: Prepared) -> Results:
    """Findings from the shelf, or derived now, which needs fairlearn."""
    found = shelf.stored(prepared)
    if found is not None:
        return found
    from auditkit.engine.conclude import conclude as derive

    return shelf.keep(prepared, derive(prepared))


def write_reports(console: Console, prepared: Prepared, results: Results, *, quiet: bool) -> None:
    """Write report.md, report.html, findings.json and findings.csv, and print the report."""
    from auditkit.report import document, terminal
    from auditkit.report.files import write

    built = document.build(prepared.read.resolved.audit, results)
    folder = prepared.read.settings.reports / prepared.read.name
    try:
        write(built, results, folder)
    except OSError as error:
        message = f"cannot write the report: {error.strerror}"
        raise AuditError(message, where=str(folder), hint="name another folder with --reports") from error
    if not quiet:
        terminal.render(built, console)
    console.print(f"report  {folder / 'report.html'}", markup=False, soft_wrap=True)


def gate_code(results: Results) -> int:
    """1 when a gate failed, 4 when none failed but one has too little evidence, else 0."""
    outcomes = {gate.outcome for gate in results.gates}
    if "fail" in outcomes:
        return GATE_FAILED
    return INSUFFICIENT if "insufficient evidence" in outcomes else DONE
