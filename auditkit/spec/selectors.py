"""Rules of published figures and gates: that the finding they name is one the audit can make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.contrasts import contrasted
from auditkit.spec.model import Audit, Selector
from auditkit.spec.paths import elements, label
from auditkit.spec.quantities import CHANGES, ONE_GROUP, SIGNED
from auditkit.spec.words import did_you_mean, listed, nearest


def check_published_and_gates(audit: Audit, values: Mapping[str, Any], arms: Sequence[str]) -> Iterator[Problem]:
    """Problems of every [[published]] and [[gate]]."""
    tasks = [label(task) for task in elements(values, "task")]
    for index, published in enumerate(audit.published):
        if published.finding is not None:
            yield from _selector(published.finding, ("published", index, "finding"), audit, tasks, arms)
        elif not published.label:
            said = f"published {index + 1} has neither a 'finding' nor a 'label' that says what the figure is"
            yield Problem(("published", index), said, at_key=True)
    first: dict[str, int] = {}
    for index, gate in enumerate(audit.gate):
        if gate.name and first.setdefault(gate.name, index) < index:
            said = f"gate {gate.name!r} is there twice, first as number {first[gate.name] + 1}"
            yield Problem(("gate", index, "name"), said, "reports and JUnit know gates by their names")
        yield from _selector(gate.finding, ("gate", index, "finding"), audit, tasks, arms)
        if gate.finding.quantity == "ratio":
            said = f"gate {index + 1} asks for a ratio, which has no interval, so that it can never be decided"
            yield Problem(("gate", index, "finding", "quantity"), said, "ask for a gap, or for the change in a gap")
        if gate.at_most is None and gate.at_least is None:
            said = f"gate {index + 1} has no bound"
            yield Problem(("gate", index), said, "give at_most, at_least or both", at_key=True)
        elif gate.at_most is not None and gate.at_least is not None and gate.at_least > gate.at_most:
            said = f"gate {index + 1} can never pass: at_least {gate.at_least:g} is above at_most {gate.at_most:g}"
            yield Problem(("gate", index, "at_least"), said)


def _selector(
    finding: Selector, path: KeyPath, audit: Audit, tasks: Sequence[str], arms: Sequence[str]
) -> Iterator[Problem]:
    if finding.task not in tasks:
        hint = did_you_mean(finding.task, tasks)
        yield Problem((*path, "task"), f"there is no task {finding.task!r}", hint, refers_to=("task",))
    for key, arm in (("arm", finding.arm), ("against", finding.against)):
        if arm is not None and arm not in arms:
            yield Problem((*path, key), f"there is no arm {arm!r}", did_you_mean(arm, arms), refers_to=("arm",))
    yield from _metric(finding, path, audit)
    if finding.test == "resampled" and audit.data.split_after_resampling is None:
        said = "there is a resampled test only under [data.split_after_resampling]"
        yield Problem((*path, "test"), said, "leave out 'test'")
    yield from _against(finding, path, audit, arms)
    yield from _groups(finding, path, audit)


def _metric(finding: Selector, path: KeyPath, audit: Audit) -> Iterator[Problem]:
    metrics = [metric.id for metric in audit.evidence.metrics]
    if finding.metric not in metrics:
        hint = did_you_mean(finding.metric, metrics)
        said = f"metric {finding.metric!r} is not among the metrics of [evidence]"
        yield Problem((*path, "metric"), said, hint, refers_to=("evidence", "metrics"))


def _against(finding: Selector, path: KeyPath, audit: Audit, arms: Sequence[str]) -> Iterator[Problem]:
    if finding.quantity not in CHANGES:
        if finding.against is not None:
            said = f"'against' is for a change, and the quantity is {finding.quantity!r}"
            yield Problem((*path, "against"), said, f"quantity is {listed(CHANGES)} for a change", at_key=True)
        return
    if finding.arm == (finding.against or audit.evidence.reference):
        yield Problem(
            path, f"a change of arm {finding.arm!r} against itself is always 0", "name another arm in 'against'"
        )
    elif finding.arm in arms and finding.against in (None, *arms) and audit.evidence.reference in ("", *arms):
        yield from _contrast(finding, path, audit, arms)


def _contrast(finding: Selector, path: KeyPath, audit: Audit, arms: Sequence[str]) -> Iterator[Problem]:
    """Whether the arm is compared with the other at all: only with the reference, and with its placebo."""
    evidence = audit.evidence
    others = [against for arm, against in contrasted(arms, evidence) if arm == finding.arm]
    if finding.against in others or (finding.against is None and (others or evidence.reference)):
        return
    if others:
        said = f"arm {finding.arm!r} is not compared with {finding.against!r}, only with {listed(others, 'and')}"
        hint = "name one of those, or declare a placebo in [evidence]"
        yield Problem((*path, "against"), said, hint, refers_to=("evidence", "placebo"))
    else:
        said = f"arm {finding.arm!r} is what others are compared with, so that it has no change"
        yield Problem((*path, "arm"), said, "name the other arm, and this one in 'against'")


def _groups(finding: Selector, path: KeyPath, audit: Audit) -> Iterator[Problem]:
    over, at = finding.over, finding.at.levels if finding.at is not None else {}
    held = {name if name in over else nearest(name, over) for name in at}
    for name, levels in at.items():
        if name not in over:
            said = f"'at' gives a level of {name!r}, which is not in 'over'"
            hint = did_you_mean(name, over)
            yield Problem((*path, "at", name), said, hint, at_key=True, refers_to=(*path, "over"))
        elif len(levels) > 1:
            yield Problem((*path, "at", name), f"'at' names one group, so one level of {name!r}")
    if len(set(over)) < len(over):
        yield Problem((*path, "over"), "'over' names an attribute twice")
    elif over and set(over) not in [set(group) for group in audit.evidence.groups]:
        hint = f"add {list(over)} there".replace("'", '"')
        said = f"the group {listed(over, 'and')} is not among the groups of [evidence]"
        yield Problem((*path, "over"), said, hint, refers_to=("evidence", "groups"))
    yield from _free(finding, path, [name for name in over if name not in held])


def _free(finding: Selector, path: KeyPath, free: Sequence[str]) -> Iterator[Problem]:
    """A value needs every level named; a gap needs an attribute left to compare."""
    quantity = finding.quantity.replace("_", " ")
    if finding.quantity not in ONE_GROUP:
        if not free:
            said = f"a {quantity} needs groups to compare"
            yield Problem(path, said, "name an attribute in 'over' that 'at' leaves open", at_key=True)
        elif finding.quantity in SIGNED and len(free) > 1:
            said = f"a {quantity} compares the levels of one attribute, and 'at' leaves {listed(free, 'and')} open"
            yield Problem(path, said, at_key=True)
    elif free:
        said = f"a {quantity} is of one group, and 'at' leaves {listed(free, 'and')} open"
        yield Problem(path, said, f"as in at = {{ {free[0]} = 1 }}", at_key=True)
