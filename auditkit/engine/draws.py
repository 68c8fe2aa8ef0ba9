"""Which images a split is made of, and which rows an arm trains on. Every choice has its own key from the data seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditkit import streams
from auditkit.cohort import SPLITS, Cohort, Draw, Mask, OpenDataset, Rows, people
from auditkit.contracts import Need, Sampler
from auditkit.engine.resolution import ResolvedArm
from auditkit.errors import AuditError, ImpossibleRequest, KeyPath, Problem, RunFailed
from auditkit.predictions import Predictions
from auditkit.spec.model import AfterResampling, Data, Pool
from auditkit.spec.words import plural

SHARES_WITHOUT_SPLITS = (0.7, 0.1, 0.2)
"""Shares of train, valid and test in a data set that comes without splits."""
_REPEATED = 2**32  # above every copy number: tells apart the repetitions of one (row, copy)


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """Row numbers, ascending, that the splits are made of before any arm's sampler; no row is in two of them."""

    train: Rows
    valid: Rows
    test: Rows

    @property
    def rows(self) -> Rows:
        """(n,) int64, ascending: whatever is in one of them, and so all that is looked at."""
        return np.sort(np.concatenate([self.train, self.valid, self.test]))


@dataclass(frozen=True, slots=True, eq=False)
class UnitDraws:
    """What a unit trains on, validates on and is tested on.

    `sampled` is all that the sampler drew: the same as `train`, unless the audit splits after resampling. It is what
    another arm's sampler is given when it needs this arm's draw.
    """

    train: Draw
    valid: Draw
    test: Draw
    sampled: Draw


# ------------------------------------------------------------------------------------------------------------ pools


def pools(data: Data, dataset: OpenDataset) -> Pools:
    """Draw the pools of an audit.

    A pool is all images of the splits it names, `draw` of them, or exact cells; a later pool never holds a row of an
    earlier one. A data set without splits is first split 70/10/20 by person (by image with `split_by = "image"`, or
    where identities are unknown). Raises ImpossibleRequest, with the numbers, for more images than there are.
    """
    splits = dataset.splits if dataset.splits is not None else _split_anew(data, dataset)
    free = np.ones(len(dataset), dtype=bool)
    train = _pool(data.train, "train", data.seed, dataset, splits, free)
    train, valid = _hold_out(data, dataset, train)
    if data.valid is not None:
        valid = _pool(data.valid, "valid", data.seed, dataset, splits, free)
    test = np.zeros(0, dtype=np.int64)
    if data.test is not None and data.split_after_resampling is None:
        test = _pool(data.test, "test", data.seed, dataset, splits, free)
    return Pools(train, valid, test)


def _pool(pool: Pool, name: str, seed: int, dataset: OpenDataset, splits: NDArray[np.int8], free: Mask) -> Rows:
    """The rows of one pool; marks them as no longer free."""
    path: KeyPath = ("data", name)
    rng = streams.generator(seed, "pool", SPLITS.index(name))
    named = np.isin(splits, [SPLITS.index(split) for split in pool.from_])
    there = np.flatnonzero(free & named)
    where = "+".join(pool.from_) + _remarks(dataset, taken=bool((named & ~free).any()))
    if len(there) == 0:
        hint = "name a split in 'from' that has images which no earlier pool takes"
        raise _impossible((*path, "from"), f"there are no images in {where}", hint)
    if pool.cells:
        rows = _cells(pool, (*path, "cells"), dataset, there, where, rng)
    elif pool.draw is not None:
        rows = _some(there, pool.draw, (*path, "draw"), f"in {where}", rng)
    else:
        rows = there
    free[rows] = False
    return rows


def _remarks(dataset: OpenDataset, taken: bool) -> str:
    """What explains how many images there are in a split."""
    shares = "/".join(f"{100 * share:.0f}" for share in SHARES_WITHOUT_SPLITS)
    drawn = f"drawn {shares}, since the data has no splits" if dataset.splits is None else ""
    told = "; ".join(filter(None, (drawn, "rows of earlier pools left out" if taken else "")))
    return f" ({told})" if told else ""


