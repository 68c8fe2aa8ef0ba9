"""Two sets of findings side by side: the difference of every finding that both have, the second less the first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Literal

from scipy.special import stdtrit

from auditkit.evidence.results import FEW, Finding, Interval, Results, exploratory
from auditkit.spec.quantities import Quantity

How = Literal["paired", "unpaired", "the very same networks"]
Verdict = Literal["differs", "no difference larger than the margin", "cannot tell", "not estimable"]
Key = tuple[object, ...]
UNDECIDED = "it may be none, and may be larger than the margin"
MOST: Mapping[Quantity, float] = {
    "value": 1,
    "gap": 1,
    "signed_gap": 2,
    "change": 2,
    "change_in_gap": 2,
    "change_in_signed_gap": 4,
}
"""How far apart two findings on a share can be."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A finding of the second less the same of the first; `second` is the finding, `simultaneous` decides."""

    first: Finding
    second: Finding
    how: How
    estimate: float | None = None
    interval: Interval | None = None
    simultaneous: Interval | None = None
    verdict: Verdict = "not estimable"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms findings are compared."""

    confidence: float
    margin: float
    metrics: Collection[str]


def key(finding: Finding) -> Key:
    """What a finding is about, whichever audit it belongs to."""
    over = tuple(sorted(finding.over))
    at = tuple(sorted((name, str(level)) for name, level in finding.at))
    return finding.task, finding.test, finding.metric, finding.quantity, finding.arm, finding.against, over, at


def by_key(results: Results, terms: Terms) -> dict[Key, Finding]:
    """Declared findings of metrics that both have; exploration is not compared."""
    declared = (f for f in results.findings if not exploratory(f.family))
    return {key(f): f for f in declared if f.metric in terms.metrics}


# ------------------------------------------------------------------------------------------------------------ unpaired


def unpaired(first: Results, second: Results, terms: Terms) -> tuple[Difference, ...]:
    """Differences from findings alone, as between independent audits.

    The interval of a difference recovers the variances from the two intervals (MOVER: Zou & Donner, Statistics in
    Medicine 2008), each end from the ends that lie that way. Over m differences it is widened by Bonferroni, with no
    more degrees of freedom than seeds and people allow. If the same people were tested, it is too wide.
    """
    mine, theirs = by_key(first, terms), by_key(second, terms)
    same = _same_networks(first, second)
    plain = [_plain(mine[k], theirs[k], same) for k in mine if k in theirs]
    asked = [d for d in plain if d.interval is not None and d.how == "unpaired"]
    arms = [len({f.arm for f in side.findings}) for side in (first, second)]
    shares = _shares(first) & _shares(second)
    return tuple(_possible(_judged(d, len(asked), arms, terms), shares) for d in plain)


def _shares(results: Results) -> set[str]:
    """The metrics that are printed in percent, which lie between 0 and 1."""
    return {name for name, how in results.facts.get("metrics", {}).items() if how.get("percent", True)}


def _possible(one: Difference, shares: Collection[str]) -> Difference:
    """Intervals without what no difference of shares can reach."""
    most = MOST.get(one.first.quantity)
    if most is None or one.first.metric not in shares:
        return one
    ends = (one.interval, one.simultaneous)
    plain, joint = (end and Interval(max(end.low, -most), min(end.high, most)) for end in ends)
    return replace(one, interval=plain, simultaneous=joint)


def _plain(first: Finding, second: Finding, same: Collection[tuple[str, str]]) -> Difference:
    arms = {(first.task, arm) for arm in (first.arm, first.against) if arm}
    if arms <= set(same) and first.estimate is not None and first.estimate == second.estimate:
        nothing = Interval(0.0, 0.0)
        return Difference(first, second, "the very same networks", 0.0, nothing, nothing)
    if first.estimate is None or second.estimate is None:
        return Difference(first, second, "unpaired", reason=first.reason or second.reason)
    estimate = second.estimate - first.estimate
    if first.interval is None or second.interval is None:
        return Difference(first, second, "unpaired", estimate, reason=first.reason or second.reason or "no interval")
    down = hypot(second.estimate - second.interval.low, first.interval.high - first.estimate)
    up = hypot(second.interval.high - second.estimate, first.estimate - first.interval.low)
    return Difference(first, second, "unpaired", estimate, Interval(estimate - down, estimate + up))


def _same_networks(first: Results, second: Results) -> set[tuple[str, str]]:
    """(task, arm) whose units, or predictions made elsewhere, have the same digests on both sides."""
    mine, theirs = _digests(first), _digests(second)
    return {arm for arm, digests in mine.items() if digests and digests == theirs.get(arm)}


def _digests(results: Results) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for unit in results.facts.get("units", ()):
        found.setdefault((unit["task"], unit["arm"]), []).append(unit["digest"])
    for arm, digest in results.facts.get("digests", {}).items():
        found |= {(task, arm): [digest] for task in {f.task for f in results.findings}}
    return found


def _judged(one: Difference, size: int, arms: Sequence[int], terms: Terms) -> Difference:
    if one.estimate is None or one.interval is None:
        return one
    if one.how == "unpaired":
        wider = _widening(one, size, arms, terms.confidence)
        below, above = one.estimate - one.interval.low, one.interval.high - one.estimate
        joint = Interval(one.estimate - wider * below, one.estimate + wider * above)
        one = replace(one, simultaneous=joint)
    verdict, reason = _verdict(one, terms.margin)
    rests = one.how == "unpaired" and (one.first.rests_on_few or one.second.rests_on_few)
    few = FEW if rests else ""
    return replace(one, verdict=verdict, reason="; ".join(filter(None, (reason, few))))


def _widening(one: Difference, size: int, arms: Sequence[int], confidence: float) -> float:
    """Ratio of the t quantile of one of `size` questions to that of a single one."""
    sides = (one.first, one.second)
    seeds = sum(n * max(f.seeds - 1, 0) for n, f in zip(arms, sides, strict=True))
    people = sum((f.identities or f.images) - 1 for f in sides)
    df = max(min(seeds or people, people), 1)
    tail = (1 - confidence) / 2
    return float(stdtrit(df, 1 - tail / max(size, 1)) / stdtrit(df, 1 - tail))


def _verdict(one: Difference, margin: float) -> tuple[Verdict, str]:
    if one.simultaneous is None:
        return "cannot tell", one.reason
    low, high = one.simultaneous.low, one.simultaneous.high
    if one.how != "the very same networks" and min(one.first.seeds, one.second.seeds) < 2:
        return "cannot tell", "training variance not measured: one seed"
    if -margin <= low and high <= margin:
        return "no difference larger than the margin", ""
    return ("differs", "") if low > 0 or high < 0 else ("cannot tell", UNDECIDED)
