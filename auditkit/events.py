"""Progress as frozen values: work sends them, the command line draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know now."""

    text: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class ImagesCached:
    """The image cache has grown to `done` of `total` images."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class UnitStarted:
    """A unit began, or went on after `epoch` finished epochs. `label` is "task arm seed 0"."""

    digest: str
    label: str
    epochs: int
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class StepsDone:
    """Within an epoch: `images` of `total` images visited, at `images_per_second`."""

    digest: str
    epoch: int
    images: int
    total: int
    images_per_second: float


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch ended; `accuracy` is on the validation split, None without one."""

    digest: str
    epoch: int
    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class UnitDone:
    """A unit's predictions are stored; `accuracy` is on `split`, test where it is there; None without predictions."""

    digest: str
    split: str | None
    accuracy: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class UnitFailed:
    """A unit ended without predictions."""

    digest: str
    label: str
    message: str


Event = Notice | ImagesCached | UnitStarted | StepsDone | EpochDone | UnitDone | UnitFailed
Send = Callable[[Event], None]


def silent(event: Event) -> None:
    """Draw nothing."""
