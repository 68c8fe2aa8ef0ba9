"""The evidence wing on predictions made elsewhere: no audit file, no training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from auditkit.cohort import known_people
from auditkit.contracts import Metric
from auditkit.engine.asking import coarse_margin
from auditkit.engine.elsewhere import Columns, Given, Reading
from auditkit.engine.registry import Registry
from auditkit.engine.versions import versions
from auditkit.errors import AuditError
from auditkit.evidence.facts import Facts
from auditkit.evidence.findings import derive
from auditkit.evidence.flips import flips
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.results import Results
from auditkit.spec.model import About, Arm, Audit, Data, Evidence, Task, Use
from auditkit.spec.words import did_you_mean

KIND = "predictions made elsewhere"
_SAID: Mapping[str, Any] = {
    "audit": True,
    "task": {"__all__": {"target", "positive"}},
    "arm": {"__all__": {"name"}},
    "evidence": True,
}
USUAL = Reading().threshold
METRICS = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the predictions; the reference is the first arm where none is named.

    `command` is what a report says it is made with; "" where nothing is told.
    """

    title: str
    metrics: tuple[str, ...] = METRICS
    reference: str | None = None
    placebo: str | None = None
    margin: float = 0.005
    confidence: float = 0.95
    command: str = ""


def judge(given: Given, columns: Columns, question: Question, registry: Registry) -> tuple[Audit, Results]:
    """The audit that an audit file would have stated, as reports need it, and what was found.

    Raises:
        AuditError: no such arm or metric, or a margin that nobody means.
    """
    audit = _audit(given, columns, question)
    metrics = _metrics(registry, question.metrics)
    notes = () if question.reference else _first_arm(audit)
    if coarse := coarse_margin(question.margin, metrics.values()):
        raise AuditError(f"the margin is {coarse[0]}", where="--margin", hint=coarse[1])
    derived = derive([given.panel], audit.evidence, metrics)
    turned, counted = flips(given.panel, audit.evidence, given.names)
    results = Results(
        findings=derived.findings,
        families={name: size for name, size in derived.families.items() if size},
        remarks=derived.remarks,
        flips=turned,
        flip_counts=counted,
        facts={**_facts(given, audit, metrics, notes), "command": question.command},
    )
    return audit, results


def _audit(given: Given, columns: Columns, question: Question) -> Audit:
    names = given.arms
    for option, name in (("--reference", question.reference), ("--placebo", question.placebo)):
        if name is not None and name not in names:
            raise AuditError(f"there is no arm {name!r}", where=option, hint=did_you_mean(name, names))
    reference = question.reference or (names[0] if len(names) > 1 else "")
    if question.placebo is not None and question.placebo == reference:
        said = f"arm {reference!r} is the reference already"
        raise AuditError(said, where="--placebo", hint="name another arm here, or another --reference")
    evidence = Evidence(
        reference=reference,
        placebo=question.placebo,
        groups=columns.groups,
        metrics=tuple(Use(use=name) for name in question.metrics),
        margin=question.margin,
        confidence=question.confidence,
        spillover=bool(columns.explore) and len(names) > 1,
        scan=False,
    )
    # names of arms made elsewhere are whatever their table says, so the file's pattern for names is not applied
    arms = tuple(Arm.model_construct(name=n, role="placebo" if n == question.placebo else "arm") for n in names)
    task = Task(target=columns.truth, positive=given.positive)
    return Audit.model_construct(
        audit=About(title=question.title), data=Data(), task=(task,), arm=arms, evidence=evidence
    )


def _metrics(registry: Registry, names: tuple[str, ...]) -> dict[str, Metric]:
    metrics = {}
    for name in names:
        chosen, problems = registry.choose("metric", Use(use=name), ())
        if chosen is None or problems:
            raise AuditError(problems[0].message, where="--metrics", hint=problems[0].hint)
        if chosen.component.id in metrics:
            raise AuditError(f"metric {chosen.component.id!r} is there twice", where="--metrics")
        metrics[chosen.component.id] = registry.build(chosen)
    return metrics


def _facts(given: Given, audit: Audit, metrics: Mapping[str, Metric], notes: Sequence[str]) -> Facts:
    panel = given.panel
    people = known_people(panel.identity) if panel.identities_known else None
    return {
        "title": audit.audit.title,
        "dataset": {"kind": KIND, "images": len(panel.row), "identities": people, "fingerprint": given.fingerprint},
        "splits": {"test": len(panel.row), "test_identities": people},
        "versions": versions(),
        "protocol": KIND,
        "warnings": [*_positive_above(given.reading), *given.notes, *notes],
        "metrics": {name: {"percent": bool(metric.percent)} for name, metric in metrics.items()},
        "digests": {arm.arm: _digest(panel, arm) for arm in panel.arms},
        "audit": {**audit.model_dump(mode="json", by_alias=True, include=_SAID), "score": _score(given.reading)},
    }


def _score(reading: Reading) -> dict[str, Any]:
    """How scores were read, as if it stood in a file, so that a comparison tells where it differs."""
    return {"threshold": reading.threshold, "logit": reading.logit}


def _positive_above(reading: Reading) -> Iterator[str]:
    if reading.threshold != USUAL:
        yield f"a prediction is positive above a probability of {reading.threshold:g}, not {USUAL:g} (--threshold)"


def _digest(panel: Panel, arm: ArmScores) -> str:
    """Of an arm's predictions, what was to be predicted, and above which margin a prediction is positive."""
    digest = hashlib.sha256(panel.truth.tobytes() + repr(panel.threshold).encode())
    digest.update(np.ascontiguousarray(arm.margin).tobytes())
    return digest.hexdigest()


def _first_arm(audit: Audit) -> tuple[str, ...]:
    """Which arm was taken for the reference, where none was named and there is a choice."""
    if len(audit.arm) < 2:
        return ()
    return (f"changes are measured from {audit.evidence.reference!r}, the first arm; --reference names another",)
