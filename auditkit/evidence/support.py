"""The support rule: how many different images and people are behind a number, and whether they are enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import Metric, TableMetric
from auditkit.evidence.cells import supporting_cells
from auditkit.evidence.grouping import Grouping
from auditkit.evidence.layout import Layout, distinct
from auditkit.spec.model import Evidence
from auditkit.spec.words import plural

Integers = NDArray[np.int64]
Cells = tuple[tuple[int, ...], ...]
"""Sets of confusion cells, each of which must hold enough images."""


def defines_groups(target: str, over: tuple[str, ...], metric: Metric) -> bool:
    """Whether a metric is undefined by definition: the truth on which it conditions defines the groups."""
    return target in over and not metric.within_target


def defined_by(target: str) -> str:
    """Why such a metric has no value."""
    return f"the groups are defined by {target!r}, which the task predicts"


def support(
    layout: Layout, grouping: Grouping, metric: Metric, counts: NDArray[np.float32], cells: Cells | None = None
) -> tuple[Integers, Integers]:
    """(arms, groups) distinct images and people in the denominator, the least over an arm's seeds.

    counts: (4, units, groups, blocks) from `layout.count`; `cells` where they are not those of the metric. What a table
    metric divides by are the images of all groups together.
    """
    groups = len(grouping)
    if isinstance(metric, TableMetric):
        grouping, counts = grouping.all_in_one(), counts.sum(axis=2, keepdims=True)
    found = [_distinct(layout, grouping, one, counts) for one in cells or supporting_cells(metric)]
    images, people = (np.min(each, axis=0) for each in zip(*found, strict=True))
    shape = len(images), groups
    return _least(layout, np.broadcast_to(images, shape)), _least(layout, np.broadcast_to(people, shape))


def _distinct(
    layout: Layout, grouping: Grouping, cells: tuple[int, ...], counts: NDArray[np.float32]
) -> tuple[Integers, Integers]:
    """(units, groups) images and people in some of the cells; counts: (4, units, groups, blocks)."""
    if layout.images_differ:
        images = counts[list(cells)].sum(axis=(0, -1)).astype(np.int64)
    else:
        images = distinct(layout, grouping, cells, np.unique(layout.panel.row, return_inverse=True)[1])
    if layout.blocks == layout.people:
        people = (counts[list(cells)].sum(axis=0) > 0).sum(axis=-1)
    else:
        people = distinct(layout, grouping, cells, layout.person)
    return images, people


def _least(layout: Layout, values: Integers) -> Integers:
    return np.stack([values[layout.units_of(arm)].min(axis=0) for arm in range(len(layout.arms))])


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
