"""Gates in words: what is demanded of which finding, and on which interval it was decided, in the finding's units."""

from __future__ import annotations

from auditkit.evidence.results import FEW, NOT_MEASURED, ONE_SEED, Finding, GateRow
from auditkit.report.view import View

BECAUSE = {
    "pass": "the whole {} interval keeps the bound",
    "fail": "the whole {} interval breaks the bound",
    "insufficient evidence": "the {} interval reaches across the bound",
}


def condition(view: View, gate: GateRow) -> str:
    """What the gate asks about: "change in the accuracy gap between women and men, placebo against original"."""
    if gate.finding is None:
        return gate.sentence
    test = "" if gate.finding.test == "plain" else f", {gate.finding.test} test"
    return f"{_what(view, gate.finding)}, {arms(view, gate.finding)}, task {gate.finding.task}{test}"


def _what(view: View, finding: Finding) -> str:
    metric = view.names.metric(finding.metric)
    if finding.quantity == "value":
        return f"{metric} of {view.names.group(finding.at)}"
    if finding.quantity == "change":
        return f"change in {metric} of {view.names.group(finding.at)}"
    if finding.quantity == "ratio":
        return f"ratio of {metric}, smallest / largest over {view.names.groups(finding.over)}"
    change = "change in the " if finding.quantity.startswith("change") else ""
    return f"{change}{metric} gap {view.names.pair(finding)}"


def arms(view: View, finding: Finding) -> str:
    """ "bald oversampled", and against which arm a change is measured."""
    against = f" against {view.names.arm(finding.against)}" if finding.against else ""
    return view.names.arm(finding.arm) + against


def bound(view: View, gate: GateRow) -> str:
    """ "at most +2.0 points": in the units of the finding; nothing where there is none."""
    if gate.finding is None:
        return ""
    bounds = (("at least", gate.at_least), ("at most", gate.at_most))
    unit = view.numbers.unit(gate.finding.metric, gate.finding.quantity)
    told = [f"{words} {view.numbers.declared(gate.finding, end)}" for words, end in bounds if end is not None]
    return f"{' and '.join(told)} {unit}".strip() if told else ""


def interval(gate: GateRow) -> str:
    """Which interval decides: the simultaneous one where the finding belongs to a family."""
    found = gate.finding
    if found is None or found.estimate is None or gate.outcome == "not judged" or gate.detail == NOT_MEASURED:
        return ""
    return "simultaneous" if found.simultaneous else "plain" if found.interval else ""


def because(gate: GateRow) -> str:
    """Why a gate came out as it did, or was not judged."""
    kind = interval(gate)
    if not kind:
        return gate.detail
    single = gate.finding is not None and gate.finding.seeds == 1
    return BECAUSE[gate.outcome].format(kind) + (f"; {ONE_SEED}" if single else "")


def in_full(view: View, gate: GateRow) -> str:
    """As `told`, for places that have the gate's title already: what it asks about stands there instead."""
    return _line(condition(view, gate), bound(view, gate), _decided(view, gate))


def told(view: View, gate: GateRow) -> str:
    """The gate in one line: its title, its bound, and what it was decided on or why it was not."""
    if not gate.name:
        return _line(gate.title, _decided(view, gate))
    unknown = gate.sentence if gate.finding is None and not gate.detail else ""
    return _line(gate.title, bound(view, gate), unknown, _decided(view, gate, whose=True))


def _line(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _decided(view: View, gate: GateRow, *, whose: bool = False) -> str:
    kind = interval(gate)
    if not kind or gate.finding is None:
        return gate.detail
    across = ", which reaches across the bound" if gate.outcome == "insufficient evidence" else ""
    of = f", {arms(view, gate.finding)}" if whose else ""
    few = f", {FEW}" if gate.finding.rests_on_few else ""
    single = f"; {ONE_SEED}" if gate.finding.seeds == 1 else ""
    return f"{view.numbers.with_unit(gate.finding)}, {kind} interval{across}{few}{of}{single}"
