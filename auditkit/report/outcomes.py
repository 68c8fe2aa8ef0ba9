"""How a change came out, in words."""

from __future__ import annotations

from auditkit.evidence.results import Finding
from auditkit.report import cells
from auditkit.report.view import View


def outcome(view: View, finding: Finding) -> str:
    """ "changed by -1.9 points [-2.6, -1.2]"."""
    if finding.estimate is None:
        return f"{cells.absent(finding)} ({view.names.in_words(finding.reason)})"
    number = view.numbers.in_words(finding)
    if finding.verdict == "changed":
        return ", ".join(filter(None, (f"changed by {number}", finding.because)))
    if finding.verdict == "cannot tell":
        return f"cannot tell ({number})"
    margin = view.numbers.margin(view.margin, finding.metric)
    return f"no change larger than {margin} ({number})" if finding.verdict else number
