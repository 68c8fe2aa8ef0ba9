"""Invented findings of three arms: values of groups, gaps, changes of both, and what is missing of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

from auditkit.contracts import Level
from auditkit.evidence.results import Finding, Interval, Place

ARMS = ("original", "oversampled", "placebo")
GENDERS: tuple[Place, ...] = ((("Male", 0),), (("Male", 1),))
CROSSED: tuple[Place, ...] = tuple((("Male", m), ("Young", y)) for m, y in product((0, 1), repeat=2))
EFFECT = {0: -0.019, 1: 0.003}
ATTRIBUTES = ("Bald", "Big_Nose", "Eyeglasses", "Gray_Hair", "Smiling", "Wearing_Hat", "Young")


def findings() -> tuple[Finding, ...]:
    return (*_values(), *_gaps(), *_changes(), *_gap_changes(), *_spillover())


def invented(arm: str, over: tuple[str, ...], at: Place, quantity: str, estimate: float, **more: object) -> Finding:
    half = 0.004 + 0.004 * len(over) + 0.003 * (len(at) == 2)
    seeds = tuple(round(estimate + shift, 6) for shift in (-0.0021, 0.0013, 0.0008))
    fields: dict[str, object] = {
        "task": "Male",
        "metric": "accuracy",
        "interval": Interval(estimate - half, estimate + half),
        "images": 640 // max(len(over), 1) + 17,
        "identities": 70 // max(len(over), 1),
        "seeds": len(seeds),
        "per_seed": seeds,
        "seed_sd": 0.0018,
        "noise": 0.0031,
    }
    return Finding(**(fields | {"arm": arm, "over": over, "at": at, "quantity": quantity, "estimate": estimate} | more))  # type: ignore[arg-type]


def _accuracy(arm: str, at: Place) -> float:
    male = dict(at).get("Male", 0.5)
    young = dict(at).get("Young", 0.5)
    effect = EFFECT[int(male)] if arm == "oversampled" and male != 0.5 else 0.0
    return round(0.921 + 0.02 * float(male) + 0.008 * float(young) + effect + 0.001 * ARMS.index(arm), 6)


def _groups() -> Iterator[tuple[tuple[str, ...], Place]]:
    yield (), ()
    yield from ((("Male",), at) for at in GENDERS)
    yield from ((("Male", "Young"), at) for at in CROSSED)


def _values() -> Iterator[Finding]:
    for arm, (over, at) in product(ARMS, _groups()):
        value = _accuracy(arm, at)
        finding = invented(arm, over, at, "value", value, numerator=value * 1000, denominator=1000.0)
        if at == CROSSED[0]:
            reason = "3 images of 2 people (needs 30 images of 10 people)"
            yield missing(finding, reason, images=3, identities=2)
        else:
            yield finding
        if not over:
            continue
        rate = replace(finding, metric="true_positive_rate", estimate=0.9, interval=Interval(0.88, 0.92))
        gone = replace(missing(finding, "Male defines the groups"), status="undefined by definition")
        yield replace(gone, metric="true_positive_rate") if dict(at)["Male"] == 0 else rate
        share = round(0.55 - 0.1 * float(dict(at)["Male"]), 3) / (1 if over == ("Male",) else 2)
        yield invented(arm, over, at, "value", share, metric="error_share", interval=None, reason="too few errors")


def missing(finding: Finding, reason: str, **more: object) -> Finding:
    empty = replace(
        finding,
        verdict="",
        explanation="",
        because="",
        family="",
        estimate=None,
        interval=None,
        simultaneous=None,
        per_seed=(),
        seed_sd=None,
        noise=None,
    )
    return replace(empty, status="not estimable", reason=reason, numerator=None, denominator=None, **more)  # type: ignore[arg-type]


def _gaps() -> Iterator[Finding]:
    for arm in ARMS:
        gap = round(_accuracy(arm, GENDERS[1]) - _accuracy(arm, GENDERS[0]), 6)
        yield invented(arm, ("Male",), (), "gap", gap)
        yield invented(arm, ("Male",), (), "signed_gap", gap)
        yield invented(arm, ("Male",), (), "ratio", 0.98, interval=None, reason="no interval for ratios")
        yield missing(invented(arm, ("Male", "Young"), (), "gap", 0.0), "women, old: 3 images of 2 people")
        yield invented(arm, ("Male", "Young"), (("Male", 1),), "signed_gap", 0.008)


def _changes() -> Iterator[Finding]:
    for (arm, against), (over, at) in product(_pairs(), _groups()):
        estimate = round(_accuracy(arm, at) - _accuracy(against, at), 6)
        finding = judged(invented(arm, over, at, "change", estimate, against=against))
        yield missing(finding, "3 images of 2 people (needs 30 images of 10 people)") if at == CROSSED[0] else finding


def _pairs() -> list[tuple[str, str]]:
    return [("oversampled", "original"), ("placebo", "original"), ("oversampled", "placebo")]


def judged(finding: Finding) -> Finding:
    estimate, interval = finding.estimate or 0.0, finding.interval or Interval(0, 0)
    wide = Interval(interval.low - 0.002, interval.high + 0.002)
    finding = replace(finding, simultaneous=wide, family="changes of Male")
    if wide.low >= 0 or wide.high <= 0:
        return replace(finding, verdict="changed", explanation="changed by so much")
    if wide.low >= -0.01 and wide.high <= 0.01:
        return replace(finding, verdict="no change larger than the margin", explanation="no change")
    need = "about 310 people, or 9 seeds, would be needed"
    said = f"cannot tell ({estimate:+.3f} points [-1.0, +1.0]): {need}"
    return replace(finding, verdict="cannot tell", explanation=said, because=need)


def _gap_changes() -> Iterator[Finding]:
    for arm, against in _pairs():
        for quantity in ("change_in_gap", "change_in_signed_gap"):
            gap = [_accuracy(a, GENDERS[1]) - _accuracy(a, GENDERS[0]) for a in (arm, against)]
            found = invented(arm, ("Male",), (), quantity, round(gap[0] - gap[1], 6), against=against)
            yield judged(found)


def _spillover() -> Iterator[Finding]:
    random = Random(4)
    for name, (arm, against) in product(ATTRIBUTES, [("oversampled", "placebo"), ("placebo", "original")]):
        estimate = round(random.gauss(0, 0.012), 6)
        at: tuple[tuple[str, Level], ...] = ((name, True),)
        found = invented(arm, (name,), at, "change_in_signed_gap", estimate, against=against)
        yield replace(judged(found), family="spillover of Male")
