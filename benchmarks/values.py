"""How often does the interval of a share of one arm hold, such as the accuracy of a group?

    python benchmarks/values.py [--runs 20000] [--out benchmarks/results]

A minute on one core. Every person has as many images, and is right about each with a chance of their own, from a beta
distribution that gives the accuracy and the correlation of two images of a person. The evidence wing's own variance and
interval are used, for one seed.

Columns: how many settings; the share of runs whose 95 % interval holds the truth, least and on average over settings.
A share that is a multiple of 1 / images cannot hold 95 % everywhere: Wilson's own interval, of images that are
independent, is beside it.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from simulation import people_alone, write

from auditkit.evidence.uncertainty import effective_number, normal_quantile, wilson

PEOPLE = (10, 20, 60, 300)
IMAGES = (1, 10, 20)
CORRELATION = (0.0, 0.1, 0.3, 0.6)
ACCURACY = (0.8, 0.9, 0.97, 0.99, 0.997)


@dataclass(frozen=True, slots=True)
class Setting:
    """People, images of each, the correlation of two images of a person, and the accuracy."""

    people: int
    images: int
    correlation: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of runs that hold, and the median width; `wilson` the share of scipy's Wilson intervals, where images are
    independent."""

    held: float
    width: float
    wilson: float | None


def grid() -> list[Setting]:
    """All settings; the images of a person are alike only where there are several."""
    every = (Setting(*one) for one in product(PEOPLE, IMAGES, CORRELATION, ACCURACY))
    return [one for one in every if one.images > 1 or not one.correlation]


def right(setting: Setting, runs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(runs, people): images that are right, beta-binomial."""
    shape, odds = (runs, setting.people), 1 / setting.correlation - 1 if setting.correlation else 0.0
    if not odds:
        return rng.binomial(setting.images, setting.accuracy, shape)
    chance = rng.beta(setting.accuracy * odds, (1 - setting.accuracy) * odds, shape)
    return rng.binomial(setting.images, chance)


def cover(setting: Setting, runs: int, rng: np.random.Generator) -> Coverage:
    """Simulate one setting."""
    counts, images = right(setting, runs, rng), setting.people * setting.images
    share = counts.sum(axis=1) / images
    influence = (counts - share[:, None] * setting.images) / images
    nobody = ~influence.any(axis=1)
    carriers = np.where(nobody, 0.0, effective_number(influence, np.zeros(runs)))
    people = np.full(runs, setting.people)
    spread = people_alone(influence, people - 1.0)
    low, high = wilson(share, spread, carriers, people, normal_quantile(0.95))
    held = (low <= setting.accuracy + 1e-12) & (setting.accuracy <= high + 1e-12)
    reference = None if setting.correlation else _of_wilson(counts.sum(axis=1), images, setting.accuracy)
    return Coverage(float(held.mean()), float(np.median(high - low)), reference)


def _of_wilson(counts: NDArray[np.int64], images: int, accuracy: float) -> float:
    known, times = np.unique(counts, return_counts=True)
    ends = [binomtest(int(count), images).proportion_ci(method="wilson") for count in known]
    return float(np.average([one.low <= accuracy <= one.high for one in ends], weights=times))


def table(found: list[tuple[Setting, Coverage]]) -> str:
    """Markdown: a line per number of people and accuracy."""
    lines = ["| people | accuracy | settings | least | average | Wilson's, least |", "|---|---|---|---|---|---|"]
    for people, accuracy in product(PEOPLE, ACCURACY):
        rows = [c for s, c in found if (s.people, s.accuracy) == (people, accuracy)]
        held, reference = [c.held for c in rows], [c.wilson for c in rows if c.wilson is not None]
        shares = " | ".join(f"{100 * share:.1f} %" for share in (min(held), np.mean(held), min(reference)))
        lines.append(f"| {people} | {100 * accuracy:g} % | {len(rows)} | {shares} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Simulate the grid; write JSON and Markdown."""
    parser = argparse.ArgumentParser(description="Coverage of shares of one arm.")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    found = [(setting, cover(setting, given.runs, rng)) for setting in grid()]
    rows = [asdict(s) | asdict(c) for s, c in found]
    write(given.out / "values", "Shares of one arm", {"runs": given.runs}, rows, table(found))


if __name__ == "__main__":
    main()
