"""Published figures and gates, judged on intervals. Needs findings only, so that stored ones can be judged again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import hypot

from scipy.special import stdtrit

from auditkit.evidence.results import (
    FEW,
    NOT_MEASURED,
    ONE_SEED,
    SPILLOVER,
    Finding,
    GateRow,
    Interval,
    Judgement,
    Outcome,
    PublishedRow,
)
from auditkit.evidence.uncertainty import normal_quantile
from auditkit.spec.model import Evidence, Gate, Published, Selector
from auditkit.spec.quantities import CHANGE_OF, CHANGES
from auditkit.spec.sentences import gate_sentence, published_what


def find(findings: Iterable[Finding], selector: Selector, evidence: Evidence) -> Finding | None:
    """The finding that a selector names; spillover is not among what can be named.

    A change is against `selector.against`, else the reference; where that is not declared either, against the arm that
    the first matching change was measured from.
    """
    at = {} if selector.at is None else {name: levels[0] for name, levels in selector.at.levels.items()}
    against = selector.against or evidence.reference
    for finding in findings:
        if (
            (finding.task, finding.arm, finding.metric) == (selector.task, selector.arm, selector.metric)
            and (finding.quantity, finding.test) == (selector.quantity, selector.test)
            and set(finding.over) == set(selector.over)
            and dict(finding.at) == at
            and (selector.quantity not in CHANGES or not against or finding.against == against)
            and not finding.family.startswith(SPILLOVER)
        ):
            return finding
    return None


def decisive(finding: Finding) -> Interval | None:
    """The interval that decides: the simultaneous one where the finding belongs to a family."""
    return finding.simultaneous or finding.interval


# --------------------------------------------------------------------------------------------------------- published


def judge_published(
    published: Sequence[Published],
    findings: Sequence[Finding],
    evidence: Evidence,
    *,
    not_judged: str = "",
    plain: Collection[str] = (),
) -> tuple[PublishedRow, ...]:
    """Every published figure beside ours.

    `not_judged` is a reason to judge none, such as synthetic data. Otherwise: *other protocol* unless the audit follows
    the publication's; *cannot tell* where we have no interval, or the figure is outside and training variance was not
    measured; *consistent* where one more run of ours could well have given a value that is printed so. `plain` are
    metrics that are no shares; notes tell all others in percent and points.
    """
    return tuple(_published(one, published, findings, evidence, not_judged, plain) for one in published)


def _published(
    one: Published,
    others: Sequence[Published],
    findings: Sequence[Finding],
    evidence: Evidence,
    not_judged: str,
    plain: Collection[str],
) -> PublishedRow:
    ours = None if one.finding is None else find(findings, one.finding, evidence)
    told = _Told(one.finding is None or one.finding.metric in plain or one.finding.quantity == "ratio")
    judgement, why = _judge(one, ours, evidence.confidence, not_judged, told)
    noise = () if not_judged else _within_noise(one, others, findings, evidence, told)
    notes = tuple(filter(None, (one.note, why, *noise)))
    return PublishedRow(
        where=one.where,
        what=published_what(one, evidence.reference),
        value=one.value,
        ours=ours,
        judgement=judgement,
        notes=notes,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """How notes tell numbers: `plain` ones with four decimals, shares with two of a percent."""

    plain: bool

    def number(self, value: float, *, signed: bool = False) -> str:
        shown, digits = (value, 4) if self.plain else (100 * value, 2)
        return f"{shown:+.{digits}f}" if signed else f"{shown:.{digits}f}"

    def points(self, value: float, *, signed: bool = False) -> str:
        return self.number(value, signed=signed) + ("" if self.plain else " points")


def _judge(
    one: Published, ours: Finding | None, confidence: float, not_judged: str, told: _Told
) -> tuple[Judgement, str]:
    if not_judged:
        return "not judged", not_judged
    if one.finding is None:
        return "not judged", "no finding of ours answers to it"
    if one.protocol != "same":
        return "other protocol", ""
    if ours is None:
        return "cannot tell", "there is no such finding"
    if ours.estimate is None or ours.interval is None:
        return "cannot tell", ours.reason
    low, high = printed_range(one)
    run = _one_more_run(ours, ours.estimate, ours.interval, confidence)
    if low <= run.high and high >= run.low:
        return "consistent", ""
    if ours.seeds < 2:
        return "cannot tell", "outside of our interval, but training variance was not measured"
    if ours.seed_sd is None:
        return (
            "cannot tell",
            "outside of our interval, but two arms with unlike seeds do not tell how far one run strays",
        )
    unit = "" if told.plain else " %" if ours.quantity == "value" else " points"
    return "not consistent", f"one run of ours would give {told.number(run.low)} to {told.number(run.high)}{unit}"


def printed_range(one: Published) -> tuple[float, float]:
    """Values that would be printed so: half a unit of the last digit for rounded, one unit for approximate figures."""
    value = Decimal(repr(one.value))
    exponent = value.as_tuple().exponent
    unit = float(Decimal(1).scaleb(int(exponent)))
    if one.precision == "exact":
        return one.value, one.value
    if one.precision == "truncated":
        return (one.value, one.value + unit) if one.value >= 0 else (one.value - unit, one.value)
    half = unit if one.precision == "approximate" else unit / 2
    return one.value - half, one.value + half


def _one_more_run(ours: Finding, estimate: float, interval: Interval, confidence: float) -> Interval:
    """Where a single further run on the same images would fall: our interval, widened by one seed's spread."""
    seed = _of_one_seed(ours, confidence)
    return Interval(estimate - hypot(estimate - interval.low, seed), estimate + hypot(interval.high - estimate, seed))


