"""What every table of the audit file is, and what a file may say shorter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the audit file: strict, frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)


def named(value: Any) -> Any:
    """A component by its bare id as the table that it stands for."""
    return {"use": value} if isinstance(value, str) else value


def several(value: Any) -> Any:
    """A single text as an array of one."""
    return (value,) if isinstance(value, str) else value


def unless_said(use: str) -> Callable[[Any], Any]:
    """A table without `use` is one with this."""

    def with_use(value: Any) -> Any:
        return {"use": use, **value} if isinstance(value, Mapping) else value

    return with_use


def with_momentum(optimizer: Any) -> Any:
    """Refuse Nesterov's momentum without momentum, as torch does once it trains."""
    if getattr(optimizer, "nesterov", False) and optimizer.momentum == 0:
        raise ValueError("Nesterov's momentum needs a 'momentum' above 0; leave out 'nesterov', or set it")
    return optimizer
