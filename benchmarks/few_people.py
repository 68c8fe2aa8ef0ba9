"""How often does the interval of a change hold when few people carry it?

    python benchmarks/few_people.py [--runs 20000] [--out benchmarks/results]

A minute on one core. Every person has as many images in the test set. An arm turns some images of each wrong, or wrong
and right as four to one; with a correlation, some people's images far more than others'. So the true change is known,
and few may carry it: a setting is filed under the median over runs of the effective number of people, 0 where nobody
does. The evidence wing's own variance, degrees of freedom and interval are used, for one seed.

Columns: how many settings; the share of runs whose 95 % interval holds the truth, least and on average over settings;
and the least among runs that reports would not mark, in settings where at least a tenth of the runs are such.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from simulation import people_alone, write

from auditkit.evidence.results import FEWEST_EFFECTIVE
from auditkit.evidence.uncertainty import (
    PSEUDO,
    effective_number,
    normal_quantile,
    people_df,
    symmetric,
    unseen_variance,
)

PEOPLE_AND_PHOTOS = ((10, 10), (15, 10), (20, 10), (30, 20), (60, 3), (60, 10), (200, 5))
DIFFERING = (3, 6, 10, 20, 50, 100)
CORRELATION = (0.0, 0.1, 0.3, 0.6)
BINS = (0, 1, 2, 3, FEWEST_EFFECTIVE, 6, 10, np.inf)
MANY_PEOPLE = 50


@dataclass(frozen=True, slots=True)
class Setting:
    """People, images of each, expected images on which the arms differ, their correlation, and whether one way."""

    people: int
    photos: int
    differing: int
    correlation: float
    one_way: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of runs: that hold; that reports would not mark; that hold among those."""

    effective: float
    held: float
    unmarked: float
    held_unmarked: float


def grid() -> Iterator[Setting]:
    """All settings in which at most four images in ten differ."""
    for (people, photos), differing, correlation, one_way in product(
        PEOPLE_AND_PHOTOS, DIFFERING, CORRELATION, (True, False)
    ):
        if differing <= 0.4 * people * photos:
            yield Setting(people, photos, differing, correlation, one_way)


def turned(setting: Setting, share: float, runs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(runs, people): images turned of each person, beta-binomial."""
    shape, rest = (runs, setting.people), 1 - setting.correlation
    if not share * setting.correlation:
        return rng.binomial(setting.photos, share, shape)
    chance = rng.beta(share * rest / setting.correlation, (1 - share) * rest / setting.correlation, shape)
    return rng.binomial(setting.photos, chance)


def cover(setting: Setting, runs: int, rng: np.random.Generator) -> Coverage:
    """Simulate one setting."""
    images = setting.people * setting.photos
    wrong, right = (1.0, 0.0) if setting.one_way else (0.8, 0.2)
    share = setting.differing / images
    change = turned(setting, right * share, runs, rng) - turned(setting, wrong * share, runs, rng)
    estimate = change.sum(axis=1) / images
    influence = (change - estimate[:, None] * setting.photos) / images
    pseudo = np.full(runs, 2 * PSEUDO / images**2)
    nobody = ~influence.any(axis=1)
    effective = np.where(nobody, 0.0, effective_number(influence, pseudo))
    added = pseudo + np.where(nobody, unseen_variance(np.full(runs, setting.people)), 0.0)
    spread = people_alone(influence, people_df(effective, np.full(runs, setting.people)), added)
    low, high = symmetric(estimate, spread, normal_quantile(0.95))
    true = (right - wrong) * share
    held, unmarked = (low <= true) & (true <= high), (effective >= FEWEST_EFFECTIVE) | nobody
    among = float(held[unmarked].mean()) if unmarked.mean() >= 0.1 else float("nan")
    return Coverage(float(np.median(effective)), float(held.mean()), float(unmarked.mean()), among)


def table(found: list[tuple[Setting, Coverage]]) -> str:
    """Markdown: a line per effective number, for many and for fewer people."""
    lines = [
        "| effective number of people | people | settings | least | average | least where not marked |",
        "|---|---|---|---|---|---|",
    ]
    for (low, high), many in product(pairwise(BINS), (True, False)):
        rows = [c for s, c in found if low <= c.effective < high and (s.people >= MANY_PEOPLE) == many]
        if rows:
            held, among = [c.held for c in rows], [c.held_unmarked for c in rows if c.held_unmarked == c.held_unmarked]
            size = f"{low} to {high}" if np.isfinite(high) else f"{low} or more"
            least = f"{100 * min(among):.1f} %" if among else ""
            lines.append(
                f"| {size} | {'60 or 200' if many else '10 to 30'} | {len(rows)} | {100 * min(held):.1f} % "
                f"| {100 * np.mean(held):.1f} % | {least} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of changes that few people carry.")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    found = [(setting, cover(setting, given.runs, rng)) for setting in grid()]
    rows = [
        {name: None if value != value else value for name, value in {**asdict(s), **asdict(c)}.items()}
        for s, c in found
    ]
    write(given.out / "few_people", "Changes that few people carry", {"runs": given.runs}, rows, table(found))


if __name__ == "__main__":
    main()
