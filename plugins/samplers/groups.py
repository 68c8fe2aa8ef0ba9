"""Samplers that set the sizes of groups: undersampling, balancing, exact cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from auditkit import AuditError, Cohort, Draw, Level, Need, Predictions, Sampler
from auditkit_plugins.counted import counted
from auditkit_plugins.samplers.copying import Times, images, independent, once, repeated, spread
from auditkit_plugins.samplers.options import BalanceOptions, Cell, CellsOptions, UndersampleOptions

Inputs = Mapping[Need, Draw | Predictions]
Groups = tuple[tuple[str, NDArray[np.int64]], ...]
"""What each group is called, and the positions of its images in the cohort."""


class Undersample(Sampler):
    """Images left out at random until the groups are equal."""

    Options = UndersampleOptions
    options: UndersampleOptions

    def draw(self, cohort: Cohort, inputs: Inputs, rng: np.random.Generator) -> Draw:
        """Return the same number of images of every group, none twice."""
        groups = self._groups(cohort)
        smallest = min(groups, key=lambda group: len(group[1]))
        kept = self.options.to or len(smallest[1])
        if kept > len(smallest[1]):
            raise AuditError(
                f"asked to keep {images(kept)} of each group, but {smallest[0]} has {len(smallest[1]):,}",
                hint=f"set to = {len(smallest[1])} or less, or leave it out",
            )
        times = np.zeros(len(cohort), dtype=np.int64)
        for _, members in groups:
            times[members] = once(kept, len(members), rng)
        return repeated(cohort.rows, times, "duplicate")

    def _groups(self, cohort: Cohort) -> Groups:
        if self.options.where is None:
            return groups_of(cohort, self.options.over)
        match = cohort.matches(self.options.where)
        others = cohort.contradicts(self.options.where)
        found = ((str(self.options.where), np.flatnonzero(match)), ("everyone else", np.flatnonzero(others)))
        return _none_empty(found, len(cohort))


class Balance(Sampler):
    """Smaller groups repeated until all groups are equal."""

    Options = BalanceOptions
    options: BalanceOptions

    def draw(self, cohort: Cohort, inputs: Inputs, rng: np.random.Generator) -> Draw:
        """Return groups of equal size (upsample), or as many independent draws as the cohort has rows (reweight)."""
        groups = groups_of(cohort, self.options.over)
        times = np.zeros(len(cohort), dtype=np.int64)
        for (_, members), size in zip(groups, self._sizes(groups, len(cohort), rng), strict=True):
            times[members] = self._times(size, len(members), rng)
        return repeated(cohort.rows, times, self.options.copies)

    def _sizes(self, groups: Groups, total: int, rng: np.random.Generator) -> Times:
        if self.options.how == "reweight":
            return independent(total, len(groups), rng)
        return np.full(len(groups), max(len(members) for _, members in groups), dtype=np.int64)

    def _times(self, size: int, count: int, rng: np.random.Generator) -> Times:
        return independent(size, count, rng) if self.options.how == "reweight" else spread(size, count, rng)


class Cells(Sampler):
    """Exact numbers of rows per cell."""

    Options = CellsOptions
    options: CellsOptions

    def draw(self, cohort: Cohort, inputs: Inputs, rng: np.random.Generator) -> Draw:
        """Return the asked number of rows of every cell, and nothing else."""
        times = np.zeros(len(cohort), dtype=np.int64)
        taken = np.zeros(len(cohort), dtype=np.int64)
        for number, cell in enumerate(self.options.cells, start=1):
            match = cohort.matches(cell.where)
            self._refuse_overlap(taken[match], number)
            taken[match] = number
            times[match] = self._times(cell, int(match.sum()), rng)
        return repeated(cohort.rows, times, self.options.copies)

    def _refuse_overlap(self, taken: NDArray[np.int64], number: int) -> None:
        both = taken[taken > 0]
        if len(both):
            matching = counted(int((both == both.min()).sum()), "image matches", "images match")
            raise AuditError(
                f"cells {both.min()} and {number} overlap: {matching} both",
                hint="make the conditions exclude each other",
            )

    def _times(self, cell: Cell, count: int, rng: np.random.Generator) -> Times:
        if cell.count > count and (self.options.copies == "none" or count == 0):
            are = "is" if count == 1 else "are"
            fewer = 'ask for fewer, or set copies = "augmented"'
            raise AuditError(
                f"asked for {counted(cell.count, 'row')} with {cell.where}, but there {are} {images(count)}",
                hint=fewer if count else "leave the cell out, or draw more images in [data]",
            )
        return once(cell.count, count, rng) if cell.count <= count else spread(cell.count, count, rng)


def groups_of(cohort: Cohort, over: tuple[str, ...]) -> Groups:
    """All combinations of the levels of some attributes; a combination that nobody has is an error."""
    codes, meanings = cohort.strata(over)
    found = tuple((_name(meaning), np.flatnonzero(codes == code)) for code, meaning in enumerate(meanings))
    return _none_empty(found, len(cohort))


def _name(meaning: Mapping[str, Level]) -> str:
    return ", ".join(f"{name}={level}" for name, level in meaning.items())


def _none_empty(groups: Groups, total: int) -> Groups:
    for name, members in groups:
        if len(members) == 0:
            raise AuditError(
                f"none of {images(total)} has {name}, so that the groups cannot be made equal",
                hint="group over fewer attributes, or draw more images in [data]",
            )
    return groups
