"""What was declared beside the headline: how many of the other changes are called changed, and the largest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditkit.evidence.results import NOT_MEASURED, Finding
from auditkit.report.numbers import count, plural
from auditkit.report.outcomes import outcome
from auditkit.report.view import View, distinct, in_order


def others(view: View, told: Sequence[Finding], task: str) -> tuple[Finding, ...]:
    """Declared changes of a task that have a verdict, without those that were told.

    A gap without a sign is left out where the same one has a sign.
    """
    known = {id(finding) for finding in told}
    declared = [f for found in view.index.values() for f in found if f.task == task and f.against and f.verdict]
    signed = {_whose(f) for f in declared if f.quantity == "change_in_signed_gap"}
    doubled = {id(f) for f in declared if f.quantity == "change_in_gap" and _whose(f) in signed}
    return tuple(f for f in declared if id(f) not in known | doubled)


def _whose(finding: Finding) -> tuple[object, ...]:
    return (finding.test, finding.metric, finding.over, finding.at, finding.arm, finding.against)


def changed(view: View, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those called changed, of the metric first declared first, and of each metric the largest first."""
    metrics = [metric.id for metric in view.audit.evidence.metrics]
    known = [f for f in found if f.verdict == "changed"]
    order = in_order(metrics, (f.metric for f in known))
    return tuple(sorted(known, key=lambda f: (order.index(f.metric), -abs(f.estimate or 0))))


def sentences(view: View, found: Sequence[Finding]) -> Iterator[str]:
    """ "of 35 other declared changes of groups and gaps, 3 are called changed (2 in accuracy, 1 in Brier score). ...".

    Nothing where one seed lets no change be called one.
    """
    if not found or all(f.because == NOT_MEASURED for f in found):
        return
    known = changed(view, found)
    of = f"of {plural(len(found), 'other declared change')} of groups and gaps"
    if not known:
        yield f"{of}, none is called changed."
        return
    first = f"{_name(view, known[0])}: {outcome(view, known[0])}"
    if len(known) == 1:
        yield f"{of}, 1 is called changed, {view.names.metric(known[0].metric)} of {first}."
        return
    split, largest = _by_metric(view, known)
    yield f"{of}, {count(len(known))} are called changed{split}. The largest{largest} is of {first}."


def _by_metric(view: View, known: Sequence[Finding]) -> tuple[str, str]:
    """How many there are in each metric, and in which the largest is sought: metrics are not compared."""
    names = [view.names.metric(finding.metric) for finding in known]
    if len(set(names)) == 1:
        return f", all in {names[0]}", ""
    split = ", ".join(f"{count(names.count(name))} in {name}" for name in distinct(names))
    return f" ({split})", f" in {names[0]}"


def _name(view: View, finding: Finding) -> str:
    """ "women, old in oversampled against placebo"."""
    gap = "" if finding.quantity == "change" else "the gap " if finding.quantity == "change_in_gap" else ""
    who = view.names.group(finding.at) if finding.quantity == "change" else f"{gap}{view.names.pair(finding)}"
    test = "" if finding.test == "plain" else f", {finding.test} test"
    return f"{who} in {view.names.arm(finding.arm)} against {view.names.arm(finding.against)}{test}"
