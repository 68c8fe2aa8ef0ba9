"""Which test images an arm turned right or wrong against another, by majority over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import Level
from auditkit.evidence.grouping import group
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.results import Flip, FlipCount
from auditkit.spec.contrasts import contrasted
from auditkit.spec.model import Evidence


def flips(
    panel: Panel, evidence: Evidence, file_names: Sequence[str] | Mapping[int, str]
) -> tuple[tuple[Flip, ...], tuple[FlipCount, ...]]:
    """Flips of every arm against the reference and against its placebo, and their numbers in every declared group.

    `file_names` by row number. An image counts as right where more than half of an arm's seeds are right, as wrong
    where more than half are wrong; where seeds are split evenly, or predictions are missing, it does not flip. Images
    that most seeds turned stand first.
    """
    found: list[Flip] = []
    counts: list[FlipCount] = []
    by_name = {arm.arm: arm for arm in panel.arms}
    for arm, against in ((by_name[a], by_name[b]) for a, b in contrasted(list(by_name), evidence)):
        after, seeds = _majority(panel, arm)
        before, _ = _majority(panel, against)
        turned = np.where((before == -1) & (after == 1), 1, np.where((before == 1) & (after == -1), -1, 0))
        found += _listed(panel, evidence, arm.arm, against.arm, turned, seeds, file_names)
        counts += _counted(panel, evidence, arm.arm, against.arm, turned)
    return tuple(found), tuple(counts)


def _majority(panel: Panel, arm: ArmScores) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) 1 where most seeds are right, -1 where most are wrong, 0 else; and how many agree with that."""
    known = ~np.isnan(arm.margin).any(axis=0)
    right = ((arm.margin > panel.threshold) == (panel.truth == 1)).sum(axis=0)
    wrong = len(arm.margin) - right
    majority = np.where(known, np.sign(right - wrong), 0)
    return majority, np.maximum(right, wrong)


def _listed(
    panel: Panel,
    evidence: Evidence,
    arm: str,
    against: str,
    turned: NDArray[np.int64],
    seeds: NDArray[np.int64],
    file_names: Sequence[str] | Mapping[int, str],
) -> Iterator[Flip]:
    names = list(dict.fromkeys(name for over in evidence.groups for name in over))
    positions = np.flatnonzero(turned)
    for i in positions[np.lexsort((panel.copy[positions], panel.row[positions], -seeds[positions]))].tolist():
        yield Flip(
            task=panel.task,
            arm=arm,
            against=against,
            file_name=file_names[int(panel.row[i])],
            row=int(panel.row[i]),
            direction="turned right" if turned[i] > 0 else "turned wrong",
            seeds=int(seeds[i]),
            at=tuple((name, _level(panel, name, i)) for name in names if panel.attributes[name][i] >= 0),
        )


def _level(panel: Panel, name: str, i: int) -> Level:
    return panel.levels[name][int(panel.attributes[name][i])]


def _counted(
    panel: Panel, evidence: Evidence, arm: str, against: str, turned: NDArray[np.int64]
) -> Iterator[FlipCount]:
    for over in dict.fromkeys([(), *evidence.groups]):
        grouping = group(panel, over)
        for g, at in enumerate(grouping.places):
            here = turned[grouping.code == g]
            yield FlipCount(panel.task, arm, against, at, int((here > 0).sum()), int((here < 0).sum()))
