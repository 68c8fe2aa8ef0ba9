"""The support rule: on how many images and people a number rests, how many it needs, where a test set has too few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import CountMetric, Metric, ScoreMetric, TableMetric
from auditkit.evidence.grouping import Grouping, group
from auditkit.evidence.layout import person_keys
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import Place
from auditkit.spec.model import Evidence
from auditkit.spec.words import plural

ALL_CELLS = (0, 1, 2, 3)


# -------------------------------------------------------------------------------------------------------------- cells


def compute(metric: CountMetric, cells: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Numerator and denominator from (4, ...) confusion counts in the order of `layout.count`."""
    tn, fp, fn, tp = cells
    numerator, denominator = metric.compute(tp, fp, fn, tn)
    return np.broadcast_to(numerator, tp.shape), np.broadcast_to(denominator, tp.shape)


def compute_table(metric: TableMetric, cells: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """As `compute`, with groups moved from the third to the last axis for the metric, and back."""
    last = np.moveaxis(cells, 2, -1)
    tn, fp, fn, tp = last
    both = metric.compute(tp, fp, fn, tn)
    return tuple(np.moveaxis(np.broadcast_to(part, tp.shape), -1, 1) for part in both)


def supporting_cells(metric: Metric) -> tuple[tuple[int, ...], ...]:
    """Sets of confusion cells, each of which must hold enough images: those of the metric's denominator.

    A metric that sets positives against negatives needs both. All four cells where it cannot be told.
    """
    if isinstance(metric, ScoreMetric):
        return ((0, 1), (2, 3)) if metric.compares_classes else (ALL_CELLS,)
    try:
        if isinstance(metric, TableMetric):
            denominator = compute_table(metric, np.eye(4)[:, :, None])[1][:, 0]
        elif isinstance(metric, CountMetric):
            denominator = compute(metric, np.eye(4))[1]
    except Exception:
        return (ALL_CELLS,)
    return (tuple(np.flatnonzero(denominator).tolist()) or ALL_CELLS,)


# --------------------------------------------------------------------------------------------------------------- rule


def too_little(images: int, people: int, known: bool, evidence: Evidence) -> str:
    """What the support rule finds missing, "" if nothing."""
    needs_images, needs_people = evidence.minimum_images, evidence.minimum_identities
    needs = plural(needs_images, "image")
    if not known:
        return "" if images >= needs_images else f"{plural(images, 'image')} (needs {needs})"
    if images >= needs_images and people >= needs_people:
        return ""
    there, wanted = (plural(number, "person", "people") for number in (people, needs_people))
    return f"{plural(images, 'image')} of {there} (needs {needs} of {wanted})"


# ------------------------------------------------------------------------------------------------- before any training


@dataclass(frozen=True, slots=True)
class Lack:
    """A group of a test set that is too small for some metrics, whatever is predicted; reason: what is there."""

    task: str
    over: tuple[str, ...]
    at: Place
    metrics: tuple[str, ...]
    reason: str


def lacks(panel: Panel, metrics: Mapping[str, Metric], evidence: Evidence) -> Iterator[Lack]:
    """Where a panel has too few images or people for a declared group, as far as predictions have no part in it."""
    for over in ((), *evidence.groups):
        grouping = group(panel, over)
        asked = {name: metric for name, metric in metrics.items() if _asks(metric, panel, over)}
        named: dict[tuple[int, str], list[str]] = {}
        for name, metric in asked.items():
            for g, reason in enumerate(_reasons(panel, grouping, metric, evidence)):
                if reason:
                    named.setdefault((g, reason), []).append(name)
        for (g, reason), names in sorted(named.items()):
            yield Lack(panel.task, over, grouping.places[g], tuple(names), reason)


def _asks(metric: Metric, panel: Panel, over: tuple[str, ...]) -> bool:
    """Whether support decides about a metric in the groups over some attributes."""
    return not metric.describes_test and (metric.within_target or panel.target not in over)


def _reasons(panel: Panel, grouping: Grouping, metric: Metric, evidence: Evidence) -> Iterator[str]:
    """Of each group, "" where it has enough."""
    person, truths = person_keys(panel), list(_truths(supporting_cells(metric)))
    for g in range(len(grouping)):
        inside = grouping.code >= 0 if isinstance(metric, TableMetric) else grouping.code == g
        uses = [inside & np.isin(panel.truth, truth) for truth in truths]
        counts = [[len(np.unique(ids[use])) for ids in (panel.row, person)] for use in uses]
        if not counts:
            yield ""
            continue
        images, people = np.min(counts, axis=0).tolist()
        yield too_little(images, people, panel.identities_known, evidence)


def _truths(needed: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """The truths of cells that predictions do not move images into or out of."""
    by_truth = {(0, 1): (0,), (2, 3): (1,), ALL_CELLS: (0, 1)}
    yield from (by_truth[cells] for cells in needed if cells in by_truth)
