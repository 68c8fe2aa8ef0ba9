"""What every part of the report is laid out from: the audit, its results, and how both are called and printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from auditkit.evidence.facts import Facts
from auditkit.evidence.results import Finding, Results, exploratory
from auditkit.report import names, numbers
from auditkit.report.names import Names
from auditkit.report.numbers import Numbers
from auditkit.spec.model import Audit

Item = TypeVar("Item")
ERROR_SHARE = "error_share"


class Topic(NamedTuple):
    """What a table is about: a metric of a task on a test set, over groups."""

    task: str
    test: str
    metric: str
    over: tuple[str, ...]

    @property
    def whole(self) -> Topic:
        """The same of everyone."""
        return self._replace(over=())


@dataclass(frozen=True, slots=True)
class View:
    """The audit and its results, with their names and number formats.

    `index` finds declared findings by topic, quantity and the arm they are measured against.
    """

    audit: Audit
    results: Results
    names: Names
    numbers: Numbers
    index: Mapping[tuple[Topic, str, str], tuple[Finding, ...]]

    @property
    def facts(self) -> Facts:
        """The facts of the run."""
        return self.results.facts

    @property
    def metric(self) -> str:
        """Id of the headline metric: the first that the audit declares."""
        return self.audit.evidence.metrics[0].id

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, in the order of the audit."""
        return in_order((arm.name for arm in self.audit.arm), (f.arm for f in self.results.findings))

    @property
    def reference(self) -> str:
        """The arm that changes are measured from: declared, or the first."""
        return self.audit.evidence.reference or self.audit.arm[0].name

    @property
    def margin(self) -> float:
        """What counts as no change, as a share."""
        return self.audit.evidence.margin

    @property
    def confidence(self) -> str:
        """The level of the intervals: "95 %"."""
        return f"{100 * self.audit.evidence.confidence:g} %"

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Every topic: task by task, the declared metrics first, the declared groups before everyone."""
        known = [Topic(t.label, "plain", m.id, ()) for t in self.audit.task for m in self.audit.evidence.metrics]
        tasks, metrics = distinct(k.task for k in known), distinct(k.metric for k in known)
        places = (*self.audit.evidence.groups, ())
        present = distinct(topic for topic, _, _ in self.index)
        orders = (tasks, metrics, places)
        return tuple(sorted(present, key=lambda t: _rank(orders, (t.task, t.metric, t.over))))

    def find(self, topic: Topic, quantity: str, against: str = "") -> tuple[Finding, ...]:
        """Findings on a topic; of a change, those measured against an arm."""
        return self.index.get((topic, quantity, against), ())

    def role(self, arm: str) -> str:
        """How the audit treats an arm; arms it does not know are plain arms."""
        return next((a.role for a in self.audit.arm if a.name == arm), "arm")


def of(audit: Audit, results: Results) -> View:
    """Choose names and number formats once, and sort the declared findings."""
    index: dict[tuple[Topic, str, str], list[Finding]] = {}
    for finding in results.findings:
        if _declared(audit, finding):
            topic = Topic(finding.task, finding.test, finding.metric, finding.over)
            index.setdefault((topic, finding.quantity, finding.against), []).append(finding)
    frozen = {key: tuple(findings) for key, findings in index.items()}
    return View(audit, results, names.of(audit, results), numbers.of(results), frozen)


def _declared(audit: Audit, finding: Finding) -> bool:
    """Whether a finding answers the declared question, or explores."""
    return not exploratory(finding.family) and finding.over in {(), *audit.evidence.groups}


def _rank(orders: Sequence[Sequence[object]], items: Sequence[object]) -> tuple[int, ...]:
    pairs = zip(orders, items, strict=True)
    return tuple(order.index(item) if item in order else len(order) for order, item in pairs)


def in_order(known: Iterable[Item], present: Iterable[Item]) -> tuple[Item, ...]:
    """What is present, first in the known order, then as it comes."""
    there = dict.fromkeys(present)
    return tuple(dict.fromkeys([*(name for name in known if name in there), *there]))


def distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """Without repetitions, in order of first appearance."""
    return tuple(dict.fromkeys(items))
