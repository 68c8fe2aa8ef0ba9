"""What resampling people shows of estimates, and with what seeds add to it their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.layout import Layout
from auditkit.evidence.lines import Stack, less
from auditkit.evidence.measures import Measure
from auditkit.evidence.resampling import Redrawn, Replicates, people_variance, redraw
from auditkit.evidence.seeds import Arms, seed_variances
from auditkit.evidence.uncertainty import Spread, effective_number, people_df, satterthwaite, unseen_variance

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """What a stack's usable rows are made of, in every arm or pair of arms, line by line.

    influence: (rows, blocks), of the mean over seeds; pseudo: (rows,) sum of squares of the pseudo-observations;
    carried: (rows,) whether anybody contributes; unseen: (rows,) variance of groups in which nobody does; fewest,
    everybody: (rows,) people of the group with the fewest, and of both groups.
    """

    influence: Replicates
    pseudo: Floats
    carried: NDArray[np.bool_]
    unseen: Floats
    fewest: Integers
    everybody: Integers

    @property
    def carriers(self) -> Floats:
        """(rows,) effective number of people, pseudo-observations included; 0 where there are only those."""
        return np.where(self.carried, effective_number(self.influence, self.pseudo), 0.0)

    @property
    def added(self) -> Floats:
        """(rows,) variance beside that of the influences."""
        return self.pseudo + self.unseen


def nobody_differs(layout: Layout, measure: Measure, arms: Sequence[Arms]) -> NDArray[np.bool_]:
    """(groups, arms): where nobody is told apart, as where no prediction differs.

    In float64, in which the mean of the same float32 numbers does not depend on how often and in which order they come.
    """
    every = range(len(layout.arms))
    means = np.stack([measure.influence[layout.units_of(arm)].mean(axis=0, dtype=np.float64) for arm in every], axis=1)
    return np.stack([~less(means, pair).any(axis=-1) for pair in arms], axis=1)


def _unseen(measure: Measure, arms: Sequence[Arms], nobody: NDArray[np.bool_]) -> Floats:
    """(groups, arms): variance of a group where nobody is told apart; 0 elsewhere, and of unbounded values.

    However many images a person has: all of them may turn at once.
    """
    least, most = measure.bounds
    people = np.stack([measure.people[list(chosen)].min(axis=0) for chosen in arms], axis=1)
    reach = most - least if np.isfinite(most - least) else 0.0
    return np.where(nobody, unseen_variance(people) * reach**2, 0.0)


def people_of(
    layout: Layout, stack: Stack, arms: Sequence[Arms], usable: NDArray[np.bool_], nobody: NDArray[np.bool_]
) -> People:
    """What people show of a stack's usable rows; nobody: (groups, arms) from `nobody_differs`."""

    def flat(values: list[NDArray[Any]]) -> NDArray[Any]:
        return np.stack(values, axis=1).reshape(len(usable), *values[0].shape[1:])[usable]

    every = range(len(layout.arms))
    averaged = np.stack([stack.influence[:, layout.units_of(arm)].mean(axis=1) for arm in every], axis=1)
    groups = np.array([line.groups for line in stack.lines])
    unseen = _unseen(stack.lines[0].measure, arms, nobody)
    return People(
        influence=flat([less(averaged, pair) for pair in arms]),
        pseudo=flat([_pseudo(stack, chosen) for chosen in arms]),
        carried=~nobody[groups].all(axis=1).ravel()[usable],
        unseen=unseen[groups].sum(axis=1).ravel()[usable],
        fewest=flat([stack.people[:, list(chosen)].min(axis=1) for chosen in arms]),
        everybody=flat([stack.everybody[:, list(chosen)].max(axis=1) for chosen in arms]),
    )


def _pseudo(stack: Stack, arms: Arms) -> Floats:
    """(lines,); the share of one group in one arm has Wilson's interval, which needs none."""
    if stack.lines[0].measure.share and len(stack.lines[0].groups) == len(arms) == 1:
        return np.zeros(len(stack.lines))
    return np.asarray(stack.pseudo[:, list(arms)].sum(axis=1), dtype=np.float64)


def redrawn_of(parts: list[People], weight: Replicates | None) -> Redrawn:
    """People redrawn with `weight`, for all rows at once: a product with few rows is slow."""
    if weight is None or not parts:
        return Redrawn(*np.zeros((2, 0, 0), dtype=np.float32))
    influence, everybody, added = (
        np.concatenate([getattr(people, name) for people in parts]) for name in ("influence", "everybody", "added")
    )
    return redraw(influence, everybody, added, weight)


def _unbiased(layout: Layout, people: Integers) -> Replicates:
    """(lines, units): what makes the sums of squares of a unit's influences unbiased; people: (lines, arms).

    Of each arm's own people: one with nobody in a group must not tell anything of the others' seeds.
    """
    known = np.maximum(people, 2).astype(np.float32)
    factor = np.empty((len(people), layout.units), dtype=np.float32)
    for arm in range(len(layout.arms)):
        factor[:, layout.units_of(arm)] = np.sqrt(known[:, arm] / (known[:, arm] - 1))[:, None]
    return factor


def spread_of(
    layout: Layout,
    stack: Stack,
    arms: Sequence[Arms],
    people: People,
    replicates: Replicates,
    usable: NDArray[np.bool_],
) -> Spread:
    """Spread of the usable ones of all lines and arms, line by line; replicates: (usable, replicates)."""
    variance, undefined = people_variance(replicates, people.fewest)
    unbiased = stack.influence * _unbiased(layout, stack.people)[:, :, None]
    seeds = seed_variances(layout, stack.values, unbiased, stack.reason, arms)
    own, most = variance + people.pseudo, np.minimum(people.everybody, layout.blocks)
    df = people_df(people.carriers, most), np.maximum(people.fewest - 1.0, 1.0)
    return Spread(
        people=own + people.unseen,
        people_df=satterthwaite((own, people.unseen), df),
        seeds=seeds.added.ravel()[usable],
        seeds_df=seeds.df.ravel()[usable],
        retraining=seeds.measured.ravel()[usable],
        undefined=undefined,
    )
