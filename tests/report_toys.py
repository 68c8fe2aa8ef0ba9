"""Invented results with everything that a report can show: arms, groups, missing numbers, gates, leaks, curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

from auditkit.contracts import Level
from auditkit.evidence.results import (
    CellCount,
    Composition,
    Curve,
    Finding,
    Flip,
    FlipCount,
    GateRow,
    Interval,
    Leak,
    Marginal,
    Place,
    PublishedRow,
    Results,
    ScanRow,
)
from auditkit.report.blocks import Block, Document, Figure, Fold, Table
from auditkit.report.files import figures
from auditkit.spec.model import Audit

ARMS = ("original", "oversampled", "placebo")
GENDERS: tuple[Place, ...] = ((("Male", 0),), (("Male", 1),))
CROSSED: tuple[Place, ...] = tuple((("Male", m), ("Young", y)) for m, y in product((0, 1), repeat=2))
EFFECT = {0: -0.019, 1: 0.003}
ATTRIBUTES = ("Bald", "Big_Nose", "Eyeglasses", "Gray_Hair", "Smiling", "Wearing_Hat", "Young")


def audit(**changes: object) -> Audit:
    """Bald in small: two tasks would repeat everything, so it has one."""
    raw = {
        "audit": {
            "title": "Oversampling Bald, predicting gender",
            "question": "Does oversampling bald faces change how well gender is predicted?",
            "source": "Kim, Kim & Sim, Experiment 1",
        },
        "task": ({"target": "Male"},),
        "arm": (
            {"name": "original", "role": "baseline"},
            {"name": "oversampled", "sampler": {"use": "oversample", "where": {"Bald": 1}, "until": "balanced"}},
            {"name": "placebo", "role": "placebo", "sampler": {"use": "oversample", "like": "oversampled"}},
        ),
        "evidence": {
            "reference": "original",
            "placebo": "placebo",
            "groups": (("Male",), ("Male", "Young")),
            "metrics": ({"use": "accuracy"}, {"use": "true_positive_rate"}, {"use": "error_share"}),
            "margin": 0.01,
        },
        "words": {"Male": {"0": "women", "1": "men"}, "Young": {"0": "old", "1": "young"}},
    }
    return Audit.model_validate(raw | changes)


def results(**changes: object) -> Results:
    """Everything a report can show; fields may be replaced."""
    full = Results(
        findings=(*_values(), *_gaps(), *_changes(), *_gap_changes(), *_spillover()),
        compositions=tuple(_compositions()),
        leaks=(
            Leak("Male", "original", "plain", "image", 0, 1200),
            Leak("Male", "oversampled", "plain", "image", 0, 1200),
            Leak("Male", "oversampled", "plain", "identity", 54, 1200),
        ),
        curves=tuple(_curves()),
        scan=tuple(_scan()),
        flips=tuple(_flips()),
        flip_counts=tuple(
            FlipCount("Male", arm, "original", at, 9 + 3 * n, 7 + 11 * n)
            for arm in ARMS[1:]
            for n, at in enumerate(GENDERS)
        ),
        published=_published(),
        gates=_gates(),
        families={"changes of Male": 30, "spillover of Male": 14},
        facts=FACTS,
    )
    return replace(full, **changes)  # type: ignore[arg-type]


def tables(built: Document) -> list[Table]:
    """Every table of a document, in order, folded ones and those of charts included."""
    return list(_tables((*built.effect, *(block for section in built.sections for block in section.blocks))))


def all_figures(built: Document) -> list[Figure]:
    """Every chart of a document, in order, folded ones included."""
    return list(figures((*built.effect, *(block for section in built.sections for block in section.blocks))))


def _tables(blocks: tuple[Block, ...]) -> Iterator[Table]:
    for block in blocks:
        if isinstance(block, Fold):
            yield from _tables(block.blocks)
        elif isinstance(block, Figure):
            yield block.table
        elif isinstance(block, Table):
            yield block


def _finding(arm: str, over: tuple[str, ...], at: Place, quantity: str, estimate: float, **more: object) -> Finding:
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
        finding = _finding(arm, over, at, "value", value, numerator=value * 1000, denominator=1000.0)
        if at == CROSSED[0]:
            reason = "3 images of 2 people (needs 30 images of 10 people)"
            yield _missing(finding, reason, images=3, identities=2)
        else:
            yield finding
        if not over:
            continue
        rate = replace(finding, metric="true_positive_rate", estimate=0.9, interval=Interval(0.88, 0.92))
        gone = replace(_missing(finding, "Male defines the groups"), status="undefined by definition")
        yield replace(gone, metric="true_positive_rate") if dict(at)["Male"] == 0 else rate
        share = round(0.55 - 0.1 * float(dict(at)["Male"]), 3) / (1 if over == ("Male",) else 2)
        yield _finding(arm, over, at, "value", share, metric="error_share", interval=None, reason="too few errors")


def _missing(finding: Finding, reason: str, **more: object) -> Finding:
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
        yield _finding(arm, ("Male",), (), "gap", gap)
        yield _finding(arm, ("Male",), (), "signed_gap", gap)
        yield _finding(arm, ("Male",), (), "ratio", 0.98, interval=None, reason="no interval for ratios")
        yield _missing(_finding(arm, ("Male", "Young"), (), "gap", 0.0), "women, old: 3 images of 2 people")
        yield _finding(arm, ("Male", "Young"), (("Male", 1),), "signed_gap", 0.008)


def _changes() -> Iterator[Finding]:
    for (arm, against), (over, at) in product(_pairs(), _groups()):
        estimate = round(_accuracy(arm, at) - _accuracy(against, at), 6)
        finding = _judged(_finding(arm, over, at, "change", estimate, against=against))
        yield _missing(finding, "3 images of 2 people (needs 30 images of 10 people)") if at == CROSSED[0] else finding


def _pairs() -> list[tuple[str, str]]:
    return [("oversampled", "original"), ("placebo", "original"), ("oversampled", "placebo")]


def _judged(finding: Finding) -> Finding:
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
            found = _finding(arm, ("Male",), (), quantity, round(gap[0] - gap[1], 6), against=against)
            yield _judged(found)


def _spillover() -> Iterator[Finding]:
    random = Random(4)
    for name, (arm, against) in product(ATTRIBUTES, [("oversampled", "placebo"), ("placebo", "original")]):
        estimate = round(random.gauss(0, 0.012), 6)
        at: tuple[tuple[str, Level], ...] = ((name, True),)
        found = _finding(arm, (name,), at, "change_in_signed_gap", estimate, against=against)
        yield replace(_judged(found), family="spillover of Male")


def _compositions() -> Iterator[Composition]:
    for arm, copies in zip(ARMS, (0, 8000, 8000), strict=True):
        yield Composition(
            task="Male",
            arm=arm,
            rows=9000 + copies,
            originals=9000,
            copies=copies,
            distinct_images=9000,
            distinct_identities=5100,
            effective_images=9000.0 if not copies else 1580.4,
            effective_identities=4400.0 if not copies else 310.2,
            most_copies_of_one=1 if not copies else 45,
            cells=(
                CellCount(GENDERS[0], 5200, 5200 + (5 if arm == "oversampled" else copies // 2)),
                CellCount(GENDERS[1], 3800, 3800 + (copies - 5 if arm == "oversampled" else copies // 2)),
            ),
            marginals=tuple(_marginals(arm)),
        )


def _marginals(arm: str) -> Iterator[Marginal]:
    moved = {"Bald": (0.022, 0.48), "Male": (0.42, 0.69), "Smiling": (0.48, 0.484)}
    for name, (before, after) in moved.items():
        after = after if arm == "oversampled" else before
        yield Marginal(name, 0, 1 - before, 1 - after)
        yield Marginal(name, 1, before, after)


def _curves() -> Iterator[Curve]:
    for arm, seed in product(ARMS, (0, 1, 2)):
        loss = tuple(round(0.6 / epoch + 0.02 * seed + 0.03 * ARMS.index(arm), 4) for epoch in range(1, 7))
        yield Curve("Male", arm, seed, loss, tuple(round(0.95 - 0.2 * value, 4) for value in loss))


def _scan() -> Iterator[ScanRow]:
    for number, name in enumerate(ATTRIBUTES[:4]):
        inside = _finding("original", (name,), ((name, 1),), "value", 0.05 + 0.01 * number, metric="error_rate")
        outside = _finding("original", (name,), ((name, 0),), "value", 0.04, metric="error_rate")
        if name == "Bald":
            inside = _missing(
                replace(inside, images=11, identities=4), "11 images of 4 people (needs 30 images of 10 people)"
            )
        yield ScanRow(
            "Male",
            name,
            1,
            0.0228 * (number + 1),
            0.021 * (number + 1),
            (("Male=1", 0.9976), ("Young=1", 0.0024)),
            inside,
            outside,
            split="valid",
        )


def _flips() -> Iterator[Flip]:
    for number in range(230):
        way = "turned right" if number % 3 else "turned wrong"
        yield Flip("Male", "oversampled", "original", f"{number:06}.jpg", number, way, 3, GENDERS[number % 2])


def _published() -> tuple[PublishedRow, ...]:
    ours = _finding("oversampled", ("Male",), GENDERS[1], "value", 0.944)
    return (
        PublishedRow(
            "Result 1, Figure 2",
            "Result 1, Figure 2: accuracy, men, oversampled = 0.7272",
            0.7272,
            ours,
            "other protocol",
            "as published",
            "accuracy, men, oversampled",
            ("as published",),
        ),
        PublishedRow(
            "Result 1, Figure 2",
            "Result 1, Figure 2: accuracy, women, oversampled = 0.0024",
            0.0024,
            None,
            "not judged",
            what="accuracy, women, oversampled",
        ),
    )


def _gates() -> tuple[GateRow, ...]:
    men = _finding("oversampled", ("Male",), GENDERS[1], "value", 0.944)
    widened = _judged(_finding("oversampled", ("Male",), (), "change_in_gap", 0.021, against="original"))
    return (
        GateRow("gap", "change in the accuracy gap, at most 0.005", "fail", widened, "", "bald.toml:60", at_most=0.005),
        GateRow("", "accuracy of men, at least 0.9", "pass", men, at_least=0.9),
        GateRow("old women", "accuracy at least 80 %", "not judged", None, "", "bald.toml:70"),
    )


FACTS = {
    "dataset": {
        "kind": "faces",
        "synthetic": True,
        "place": "",
        "images": 12000,
        "identities": 5400,
        "fingerprint": "4f1c9e77d1c09b02aa114f1c9e77d1c0",
        "notes": ["rendered", "rare cells enriched"],
    },
    "splits": {"train": 9000, "valid": 1000, "test": 1200, "test_identities": 140},
    "units": [
        {
            "task": "Male",
            "arm": arm,
            "seed": seed,
            "digest": f"{arm}{seed}".encode().hex(),
            "device": "cpu",
            "precision": "bf16",
            "threads": 1,
            "seconds": 61.5 + seed,
            "images_per_second": 812.3,
            "visits": 54000,
        }
        for arm in ARMS
        for seed in (0, 1, 2)
    ],
    "versions": {"auditkit": "0.1.0", "torch": "2.14.1"},
    "plugins": ["builtin (auditkit 0.1.0)"],
    "command": "auditkit run audits/bald.toml",
    "protocol": "the test set is apart from training, by person",
    "scale": 1.0,
    "profile": "small",
    "stand_in": True,
    "warnings": ["Precision differs between units of one contrast <b>bold</b> | pipe."],
}
