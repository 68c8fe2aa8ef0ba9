"""--scale: every number of images of an audit, times a factor."""

from __future__ import annotations

from typing import TypeVar

from auditkit.spec.model import Audit, Pool

AnyPool = TypeVar("AnyPool", bound=Pool)


def scaled(audit: Audit, factor: float) -> Audit:
    """The audit with every draw and cell count multiplied; options marked `Count` are the registry's to scale."""
    if factor == 1.0:
        return audit
    data = audit.data
    pools = {
        "train": _scaled(data.train, factor),
        "valid": data.valid and _scaled(data.valid, factor),
        "test": data.test and _scaled(data.test, factor),
    }
    return audit.model_copy(update={"data": data.model_copy(update=pools)})


def has_counts(audit: Audit) -> bool:
    """Whether a pool of the audit names a number of images."""
    pools = (audit.data.train, audit.data.valid, audit.data.test)
    return any(pool is not None and (pool.draw is not None or pool.cells) for pool in pools)


def scaled_count(count: int, factor: float) -> int:
    """A number of images times a factor, rounded, at least 1."""
    return max(1, round(count * factor))


def _scaled(pool: AnyPool, factor: float) -> AnyPool:
    cells = tuple(cell.model_copy(update={"count": scaled_count(cell.count, factor)}) for cell in pool.cells)
    draw = None if pool.draw is None else scaled_count(pool.draw, factor)
    return pool.model_copy(update={"draw": draw, "cells": cells})
