"""Differences of two audits' findings from the predictions themselves, the same people being drawn for both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from auditkit.contracts import Metric
from auditkit.evidence.compare import Difference, Key, Verdict, key
from auditkit.evidence.findings import derive
from auditkit.evidence.layout import Layout
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.results import FEW, Finding
from auditkit.evidence.seeds import Arms
from auditkit.spec.model import Evidence
from auditkit.spec.quantities import CHANGE_OF, Quantity

Known = tuple[Mapping[Key, Finding], Mapping[Key, Finding]]
"""The findings of both sides by their key."""
FIRST, SECOND = "first audit: ", "second audit: "
OF_CHANGE: Mapping[Quantity, Quantity] = {change: quantity for quantity, change in CHANGE_OF.items()}
"""What the change from the first audit's arm to the second's is a difference of."""


@dataclass(frozen=True, slots=True)
class _Question:
    """How an arm, or its change from `against`, differs between the audits; arms: the joined panel's, by name."""

    arm: str
    against: str
    arms: tuple[str, ...]


def paired(
    first: Sequence[Panel],
    second: Sequence[Panel],
    evidence: Evidence,
    metrics: Mapping[str, Metric],
    known: Known,
    *,
    seed: int,
) -> Iterator[Difference]:
    """Differences of values, gaps and changes; not of changes of gaps, unless one of their arms is the same in both.

    Only panels of one task with the very same images are paired.
    """
    for a, b in ((a, b) for a in first for b in second if _alike(a, b)):
        questions = list(_questions(a, b, _contrasts(known)))
        if questions:
            yield from _of_panel(_joined(a, b), questions, evidence, metrics, known, seed)


def _alike(a: Panel, b: Panel) -> bool:
    same = (a.task, a.target, a.test) == (b.task, b.target, b.test) and len(a.row) == len(b.row)
    return same and all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("row", "copy", "truth", "identity"))


def _joined(a: Panel, b: Panel) -> Panel:
    """One panel with the arms of both that share a name."""
    common = _arms(a).keys() & _arms(b).keys()
    arms = (replace(arm, arm=side + arm.arm) for side, panel in ((FIRST, a), (SECOND, b)) for arm in panel.arms)
    return replace(a, arms=tuple(arm for arm in arms if arm.arm.removeprefix(FIRST).removeprefix(SECOND) in common))


def _arms(panel: Panel) -> dict[str, ArmScores]:
    return {arm.arm: arm for arm in panel.arms}


def _contrasts(known: Known) -> list[tuple[str, str]]:
    """(arm, against) of the changes that both have."""
    return list(dict.fromkeys((f.arm, f.against) for place, f in known[0].items() if f.against and place in known[1]))


def _questions(a: Panel, b: Panel, contrasts: Iterable[tuple[str, str]]) -> Iterator[_Question]:
    """Of a change whose one arm made the same predictions in both audits, only the other arm is asked.

    That one cancels; left in, its pseudo-observations and its seeds would widen the interval.
    """
    mine, theirs = _arms(a), _arms(b)
    common = [name for name in mine if name in theirs]
    same = {name for name in common if np.array_equal(mine[name].margin, theirs[name].margin, equal_nan=True)}
    for arm in common:
        yield _Question(arm, "", (SECOND + arm, FIRST + arm))
    for arm, against in contrasts:
        if arm not in common or against not in common:
            continue
        if against in same:
            yield _Question(arm, against, (SECOND + arm, FIRST + arm))
        elif arm in same:
            yield _Question(arm, against, (FIRST + against, SECOND + against))
        else:
            yield _Question(arm, against, (SECOND + arm, SECOND + against, FIRST + arm, FIRST + against))


def _of_panel(
    panel: Panel,
    questions: Sequence[_Question],
    evidence: Evidence,
    metrics: Mapping[str, Metric],
    known: Known,
    seed: int,
) -> Iterator[Difference]:
    asked = list(dict.fromkeys(question.arms for question in questions))

    def pairs(layout: Layout, _: Evidence) -> tuple[list[Arms], list[str]]:
        return [tuple(map(layout.arms.index, names)) for names in asked], []

    for change in derive([panel], evidence, metrics, seed=seed, pairs=pairs).findings:
        for question in questions:
            if question.arms[:2] == (change.arm, change.against):
                yield from _answer(change, question, known)


def _answer(change: Finding, question: _Question, known: Known) -> Iterator[Difference]:
    """The differences that a change from one audit to the other answers, if both have the findings in question."""
    quantity = change.quantity if question.against else OF_CHANGE[change.quantity]
    place = key(replace(change, quantity=quantity, arm=question.arm, against=question.against))
    if place in known[0] and place in known[1]:
        yield Difference(
            first=known[0][place],
            second=known[1][place],
            how="paired",
            estimate=change.estimate,
            interval=change.interval,
            simultaneous=change.simultaneous,
            verdict=_in_words(change),
            reason=_because(change),
        )


def _because(change: Finding) -> str:
    return "; ".join(filter(None, (change.reason or change.because, FEW if change.rests_on_few else "")))


def _in_words(change: Finding) -> Verdict:
    if change.estimate is None:
        return "not estimable"
    if change.verdict == "changed":
        return "differs"
    return "no difference larger than the margin" if change.verdict.startswith("no change") else "cannot tell"
