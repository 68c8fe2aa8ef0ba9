"""Simulated audits of which the true accuracy is known exactly, for `coverage.py`, and what its neighbours share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from auditkit.evidence.estimates import Estimates
from auditkit.evidence.grouping import Grouping
from auditkit.evidence.layout import Layout
from auditkit.evidence.panel import Panel
from auditkit.evidence.simultaneous import simultaneous
from auditkit.evidence.uncertainty import Ends, Spread, normal_quantile, symmetric

ACCURACY = 0.9
IMAGE = 0.6
"""Share of the variance that is neither person's nor seed's but all arms see alike."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table."""

    groups: int
    people: int
    photos: int
    correlation: float
    seeds: int
    seed_variance: float
    effect: bool
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """The normal model. level: (arms, groups) thresholds; variances add up to 1 without seeds."""

    level: NDArray[np.float64]
    person: float
    seed: float

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(arms, groups): expected share of right predictions, over people, images and seeds."""
        return ndtr(self.level / np.sqrt(1 + self.seed))


def truth_of(setting: Setting, arms: NDArray[np.float64]) -> Truth:
    """Levels and variances that give the setting; arms: (arms, groups) how they differ in accuracy, if at all."""
    groups = np.linspace(-0.02, 0.03, setting.groups) if setting.effect else np.zeros(setting.groups)
    level = ndtri(ACCURACY + groups + arms * setting.effect)
    person = _person_variance(setting.correlation)
    seed = _seed_variance(setting, person)
    return Truth(level, person, seed)


def _person_variance(correlation: float) -> float:
    """Share of the normal variance that gives this correlation of rightness within a person."""
    if correlation == 0:
        return 0.0
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    level = ndtri(ACCURACY)

    def excess(person: float) -> float:
        chance = ndtr((level + np.sqrt(person) * node) / np.sqrt(1 - person))
        variance = (weight * chance**2).sum() / weight.sum() - ACCURACY**2
        return float(variance / (ACCURACY * (1 - ACCURACY)) - correlation)

    return float(brentq(excess, 1e-6, 0.99))


def _seed_variance(setting: Setting, person: float) -> float:
    """Variance of the seeds' shifts, from the variance that people give a change in a pilot without any."""
    if setting.seed_variance == 0 or setting.seeds == 1:
        return 0.0
    level = ndtri(np.full((2, 1), ACCURACY))
    rng = np.random.default_rng(7)
    right = right_of(setting, Truth(level, person, 0.0), 400, rng)
    change = (right[1].mean(axis=0) - right[0].mean(axis=0)).mean(axis=(-1, -2))
    slope = norm.pdf(ndtri(ACCURACY))
    return float(change.var() * setting.seed_variance * setting.seeds / (2 * slope**2))


def right_of(setting: Setting, truth: Truth, runs: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(arms, seeds, runs, groups, people, images): which predictions are right."""
    arms, groups = truth.level.shape
    shape = (runs, groups, setting.people, setting.photos)
    rest = 1 - truth.person - IMAGE * (1 - truth.person)
    people = (runs, groups if setting.apart else 1, setting.people, 1)
    shared = np.sqrt(truth.person) * rng.standard_normal(people, dtype=np.float32)
    shared = shared + np.float32(np.sqrt(IMAGE * (1 - truth.person))) * rng.standard_normal(shape, dtype=np.float32)
    right = np.empty((arms, setting.seeds, *shape), dtype=bool)
    for arm, seed in product(range(arms), range(setting.seeds)):
        shift = np.sqrt(truth.seed) * rng.standard_normal((runs, groups, 1, 1)) + truth.level[arm][:, None, None]
        own = np.float32(np.sqrt(rest)) * rng.standard_normal(shape, dtype=np.float32)
        right[arm, seed] = shared + own + shift.astype(np.float32) > 0
    return right


def layout_of(setting: Setting, right: NDArray[np.bool_]) -> tuple[Layout, Grouping]:
    """All runs as groups of one panel, in which a person has the same number in every run.

    `auditkit.evidence.layout.lay_out` gives the same after sorting, which would take a tenth of all the time.
    """
    arms, _, runs, groups = right.shape[:4]
    number = np.arange(setting.people)[:, None]
    if setting.apart:
        number = number + setting.people * np.arange(groups)[:, None, None]
    shape = right.shape[2:]
    person = np.broadcast_to(number, shape).ravel()
    code = np.broadcast_to(np.arange(runs * groups).reshape(runs, groups, 1, 1), shape).ravel()
    right = right.reshape(arms, setting.seeds, len(code))
    cell = right.reshape(-1, len(code)).astype(np.int8) + np.int8(2)
    people = setting.people * (groups if setting.apart else 1)
    layout = Layout(
        panel=_panel(person),
        arms=tuple(f"arm {arm}" for arm in range(arms)),
        seeds=(tuple(range(setting.seeds)),) * arms,
        units_by_arm=tuple(np.split(np.arange(len(cell)), arms)),
        margin=np.arange(len(cell), dtype=np.float32)[:, None],
        cell=cell,
        person=person,
        people=people,
        block=person,
        blocks=people,
        images_differ=True,
    )
    return layout, Grouping(("run",), (tuple(range(runs * groups)),), code, 0)


def _panel(person: NDArray[np.int64]) -> Panel:
    """All that a layout asks of its panel: every image is positive, and one of its own."""
    n = len(person)
    return Panel(
        task="simulated",
        target="",
        test="plain",
        row=np.arange(n),
        copy=np.zeros(n, dtype=np.int64),
        identity=person,
        truth=np.ones(n, dtype=np.int8),
        attributes={},
        levels={},
        arms=(),
    )


def joint_ends(estimates: Estimates, rows: list[int], rng: np.random.Generator) -> Ends:
    """Simultaneous intervals over some of the estimates."""
    spread, value = estimates.spread.take(rows), estimates.value[rows]
    if len(rows) == 1:
        return symmetric(value, spread, normal_quantile(0.95))
    found = simultaneous(estimates.redrawn.take(rows), value, spread, estimates.line[rows], 0.95, rng)
    return symmetric(value, spread, found.score)


def holds(ends: Ends, true: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which intervals hold the truth."""
    return (ends[0] <= true + 1e-12) & (true <= ends[1] + 1e-12)


def people_alone(
    influence: NDArray[np.float64], df: NDArray[np.float64], added: float | NDArray[np.float64] = 0.0
) -> Spread:
    """The spread of one seed; influence: (runs, people); df: (runs,); added: variance beside that of the influences."""
    runs, people = influence.shape
    none = np.zeros(runs)
    return Spread(
        people=np.square(influence).sum(axis=1) * people / (people - 1) + added,
        people_df=df,
        seeds=none,
        seeds_df=none + 1,
        retraining=none,
        undefined=none.astype(np.int64),
    )


def write(place: Path, title: str, facts: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], table: str) -> None:
    """Settings and their coverage as JSON and, in a table, as Markdown, at `place` without its ending; printed too."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.with_suffix(".json").write_text(json.dumps({**facts, "settings": rows}, indent=1) + "\n")
    place.with_suffix(".md").write_text(f"# {title}\n\n{facts['runs']:,} runs of each setting.\n\n{table}")
    print(table)
