"""Invented results with everything that a report can show: arms, groups, missing numbers, gates, leaks, curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from findings_toys import ARMS, ATTRIBUTES, GENDERS, findings, invented, judged, missing

from auditkit.evidence.results import (
    CellCount,
    Composition,
    Curve,
    Flip,
    FlipCount,
    GateRow,
    Leak,
    Marginal,
    PublishedRow,
    Results,
    ScanRow,
)
from auditkit.report import document, html
from auditkit.report.blocks import Block, Document, Figure, Fold, Table
from auditkit.report.files import figures
from auditkit.spec.model import Audit


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
        findings=findings(),
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


@pytest.fixture(scope="module")
def built() -> Document:
    return document.build(audit(), results())


@pytest.fixture(scope="module")
def page(built: Document) -> str:
    return html.render(built)


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
        inside = invented("original", (name,), ((name, 1),), "value", 0.05 + 0.01 * number, metric="error_rate")
        outside = invented("original", (name,), ((name, 0),), "value", 0.04, metric="error_rate")
        if name == "Bald":
            inside = missing(
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
    ours = invented("oversampled", ("Male",), GENDERS[1], "value", 0.944)
    return (
        PublishedRow(
            "Result 1, Figure 2",
            "accuracy, men, oversampled",
            0.7272,
            ours,
            "other protocol",
            ("as published",),
        ),
        PublishedRow(
            "Result 1, Figure 2",
            "accuracy, women, oversampled",
            0.0024,
            None,
            "not judged",
        ),
    )


def _gates() -> tuple[GateRow, ...]:
    men = invented("oversampled", ("Male",), GENDERS[1], "value", 0.944)
    widened = judged(invented("oversampled", ("Male",), (), "change_in_gap", 0.021, against="original"))
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
