"""The rules of a sampler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from auditkit.cohort import Attributes, Cohort, Draw
from auditkit.contracts import Need, Options, Sampler
from auditkit.predictions import Predictions
from auditkit.spec.words import plural
from auditkit.testing.rules import demand, options_of

ATTRIBUTES = ("Bald", "Big_Nose", "Male", "Young")
_SHARES = (0.25, 0.4, 0.45, 0.6)
Inputs = Mapping[Need, Draw | Predictions]


def toy_cohort(rows: int = 400, seed: int = 0) -> Cohort:
    """A cohort of every third image of a data set of `3 * rows`: four CelebA attributes, about four images a person."""
    rng = np.random.default_rng(seed)
    codes = (rng.random((3 * rows, len(ATTRIBUTES))) < _SHARES).astype(np.int8)
    attributes = Attributes(ATTRIBUTES, ((0, 1),) * len(ATTRIBUTES), codes)
    chosen = np.arange(1, 3 * rows, 3, dtype=np.int64)
    return Cohort(chosen, attributes, rng.integers(0, max(1, rows // 4), 3 * rows)[chosen])


def check_sampler(
    sampler: type[Sampler], cohort: Cohort | None = None, inputs: Inputs | None = None, **options: Any
) -> Draw:
    """Check a sampler with these options, as a file would give them, and return what it draws.

    * the options survive being written as JSON, and the needs are a tuple of `auditkit.Need`;
    * every row is a row number of the cohort (not a position in it), every copy number is 0 or more;
    * the same generator gives the same draw, whatever NumPy's global generator does, and leaves that alone;
    * the cohort is left as it was.

    Needs that `inputs` does not cover are met by a draw with a copy of every tenth row, and by predictions that are
    partly wrong.
    """
    cohort = cohort if cohort is not None else toy_cohort()
    read = options_of(sampler, options)
    given = _met(_needs(sampler, read), cohort, inputs or {})
    before = cohort.rows.copy(), cohort.attributes.codes.copy()
    first = _drawn(sampler, read, cohort, given, global_seed=1)
    second = _drawn(sampler, read, cohort, given, global_seed=2)
    demand(
        np.array_equal(first.rows, second.rows) and np.array_equal(first.copy, second.copy),
        "two draws with the same generator differ; take every random choice from `rng`",
    )
    unchanged = np.array_equal(before[0], cohort.rows) and np.array_equal(before[1], cohort.attributes.codes)
    demand(unchanged, "the cohort was changed; copy an array before writing to it")
    return first


def _drawn(sampler: type[Sampler], options: Options, cohort: Cohort, inputs: Inputs, global_seed: int) -> Draw:
    with _global_generator(global_seed) as untouched:
        draw = sampler(options).draw(cohort, inputs, np.random.default_rng(7))
        demand(untouched(), "NumPy's global generator was used; take every random choice from `rng`")
    demand(isinstance(draw, Draw), f"draw must return auditkit.Draw, not {type(draw).__name__}")
    demand(len(draw) > 0, "nothing was drawn; raise auditkit.AuditError with the numbers if that is meant")
    for name, values in (("rows", draw.rows), ("copy", draw.copy)):
        demand(values.dtype == np.int64, f"{name} must be int64, not {values.dtype}")
    strangers = np.setdiff1d(draw.rows, cohort.rows)
    demand(
        len(strangers) == 0,
        f"{plural(len(strangers), 'row is', 'rows are')} not of the cohort, such as {strangers[:3].tolist()}; "
        "index cohort.rows, as in cohort.rows[mask]",
    )
    demand(bool((draw.copy >= 0).all()), "a copy number is negative")
    return draw


@contextmanager
def _global_generator(seed: int) -> Iterator[Callable[[], bool]]:
    """Put NumPy's global generator into a known state for a while; gives a function: was it left alone?"""
    saved, known = np.random.get_state(), np.random.RandomState(seed).get_state()  # noqa: NPY002 - it is watched
    np.random.set_state(known)  # noqa: NPY002

    def untouched() -> bool:
        return repr(np.random.get_state()) == repr(known)  # noqa: NPY002

    try:
        yield untouched
    finally:
        np.random.set_state(saved)  # noqa: NPY002


def _needs(sampler: type[Sampler], options: Options) -> tuple[Need, ...]:
    needs = sampler.needs(options)
    good = isinstance(needs, tuple) and all(isinstance(need, Need) for need in needs)
    demand(good, f"needs must return a tuple of auditkit.Need, not {needs!r}")
    return needs


def _met(needs: tuple[Need, ...], cohort: Cohort, given: Inputs) -> dict[Need, Draw | Predictions]:
    return {need: given[need] if need in given else _input(need, cohort) for need in needs}


def _input(need: Need, cohort: Cohort) -> Draw | Predictions:
    if need.what == "draw":
        some = cohort.rows[: max(1, len(cohort) // 10)]
        copy = np.repeat([0, 1], [len(cohort), len(some)]).astype(np.int64)
        return Draw(np.concatenate([cohort.rows, some]), copy)
    rng = np.random.default_rng(11)
    count = len(cohort)
    truth = rng.integers(0, 2, count).astype(np.int8)
    margin = np.where(truth == 1, 1.0, -1.0) + rng.normal(0, 1.2, count)
    return Predictions(
        split=np.full(count, ("train", "valid").index(need.split), dtype=np.int8),
        row=cohort.rows.copy(),
        copy=np.zeros(count, dtype=np.int64),
        identity=cohort.identities if cohort.identities is not None else cohort.rows,
        truth=truth,
        margin=margin.astype(np.float32),
    )
