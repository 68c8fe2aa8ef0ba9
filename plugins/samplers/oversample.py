"""Samplers that add copies of images, and the placebos that they are measured against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit import AuditError, Cohort, Draw, Need, Predictions, Sampler
from auditkit_plugins.counted import counted
from auditkit_plugins.samplers.copying import Times, images, independent, once, repeated, spread
from auditkit_plugins.samplers.options import AugmentEveryoneOptions, NoneOptions, OversampleOptions

Inputs = Mapping[Need, Draw | Predictions]


class Everyone(Sampler):
    """Every image once, nothing resampled."""

    Options = NoneOptions

    def draw(self, cohort: Cohort, inputs: Inputs, rng: np.random.Generator) -> Draw:
        """Return the cohort."""
        return Draw(cohort.rows)


class Oversample(Sampler):
    """Copies of the images that match a condition, or the placebo of another arm."""

    Options = OversampleOptions
    options: OversampleOptions

    @classmethod
    def needs(cls, options: OversampleOptions) -> tuple[Need, ...]:
        """The draw of the arm that a placebo is like."""
        return _draw_of(options.like)

    def draw(self, cohort: Cohort, inputs: Inputs, rng: np.random.Generator) -> Draw:
        """Return the whole cohort, and copies of images that match."""
        match = self._match(cohort)
        count = int(match.sum())
        if count == 0:
            raise AuditError(f"none of {images(len(cohort))} is {self.options.whom}", hint=_WIDEN)
        times = np.ones(len(cohort), dtype=np.int64)
        copies = self.options.copies or "augmented"
        if self.options.like is None:
            times[match] += self._copies_of_each(count, cohort, rng)
        else:
            other = _other(inputs)
            times[match] += self._as_there(other, count, rng)
            copies = self.options.copies or ("augmented" if other.copy.any() else "duplicate")
        return repeated(cohort.rows, times, copies)

    def _match(self, cohort: Cohort) -> NDArray[np.bool_]:
        conditions = self.options.conditions
        match = np.full(len(cohort), not conditions)
        for condition in conditions:
            match |= cohort.matches(condition)
        return match

    def _others(self, cohort: Cohort) -> int:
        """How many images are known not to match; a missing value may leave it open."""
        known = np.ones(len(cohort), dtype=bool)
        for condition in self.options.conditions:
            known &= cohort.contradicts(condition)
        return int(known.sum())

    def _copies_of_each(self, count: int, cohort: Cohort, rng: np.random.Generator) -> Times:
        """(count,) int64: copies of each matching image."""
        chosen = self.options
        if chosen.times is not None:
            return np.full(count, chosen.times, dtype=np.int64)
        if chosen.until is not None:
            wanted = self._missing_for_balance(count, self._others(cohort))
            return independent(wanted, count, rng) if chosen.replacement else spread(wanted, count, rng)
        wanted = self._extra(count, len(cohort))
        return independent(wanted, count, rng) if chosen.replacement else once(wanted, count, rng)

    def _missing_for_balance(self, count: int, others: int) -> int:
        if others < count:
            raise AuditError(
                f"cannot balance by adding: {images(count)} with {self.options.whom} already outnumber "
                f"the {others:,} others",
                hint="oversample the others, or use the sampler 'undersample'",
            )
        return others - count

    def _extra(self, count: int, total: int) -> int:
        fraction = self.options.extra or 0.0
        wanted = round(fraction * (total if self.options.of == "dataset" else count))
        if wanted > count and not self.options.replacement:
            raise AuditError(
                f"extra = {fraction:g} of the {self.options.of} asks for {wanted:,} copies of "
                f"different images, but {count:,} of {images(total)} {_matches(count)} {self.options.whom}",
                hint="lower extra, or set replacement = true",
            )
        return wanted

    def _as_there(self, other: Draw, count: int, rng: np.random.Generator) -> Times:
        """(count,) int64: copies of each matching image, in number as in the other arm's draw."""
        there = _copies_per_image(other)
        if len(there) == 0:
            raise AuditError(f"arm {self.options.like!r} makes no copies, so that there is nothing to be like")
        if self.options.distinct:
            there = np.ones(there.sum(), dtype=np.int64)
        if len(there) > count:
            made = (
                f"makes {counted(len(there), 'copy', 'copies')}"
                if self.options.distinct
                else f"copies {counted(len(there), 'different image')}"
            )
            raise AuditError(
                f"arm {self.options.like!r} {made}, but {images(count)} {_matches(count)} {self.options.whom}",
                hint="drop distinct, or widen where" if self.options.distinct else _WIDEN,
            )
        times = np.zeros(count, dtype=np.int64)
        times[rng.permutation(count)[: len(there)]] = there
        return times


class AugmentEveryone(Sampler):
    """Every image replaced by an augmented copy."""

    Options = AugmentEveryoneOptions
    options: AugmentEveryoneOptions

    @classmethod
    def needs(cls, options: AugmentEveryoneOptions) -> tuple[Need, ...]:
        """The draw of the arm whose images are taken."""
        return _draw_of(options.like)

    def draw(self, cohort: Cohort, inputs: Inputs, rng: np.random.Generator) -> Draw:
        """Return the cohort, or the other arm's images as often as there, every row an augmented copy."""
        rows, times = cohort.rows, np.ones(len(cohort), dtype=np.int64)
        if self.options.like is not None:
            rows, times = np.unique(_other(inputs).rows, return_counts=True)
            outside = int((~np.isin(rows, cohort.rows)).sum())
            if outside:
                raise AuditError(
                    f"arm {self.options.like!r} draws {images(outside)} that this arm may not train on",
                    hint="give both arms the same on",
                )
        numbered = repeated(rows, times, "augmented")
        return Draw(numbered.rows, numbered.copy + 1)


_WIDEN = "widen where, or draw more images in [data]"


def _matches(count: int) -> str:
    return "matches" if count == 1 else "match"


def _draw_of(arm: str | None) -> tuple[Need, ...]:
    return () if arm is None else (Need(arm, "draw"),)


def _other(inputs: Mapping[Need, Any]) -> Draw:
    (draw,) = inputs.values()
    if not isinstance(draw, Draw):
        raise TypeError("a placebo needs the draw of another arm")
    return draw


def _copies_per_image(drawn: Draw) -> Times:
    """Copies of every image that has any: how often it was drawn, less once for the image itself."""
    copies = np.unique(drawn.rows, return_counts=True)[1] - 1
    return copies[copies > 0].astype(np.int64)
