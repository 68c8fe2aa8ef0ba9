"""Panels of invented predictions, and metrics, for the tests of the evidence wing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from auditkit.contracts import Metric
from auditkit.evidence.findings import Derived
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.results import Finding
from auditkit.evidence.uncertainty import Spread
from auditkit.spec.model import Evidence
from auditkit_plugins.metrics import counting, scoring

COUNTING: dict[str, Metric] = {
    "accuracy": counting.Accuracy(None),
    "error_rate": counting.ErrorRate(None),
    "selection_rate": counting.SelectionRate(None),
    "true_positive_rate": counting.TruePositiveRate(None),
    "false_positive_rate": counting.FalsePositiveRate(None),
    "true_negative_rate": counting.TrueNegativeRate(None),
    "false_negative_rate": counting.FalseNegativeRate(None),
    "precision": counting.Precision(None),
    "prevalence": counting.Prevalence(None),
    "count": counting.Count(None),
}
SCORING: dict[str, Metric] = {
    "auroc": scoring.AUROC(None),
    "brier": scoring.Brier(None),
    "expected_calibration_error": scoring.ExpectedCalibrationError(scoring.CalibrationOptions()),
}
ACCURACY = {"accuracy": COUNTING["accuracy"]}
MALE, WOMEN, MEN = ("Male",), (("Male", 0),), (("Male", 1),)
"""Groups of the toys: over what, and which two there are."""


def toy_panel(n: int = 1500, people: int = 150, arms: int = 3, seeds: int = 3, *, effect: float = 0.0) -> Panel:
    """Smiling predicted from faces: every arm but the first loses `effect` of the margin on bald people's images.

    Male and Bald belong to people, Young and Smiling to images.
    """
    rng = np.random.default_rng(0)
    identity = rng.integers(0, people, n)
    male = (rng.random(people) < 0.45)[identity]
    bald = ((rng.random(people) < 0.3)[identity]) & male
    young, truth = rng.random(n) < 0.7, rng.random(n) < 0.5
    common = (2 * truth - 1) * 1.4 + rng.normal(size=people)[identity] * 0.4 + rng.normal(size=n) * 0.7
    scores = []
    for arm in range(arms):
        lost = effect * (arm > 0) * bald * (2 * truth - 1)
        margin = np.stack([common - lost + rng.normal(size=n) * 0.4 for _ in range(seeds)])
        scores.append(ArmScores(f"arm{arm}", tuple(range(seeds)), margin.astype(np.float32)))
    codes = {"Male": male, "Bald": bald, "Young": young, "Smiling": truth}
    return Panel(
        task="Smiling",
        target="Smiling",
        test="plain",
        row=np.arange(n) + 10,
        copy=np.zeros(n, dtype=np.int64),
        identity=identity,
        truth=truth.astype(np.int8),
        attributes={name: column.astype(np.int8) for name, column in codes.items()},
        levels=dict.fromkeys(codes, (0, 1)),
        arms=tuple(scores),
    )


def evidence(**options: Any) -> Evidence:
    """Evidence options with few replicates."""
    return Evidence(**{"replicates": 400, "reference": "arm0", "groups": (("Male",),), "spillover": False} | options)


def with_column(panel: Panel, name: str, codes: Any, levels: tuple[Any, ...] = (0, 1)) -> Panel:
    """The panel with one attribute more, or changed."""
    column = np.asarray(codes, dtype=np.int8)
    attributes, known = {**panel.attributes, name: column}, {**panel.levels, name: levels}
    return replace(panel, attributes=attributes, levels=known)


def with_margin(panel: Panel, arm: int, margin: Any) -> Panel:
    """The panel with other predictions of one arm."""
    arms = list(panel.arms)
    margin = np.asarray(margin, dtype=np.float32)
    arms[arm] = replace(arms[arm], margin=margin, seeds=tuple(range(len(margin))))
    return replace(panel, arms=tuple(arms))


def shuffled(panel: Panel) -> Panel:
    """The same panel with its rows in another order."""
    order = np.random.default_rng(5).permutation(len(panel.row))
    return replace(
        panel,
        **{name: getattr(panel, name)[order] for name in ("row", "copy", "identity", "truth")},
        attributes={name: column[order] for name, column in panel.attributes.items()},
        arms=tuple(replace(arm, margin=arm.margin[:, order]) for arm in panel.arms),
    )


def pick(findings: tuple[Finding, ...], **wanted: Any) -> Finding:
    """The one finding with these fields; of arm1 and accuracy unless said otherwise."""
    wanted = {"arm": "arm1", "metric": "accuracy", "quantity": "value", "over": (), "at": ()} | wanted
    (found,) = [f for f in findings if all(getattr(f, name) == value for name, value in wanted.items())]
    return found


def value(found: Derived, **wanted: Any) -> Finding:
    """The same of all that was derived."""
    return pick(found.findings, **wanted)


def spread(people: object, seeds: object = 0.0, people_df: object = 1e6, seeds_df: object = 1e6) -> Spread:
    """Variances, and their degrees of freedom, of estimates of which no replicate is undefined."""
    parts = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(x, dtype=float)) for x in (people, people_df, seeds, seeds_df))
    )
    return Spread(*parts, retraining=parts[2], undefined=np.zeros(len(parts[0]), dtype=np.int64))


def right(panel: Panel, arm: int) -> np.ndarray:
    """(seeds, n) whether each prediction is right."""
    return np.asarray((panel.arms[arm].margin > 0) == (panel.truth == 1))