def _cells(pool: Pool, path: KeyPath, dataset: OpenDataset, there: Rows, where: str, rng: np.random.Generator) -> Rows:
    masks = [dataset.attributes.matches(cell.where)[there] for cell in pool.cells]
    _refuse_overlap(masks, path, where)
    parts = [
        _some(there[mask], cell.count, (*path, index, "count"), f"with {cell.where} in {where}", rng)
        for index, (cell, mask) in enumerate(zip(pool.cells, masks, strict=True))
    ]
    return np.sort(np.concatenate(parts))


def _refuse_overlap(masks: list[Mask], path: KeyPath, where: str) -> None:
    for later, mask in enumerate(masks):
        for earlier in range(later):
            both = int((mask & masks[earlier]).sum())
            if both:
                shared = plural(both, f"image in {where} belongs", f"images in {where} belong")
                message = f"cells {earlier + 1} and {later + 1} overlap: {shared} to both"
                raise _impossible((*path, later, "where"), message, "make the conditions exclude each other")


def _some(rows: Rows, count: int, path: KeyPath, what: str, rng: np.random.Generator) -> Rows:
    """Draw without replacement, ascending."""
    if count > len(rows):
        there = f"there {'is' if len(rows) == 1 else 'are'} {plural(len(rows), 'image')} {what}"
        message = f"asked for {plural(count, 'image')}, but {there}"
        raise _impossible(path, message, f"ask for at most {len(rows):,}, name more splits in from, or use --scale")
    return np.sort(rng.choice(rows, count, replace=False))


def _hold_out(data: Data, dataset: OpenDataset, train: Rows) -> tuple[Rows, Rows]:
    """Keep a share of the people of the pool (of its images where identities are unknown) for valid."""
    share = data.train.hold_out
    if share == 0:
        return train, np.zeros(0, dtype=np.int64)
    units = _people(data, dataset)[train]
    order = streams.generator(data.seed, "hold-out").permutation(np.unique(units))
    kept = round(share * len(order))
    if not 0 < kept < len(order):
        message = f"holding out {share:g} of {len(order):,} people or images leaves one side empty"
        raise _impossible(("data", "train", "hold_out"), message, "draw more images or choose another share")
    held = np.isin(units, order[:kept])
    return train[~held], train[held]


def _split_anew(data: Data, dataset: OpenDataset) -> NDArray[np.int8]:
    """Split by shuffled people until each split has its share of images."""
    units = _people(data, dataset)
    position = np.unique(units, return_inverse=True)[1]
    sizes = np.bincount(position)
    order = streams.generator(data.seed, "split").permutation(len(sizes))
    before = np.empty(len(sizes), dtype=np.float64)
    before[order] = np.cumsum(sizes[order]) - sizes[order]
    edges = np.cumsum(SHARES_WITHOUT_SPLITS)[:2] * len(units)
    return np.searchsorted(edges, before, side="right").astype(np.int8)[position]


def _people(data: Data, dataset: OpenDataset) -> Rows:
    """(images,) int64: what a split keeps together."""
    if data.split_by == "image" or dataset.identities is None:
        return np.arange(len(dataset), dtype=np.int64)
    return people(dataset.identities)


def _impossible(path: KeyPath, message: str, hint: str = "") -> ImpossibleRequest:
    return ImpossibleRequest(Problem(path, message, hint))


# ------------------------------------------------------------------------------------------------------- arm's draws


