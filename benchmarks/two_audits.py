"""How often do the intervals hold by which `auditkit compare` sets two audits of the same people side by side?

    python benchmarks/two_audits.py [--runs 2000] [--workers 2] [--out benchmarks/results]

Twenty minutes on two cores. Each audit has a reference and one other arm, all trained anew, of the model that
`coverage.py` describes, with two groups. Columns: share of runs whose interval holds the truth.

* value: an arm in the second audit less the same in the first; change: its change from the reference in the second
  less that in the first; signed: how the change of a difference of two groups differs; family: all values and changes
  of all groups at once, simultaneous
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from simulation import Setting, Truth, holds, joint_ends, layout_of, right_of, truth_of, write

from auditkit.evidence.estimates import estimate
from auditkit.evidence.lines import Line
from auditkit.evidence.measures import measure
from auditkit.evidence.rates import Accuracy
from auditkit.evidence.resampling import weights
from auditkit.evidence.results import REVISION
from auditkit.evidence.uncertainty import normal_quantile, symmetric
from auditkit.spec.model import Evidence

GROUPS = 2
VALUES = ((2, 0), (3, 1))
CHANGE = (3, 2, 1, 0)
"""Arms 0 and 2 are the references of the first audit and of the second, 1 and 3 the other arms."""
EFFECTS = np.array([[0.0, 0.0], [-0.04, 0.0], [0.02, 0.02], [0.03, -0.02]])
"""(arms, groups): differences in accuracy."""
AT_ONCE = 250
"""So many runs are simulated together; more would only take memory."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of runs."""

    value: float
    change: float
    signed: float
    family: float


def grid() -> list[Setting]:
    """People, how alike their images are, seeds, and whether there is an effect."""
    seeds = ((1, 0.0), (3, 1.0), (5, 0.0), (5, 4.0), (10, 1.0))
    every = product((60, 20), (0.0, 0.3), seeds, (False, True))
    return [
        Setting(GROUPS, people, 10, correlation, number, variance, effect)
        for people, correlation, (number, variance), effect in every
    ]


def cover(setting: Setting, runs: int, replicates: int) -> Coverage:
    """Simulate one setting."""
    rng = np.random.default_rng([int(1000 * value) for value in asdict(setting).values()])
    truth = truth_of(setting, EFFECTS)
    parts = [_batch(setting, truth, min(AT_ONCE, runs - start), replicates, rng) for start in range(0, runs, AT_ONCE)]
    return Coverage(*(round(float(np.concatenate(each).mean()), 4) for each in zip(*parts, strict=True)))


def _batch(
    setting: Setting, truth: Truth, runs: int, replicates: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], ...]:
    """Which intervals hold, as `Coverage` lists them; the first two by run and group."""
    layout, grouping = layout_of(setting, right_of(setting, truth, runs, rng))
    evidence, weight = Evidence(replicates=replicates, minimum_images=1), weights(rng, layout.blocks, replicates)
    (one,) = measure(layout, grouping, {"accuracy": Accuracy(None)}, evidence, weight, point_tables=False)
    asked = [*VALUES, CHANGE]
    found = estimate(layout, [Line(one, (g,)) for g in range(len(grouping))], asked, weight)
    true = np.stack([_difference(truth.accuracy, arms) for arms in asked], axis=-1)
    plain = holds(symmetric(found.value, found.spread, normal_quantile(0.95)), np.tile(true.ravel(), runs))
    plain = plain.reshape(runs, *true.shape)
    rows = np.arange(len(found.value)).reshape(runs, -1).tolist()
    family = np.array([holds(joint_ends(found, each, rng), true.ravel()).all() for each in rows])
    pairs = [Line(one, (GROUPS * run, GROUPS * run + 1)) for run in range(runs)]
    moved, apart = estimate(layout, pairs, [CHANGE], weight), np.diff(true[:, -1])
    signed = holds(symmetric(moved.value, moved.spread, normal_quantile(0.95)), np.tile(apart, runs))
    return plain[..., :-1].ravel(), plain[..., -1].ravel(), signed, family


def _difference(accuracy: NDArray[np.float64], arms: tuple[int, ...]) -> NDArray[np.float64]:
    """(groups,) of the first arm less the second, or that less the third and the fourth."""
    signs = np.array((1, -1, -1, 1))[: len(arms)]
    return np.asarray(signs @ accuracy[list(arms)])


def table(found: list[tuple[Setting, Coverage]]) -> str:
    """Markdown: a line per number of people and seeds, the least and the most over settings."""
    names = list(Coverage.__dataclass_fields__)
    lines = [f"| people | seeds | settings | {' | '.join(names)} |", "|---|---|---|" + "---|" * len(names)]
    for people, seeds in dict.fromkeys((s.people, s.seeds) for s, _ in found):
        rows = [c for s, c in found if (s.people, s.seeds) == (people, seeds)]
        ranges = [[getattr(c, name) for c in rows] for name in names]
        shares = " | ".join(f"{100 * min(each):.1f} to {100 * max(each):.1f} %" for each in ranges)
        lines.append(f"| {people} | {seeds} | {len(rows)} | {shares} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Simulate the grid; write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    settings = grid()
    with ProcessPoolExecutor(given.workers) as pool:
        covered = pool.map(partial(cover, runs=given.runs, replicates=given.replicates), settings)
        found = list(zip(settings, covered, strict=True))
    facts = {"evidence_revision": REVISION, "runs": given.runs, "replicates": given.replicates}
    rows = [asdict(setting) | asdict(coverage) for setting, coverage in found]
    write(given.out / "two_audits", "Two audits", facts, rows, table(found))


if __name__ == "__main__":
    main()