def _of_one_seed(finding: Finding, confidence: float) -> float:
    """How far the seed of one run can move a finding; 0 where that was not measured."""
    if finding.seed_sd is None:
        return 0.0
    return float(stdtrit(len(finding.per_seed) - 1, (1 + confidence) / 2)) * finding.seed_sd


def _within_noise(
    one: Published, others: Sequence[Published], findings: Sequence[Finding], evidence: Evidence, told: _Told
) -> Iterator[str]:
    """Whether a printed difference between two arms is more than one run on this test set moves by chance."""
    if one.finding is None:
        return
    if one.finding.quantity in CHANGES:
        change, difference = find(findings, one.finding, evidence), one.value
        yield from _noise(change, difference, "a change of this size", evidence.confidence, told)
        return
    quantity = CHANGE_OF.get(one.finding.quantity)
    for against, value in _other_arms(one, others) if quantity else ():
        change = find(findings, one.finding.model_copy(update={"quantity": quantity, "against": against}), evidence)
        difference = one.value - value
        words = f"the printed difference from {against} ({told.points(difference, signed=True)})"
        yield from _noise(change, difference, words, evidence.confidence, told)


def _other_arms(one: Published, others: Sequence[Published]) -> Iterator[tuple[str, float]]:
    """Arms, and their values, of which the same was printed by the same protocol."""
    for other in others:
        if one.finding is None or other.finding is None or other.protocol != one.protocol:
            continue
        arm = other.finding.arm
        if arm != one.finding.arm and one.finding.model_copy(update={"arm": arm}) == other.finding:
            yield arm, other.value


def _noise(change: Finding | None, difference: float, words: str, confidence: float, told: _Told) -> Iterator[str]:
    if change is None or change.people_error is None:
        return
    half = hypot(normal_quantile(confidence) * change.people_error, _of_one_seed(change, confidence))
    half = half if told.plain else min(half, 1.0)
    alone = change.seed_sd is None
    tested = f"this test set of {change.identities or change.images:,} {'people' if change.identities else 'images'}"
    what = f"the people in {tested} alone move it by" if alone else f"a single run on {tested} moves it by"
    inside = "within" if abs(difference) <= half else "beyond"
    yield f"{words} is {inside} noise: {what} up to {told.points(half)}"


# ------------------------------------------------------------------------------------------------------------- gates


def judge_gates(
    gates: Sequence[Gate],
    findings: Sequence[Finding],
    evidence: Evidence,
    *,
    not_judged: str = "",
) -> tuple[GateRow, ...]:
    """Every gate, never decided on the estimate alone.

    `not_judged` is a reason to judge none, such as stand-in data.

    pass: the whole interval keeps the bounds; fail: the whole interval breaks one; insufficient evidence: neither, or
    there is no interval, or it asks about a change and training variance was not measured. A gate on a value or a gap
    holds with one seed for the trained networks, and says so.
    """
    rows = tuple(_gate(gate, findings, evidence) for gate in gates)
    return tuple(replace(row, outcome="not judged", detail=not_judged) for row in rows) if not_judged else rows


def _gate(gate: Gate, findings: Sequence[Finding], evidence: Evidence) -> GateRow:
    finding = find(findings, gate.finding, evidence)
    outcome, detail = _outcome(gate, finding)
    sentence = gate_sentence(gate, evidence.reference)
    return GateRow(gate.name, sentence, outcome, finding, detail, at_most=gate.at_most, at_least=gate.at_least)


def _outcome(gate: Gate, finding: Finding | None) -> tuple[Outcome, str]:
    if finding is None:
        return "insufficient evidence", "there is no such finding: its arms are not trained, or not compared"
    interval = decisive(finding)
    if finding.estimate is None or interval is None:
        return "insufficient evidence", finding.reason or "there is no interval to decide on"
    if finding.quantity in CHANGES and finding.seeds < 2:
        return "insufficient evidence", NOT_MEASURED
    numbers = f"{finding.estimate:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
    outcome: Outcome = "insufficient evidence"
    if _breaks(gate, interval):
        outcome = "fail"
    elif _keeps(gate, interval):
        outcome = "pass"
    else:
        numbers += " reaches across the bound"
    limits = (ONE_SEED if finding.seeds == 1 else "", FEW if finding.rests_on_few else "")
    return outcome, "; ".join(filter(None, (numbers, *limits)))


def _keeps(gate: Gate, interval: Interval) -> bool:
    below = gate.at_most is None or interval.high <= gate.at_most
    return below and (gate.at_least is None or interval.low >= gate.at_least)


def _breaks(gate: Gate, interval: Interval) -> bool:
    above = gate.at_most is not None and interval.low > gate.at_most
    return above or (gate.at_least is not None and interval.high < gate.at_least)
