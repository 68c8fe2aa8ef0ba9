"""Verdicts in words, each with its number, decided on the simultaneous interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from auditkit.evidence.results import FEW, FEW_MEANS, NOT_MEASURED, Interval, Verdict
from auditkit.evidence.uncertainty import Spread
from auditkit.spec.words import fixed, visible_digits

BY_THE_TEST = "the step-down test tells it from 0"
MOST = 1000
"""A need beyond so many times what there is is called no help."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a verdict is decided on.

    interval: the simultaneous one; told: whether the step-down test tells the estimate from zero; margin: the largest
    change that counts as none; people, seeds: how many there are; spread: of the one estimate; score: the family's
    critical value; noise: of the seeds; few: whether few people carry the estimate; carried: whether anybody does;
    grouped: whether it is of groups.
    """

    estimate: float
    interval: Interval
    told: bool
    margin: float
    percent: bool
    people: int
    seeds: int
    spread: Spread
    score: float
    noise: float | None
    few: bool = False
    carried: bool = True
    grouped: bool = True


class Decision(NamedTuple):
    """A verdict, its sentence, and what the interval does not show: why it cannot tell, or what told it from 0."""

    verdict: Verdict
    explanation: str
    because: str = ""


def decide(basis: Basis) -> Decision:
    """The verdict in words.

    * inside of +- margin: no change larger than the margin, whether or not it excludes 0
    * excludes 0, or the step-down test over the family tells it from 0: changed
    * otherwise, and always where training variance was not measured: cannot tell, and what would be needed
    """
    found = _decided(basis)
    return found._replace(explanation=f"{found.explanation}; {FEW}, {FEW_MEANS}") if basis.few else found


def _decided(basis: Basis) -> Decision:
    low, high = basis.interval.low, basis.interval.high
    if basis.seeds < 2:
        return Decision("cannot tell", _one_seed(basis), NOT_MEASURED)
    if -basis.margin <= low and high <= basis.margin:
        margin = number(basis.margin, basis.percent)
        said = f"no change larger than the declared margin of {margin}: {_with_interval(basis)}"
        return Decision("no change larger than the margin", said)
    if basis.told or low > 0 or high < 0:
        because = "" if low > 0 or high < 0 else BY_THE_TEST
        also = f"; {because}, the interval alone does not" if because else ""
        return Decision("changed", f"changed by {_with_interval(basis)}{_floor(basis)}{also}", because)
    needed = _needs(basis)
    return Decision("cannot tell", f"cannot tell ({_with_interval(basis)}): {needed}", needed)


def number(value: float, percent: bool, *, signed: bool = False) -> str:
    """A difference in words: points of a percentage with one decimal, else three decimals."""
    return fixed(*_in_units(value, percent), signed=signed)


def _in_units(value: float, percent: bool) -> tuple[float, int]:
    return (100 * value, 1) if percent else (value, 3)


def _with_interval(basis: Basis) -> str:
    unit = " points" if basis.percent else ""
    low, high = (_end(end, basis.percent) for end in (basis.interval.low, basis.interval.high))
    return f"{number(basis.estimate, basis.percent, signed=True)}{unit} [{low}, {high}]"


def _end(end: float, percent: bool) -> str:
    """Only an end that is 0 is printed as 0."""
    scaled, digits = _in_units(end, percent)
    return fixed(scaled, visible_digits(scaled, digits), signed=True)


def _floor(basis: Basis) -> str:
    if basis.noise is None:
        return ""
    return f"; seeds alone move it by up to {number(basis.noise, basis.percent)}"


def _one_seed(basis: Basis) -> str:
    return (
        f"training variance not measured: with one seed, {_with_interval(basis)} holds for these trained networks on "
        "other people, not for training again; about 5 seeds would be needed"
    )


def _needs(basis: Basis) -> str:
    """How many people, or seeds, would make the interval narrow enough to decide, all else equal; what would not."""
    people = _enough(basis, basis.people, "people")
    seeds = _enough(basis, basis.seeds, "seeds")
    each = " per group" if basis.grouped else ""
    if people and seeds:
        return f"about {people:,} people{each}, or {seeds:,} seeds, would be needed"
    if people:
        return f"about {people:,} people{each} would be needed; more seeds alone would not help"
    if seeds:
        return f"about {seeds:,} seeds would be needed; more people alone would not help"
    both = _enough(basis, basis.people, "both")
    if both:
        also = int(np.ceil(basis.seeds * both / basis.people))
        return f"about {both:,} people{each} and {also:,} seeds would be needed; neither alone would help"
    return f"even {MOST} times as many people and seeds would not decide it"


def _stretch(basis: Basis) -> float:
    """How much further than the half width the interval reaches towards 0, as bounds of a gap's change do."""
    reach = basis.estimate - basis.interval.low if basis.estimate > 0 else basis.interval.high - basis.estimate
    half = float(basis.spread.half_width(basis.score)[0])
    return max(reach / half, 1.0) if half > 0 else 1.0


def _enough(basis: Basis, now: int, of: Literal["people", "seeds", "both"]) -> int | None:
    """The fewest people or seeds with which the interval would be narrow enough; None where MOST times are not."""
    count = np.unique(np.ceil(now * np.geomspace(1, MOST, 400)))[1:]
    more_people = count / now if of != "seeds" else np.ones_like(count)
    more_seeds = count / now if of != "people" else np.ones_like(count)
    future = Spread(
        people=basis.spread.people / (more_people if basis.carried else more_people**2),
        people_df=basis.spread.people_df * more_people,
        seeds=basis.spread.seeds / more_seeds,
        seeds_df=basis.spread.seeds_df * (basis.seeds * more_seeds - 1) / (basis.seeds - 1),
        retraining=basis.spread.retraining / more_seeds,
        undefined=np.zeros_like(count, dtype=np.int64),
    )
    wanted = max(abs(basis.estimate), basis.margin - abs(basis.estimate))
    enough = future.half_width(basis.score) * _stretch(basis) <= wanted
    return int(count[enough][0]) if enough.any() else None
