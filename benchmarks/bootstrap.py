"""How fast are the intervals? Two measurements, each with what it is compared to.

    python benchmarks/bootstrap.py [--out benchmarks/results]

1. The whole of an audit's intervals: 10,000 replicates, 1,000 people, 20,000 images, 40 attributes x 5 metrics x 8 arms
   x 3 seeds: counts, resampling, values, changes, differences of changes, and simultaneous intervals over all of them.
2. As many replicates as fairlearn's `MetricFrame(n_boot=...)` makes: 2 groups x 5 metrics, 20,000 rows, predictions of
   one network; percentile intervals. Ours resamples 1,000 people, three networks at once, or rows, as fairlearn does.
   fairlearn is timed over few replicates and set against ours per replicate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from fairlearn.metrics import (
    MetricFrame,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, precision_score

from auditkit.evidence.assemble import PanelContext, family_of, plain_ends
from auditkit.evidence.estimates import estimate
from auditkit.evidence.grouping import group
from auditkit.evidence.layout import count, lay_out
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import measure
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.resampling import resample_cells, weights
from auditkit.spec.model import Evidence
from auditkit_plugins.metrics import counting

IMAGES, PEOPLE, ATTRIBUTES, ARMS, SEEDS, REPLICATES = 20_000, 1_000, 40, 8, 3, 10_000
METRICS = {
    "accuracy": counting.Accuracy(None),
    "selection_rate": counting.SelectionRate(None),
    "true_positive_rate": counting.TruePositiveRate(None),
    "false_positive_rate": counting.FalsePositiveRate(None),
    "precision": counting.Precision(None),
}
FAIRLEARN: dict[str, Callable[..., float]] = {
    "accuracy": accuracy_score,
    "selection_rate": selection_rate,
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
    "precision": precision_score,
}


def make_panel(rng: np.random.Generator, images: int = IMAGES, people: int = PEOPLE) -> Panel:
    """Random predictions that are right nine times in ten."""
    truth = rng.integers(0, 2, images).astype(np.int8)
    common = (2 * truth - 1) * 1.3 + rng.normal(size=images)
    names = [f"attribute {number}" for number in range(ATTRIBUTES)]
    return Panel(
        task="task",
        target="",
        test="plain",
        row=np.arange(images),
        copy=np.zeros(images, dtype=np.int64),
        identity=rng.integers(0, people, images),
        truth=truth,
        attributes={name: (rng.random(images) < rng.uniform(0.1, 0.9)).astype(np.int8) for name in names},
        levels=dict.fromkeys(names, (0, 1)),
        arms=tuple(
            ArmScores(
                f"arm-{arm}",
                tuple(range(SEEDS)),
                (common + 0.3 * rng.normal(size=(SEEDS, images))).astype(np.float32),
            )
            for arm in range(ARMS)
        ),
    )


def whole(panel: Panel) -> dict[str, float]:
    """All intervals of the first measurement; seconds of its parts."""
    clock = [time.perf_counter()]
    evidence = Evidence(replicates=REPLICATES)
    layout = lay_out(panel, np.random.default_rng(0))
    context = PanelContext(layout, evidence, 0)
    weight = weights(np.random.default_rng(1), layout.blocks, REPLICATES)
    measures = [
        one
        for name in panel.attributes
        for one in measure(layout, group(layout.panel, (name,)), METRICS, evidence, weight, point_tables=False)
    ]
    clock.append(time.perf_counter())
    lines = [Line(one, groups) for one in measures for groups in ((0,), (1,), (0, 1))]
    values = estimate(layout, lines, [(arm,) for arm in range(ARMS)])
    plain_ends(context, values)
    changes = estimate(layout, lines, [(arm, 0) for arm in range(1, ARMS)], weight)
    clock.append(time.perf_counter())
    family = family_of(context, changes, "changes")
    clock.append(time.perf_counter())
    parts = np.diff(clock).round(2).tolist()
    return {
        "intervals": len(values.value) + 2 * len(family.joint[0]),
        "replicates and values": parts[0],
        "variances and plain intervals": parts[1],
        "simultaneous intervals": parts[2],
        "seconds": round(clock[-1] - clock[0], 2),
    }


def against_fairlearn(panel: Panel, boots: int) -> dict[str, float]:
    """The same replicates in both, in seconds per replicate."""
    truth, prediction = panel.truth, (panel.arms[0].margin[0] > 0).astype(np.int8)
    sensitive = panel.attributes["attribute 0"]

    def theirs(number: int) -> float:
        start = time.perf_counter()
        MetricFrame(
            metrics=FAIRLEARN, y_true=truth, y_pred=prediction, sensitive_features=sensitive,
            n_boot=number, ci_quantiles=[0.025, 0.975], random_state=0,
        )  # fmt: skip
        return time.perf_counter() - start

    fixed = theirs(1)
    their = (theirs(1 + boots) - fixed) / boots
    result = {"MetricFrame, ms per replicate": round(1000 * their, 1)}
    for what, known in (("people", True), ("rows", False)):
        start = time.perf_counter()
        percentiles(replace(panel, arms=panel.arms[:1], identities_known=known))
        our = (time.perf_counter() - start) / REPLICATES
        result[f"{what} resampled, ms per replicate"] = round(1000 * our, 5)
        result[f"{what} resampled, times faster"] = round(their / our)
    return result


def percentiles(panel: Panel) -> NDArray[np.float64]:
    """Percentile intervals of 5 metrics in 2 groups, (metrics, 2, seeds, groups)."""
    layout = lay_out(panel, np.random.default_rng(0))
    weight = weights(np.random.default_rng(0), layout.blocks, REPLICATES)
    tn, fp, fn, tp = resample_cells(count(layout, group(layout.panel, ("attribute 0",))), weight)
    rates = [np.divide(*metric.compute(tp, fp, fn, tn)) for metric in METRICS.values()]
    return np.stack([np.quantile(rate, [0.025, 0.975], axis=-1) for rate in rates])


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--boots", type=int, default=10, help="replicates that fairlearn is timed over")
    options = parser.parse_args()
    panel = make_panel(np.random.default_rng(0))
    first = whole(panel)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    results = {
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
        "whole audit": first | {"peak GiB": round(memory, 2)},
        "against fairlearn": against_fairlearn(panel, options.boots),
    }
    text = json.dumps(results, indent=1)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bootstrap.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