def arm_draws(
    arm: ResolvedArm,
    data: Data,
    pools: Pools,
    dataset: OpenDataset,
    sampler: Sampler,
    seed: int,
    inputs: Mapping[Need, Draw | Predictions],
) -> UnitDraws:
    """Let an arm's sampler draw from its pool, and lay out what it is validated and tested on.

    An arm `on = "valid"` trains on the valid pool and has nothing to validate on. With `split_after_resampling` the
    whole train pool is resampled first and the result is split, so that copies of an image fall on both sides.

    `inputs` answers `sampler.needs`; a draw is the other arm's `UnitDraws.sampled`. `seed` is the unit's own. The path
    of an ImpossibleRequest starts at the arm's table: ("sampler",). Raises RunFailed for a draw that breaks the
    sampler's contract.
    """
    cohort = _cohort(pools.valid if arm.on == "valid" else pools.train, dataset)
    try:
        drawn = sampler.draw(cohort, inputs, streams.generator(seed, "sampler"))
    except ImpossibleRequest:
        raise
    except AuditError as error:
        raise _impossible(("sampler",), f"arm {arm.name!r}: {error.message}", error.hint) from error
    except Exception as error:
        raise _broken(arm, f"cannot draw: {type(error).__name__}: {error}") from error
    _check(drawn, cohort, arm)
    if data.split_after_resampling is not None:
        return _split(drawn, data.split_after_resampling, data.seed)
    nothing = Draw(np.zeros(0, dtype=np.int64))
    return UnitDraws(drawn, nothing if arm.on == "valid" else Draw(pools.valid), Draw(pools.test), drawn)


def _cohort(rows: Rows, dataset: OpenDataset) -> Cohort:
    identities = None if dataset.identities is None else dataset.identities[rows]
    return Cohort(rows, dataset.attributes, identities)


def _check(drawn: object, cohort: Cohort, arm: ResolvedArm) -> None:
    """Hold a sampler to its contract: a draw of rows of its cohort only, copies not negative, not empty."""
    if not isinstance(drawn, Draw):
        raise _broken(arm, f"drew {type(drawn).__name__}, not an auditkit.Draw")
    for name, numbers in (("rows", drawn.rows), ("copy", drawn.copy)):
        if not isinstance(numbers, np.ndarray) or numbers.dtype != np.int64 or numbers.ndim != 1:
            kind = f"{numbers.dtype} {numbers.shape}" if isinstance(numbers, np.ndarray) else type(numbers).__name__
            raise _broken(arm, f"drew {name} that are {kind}, not one row of int64")
    if len(drawn) == 0:
        raise _broken(arm, f"drew no rows from {len(cohort):,}")
    outside = int((~np.isin(drawn.rows, cohort.rows)).sum())
    if outside:
        raise _broken(arm, f"drew {plural(outside, 'row that is', 'rows that are')} not in its cohort")
    if (drawn.copy < 0).any():
        raise _broken(arm, "drew negative copy numbers")


def _broken(arm: ResolvedArm, what: str) -> RunFailed:
    place = f"plugin {arm.sampler.distribution} {arm.sampler.version}"
    return RunFailed(f"sampler {arm.sampler.component.id!r} of arm {arm.name!r} {what}", where=place)


def _split(drawn: Draw, shares: AfterResampling, seed: int) -> UnitDraws:
    """Split exactly, ordered by a stateless key of (row, copy), so that arms agree on nearly all that they share."""
    keys = streams.uniforms(seed, "split-after-resampling", drawn.rows, drawn.copy + _repetition(drawn) * _REPEATED, 1)
    order = np.argsort(keys[:, 0], kind="stable")
    train = round(shares.train * len(drawn))
    valid = round(shares.valid * len(drawn))
    parts = [np.sort(part) for part in np.split(order, [train, train + valid])]
    first, second, third = (Draw(drawn.rows[part], drawn.copy[part]) for part in parts)
    return UnitDraws(first, second, third, drawn)


def _repetition(drawn: Draw) -> Rows:
    """(m,) int64: how many earlier entries have the same row and copy."""
    order = np.lexsort((drawn.copy, drawn.rows))
    rows, copy = drawn.rows[order], drawn.copy[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]) | (copy[1:] != copy[:-1])
    starts = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    repetition = np.empty(len(order), dtype=np.int64)
    repetition[order] = np.arange(len(order)) - starts
    return repetition
