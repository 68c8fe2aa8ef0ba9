"""What a plugin must be: the only page that the author of one must read.

A plugin is a module under the entry-point group ``auditkit``. It registers *components* through the hooks of
`auditkit.hooks`. A component is a frozen record of its id, its options and the place of its class as a string, so that
listing and validating import little. The values that travel (Cohort, Draw, OpenDataset) lie in `auditkit.cohort`.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, RootModel

from auditkit.errors import AuditError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from auditkit.cohort import Checkup, Cohort, Draw, OpenDataset
    from auditkit.predictions import Predictions

HOOK_VERSION = 1
Level = bool | int | str
Kind = Literal["sampler", "model", "objective", "metric", "dataset"]


# ---------------------------------------------------------------------------------------------------------- options


class Options(BaseModel):
    """Typed options of a component: strict, frozen, no unknown keys; `Field(description=...)` explains each."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class ModelOptions(Options):
    """Options of a model that know, before it is imported, what it needs; what they leave open only a run finds."""

    def imagenet_weights(self) -> bool | None:
        """Whether weights trained on ImageNet can be had; None where only the model knows."""
        return None

    def image_sides(self) -> tuple[int, int]:
        """The shortest and the longest side of images that the network takes, in pixels."""
        return 1, 512

    def same_weights(self, other: Options) -> bool:
        """Whether a network with other options has weights of the same shapes."""
        return self == other


@dataclass(frozen=True, slots=True)
class Names:
    """Marks what a string option names, so that the core can check it: an attribute, or an arm of the audit."""

    what: Literal["attribute", "arm"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Marks an integer option as a number of images, which `--scale` multiplies."""


AttributeName = Annotated[str, Names("attribute")]
ArmName = Annotated[str, Names("arm")]
Count = Annotated[int, Counts()]


class Condition(RootModel[dict[str, Level | tuple[Level, ...]]]):
    """A condition on attributes, as in ``{ Bald = 1, Male = [0, 1] }``: every attribute has one of the levels named."""

    model_config = ConfigDict(frozen=True, strict=True)

    @property
    def levels(self) -> Mapping[str, tuple[Level, ...]]:
        """Attribute name -> the levels that satisfy the condition."""
        return {name: v if isinstance(v, tuple) else (v,) for name, v in self.root.items()}

    def __str__(self) -> str:
        return ", ".join(f"{k}={'|'.join(map(str, v))}" for k, v in self.levels.items()) or "anyone"

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.levels.items())))


# ------------------------------------------------------------------------------------------------------- components


@dataclass(frozen=True, slots=True)
class Component:
    """A registered component. `factory` is "module:Class"; raise `revision` whenever results would differ."""

    id: str
    summary: str
    options: type[Options]
    factory: str
    revision: int = 1


def component(
    id: str,  # noqa: A002 - the word of the field
    factory: type[Plugin] | str,
    *,
    options: type[Options] | None = None,
    summary: str = "",
    revision: int = 1,
) -> Component:
    """Describe a component.

    `factory` is the class itself, or "module:Class" when importing it is slow; then give its options and summary here.
    """
    if isinstance(factory, str):
        return Component(id, summary, options or Options, factory, revision)
    text = summary or (inspect.getdoc(factory) or "").split("\n", 1)[0]
    place = f"{factory.__module__}:{factory.__qualname__}"
    return Component(id, text, options or factory.Options, place, revision)


class Plugin(ABC):  # noqa: B024 - the kinds below have the abstract methods
    """What every component class has: a nested `Options`, and the resolved options as `self.options`."""

    Options: type[Options] = Options

    def __init__(self, options: Any) -> None:
        self.options = options


# --------------------------------------------------------------------------------------------------------- samplers


@dataclass(frozen=True, slots=True)
class Need:
    """What a sampler wants from another arm of the same task and seed: its draw, or its predictions on a split."""

    arm: str
    what: Literal["draw", "predictions"]
    split: Literal["train", "valid"] = "train"


class Sampler(Plugin):
    """Decides which rows an arm trains on, and which of them are augmented copies. It never sees pixels."""

    @classmethod
    def needs(cls, options: Any) -> tuple[Need, ...]:
        """What `draw` must be given; each need becomes an edge of the plan."""
        return ()

    @abstractmethod
    def draw(self, cohort: Cohort, inputs: Mapping[Need, Draw | Predictions], rng: np.random.Generator) -> Draw:
        """Return the rows to train on, all of them from `cohort.rows`.

        Every random choice comes from `rng`. Raise `auditkit.AuditError` with the numbers when the cohort cannot
        satisfy the options.
        """


# ----------------------------------------------------------------------------------------------------------- models


@dataclass(frozen=True, slots=True)
class PretrainedFile:
    """A checkpoint on the web: its address, and the first hexadecimal digits of its SHA-256."""

    url: str
    sha256_prefix: str


class Model(Plugin):
    """Builds a network that maps (n, 3, size, size) float images to (n, outputs) logits."""

    @abstractmethod
    def build(self, outputs: int) -> torch.nn.Module:
        """Return the network, its weights drawn from torch's global generator, which the engine has seeded."""

    @abstractmethod
    def head(self) -> str:
        """Name of the last layer, a `torch.nn.Linear`, as in `named_modules`: "fc" for a ResNet."""

    def imagenet(self) -> PretrainedFile | None:
        """Where weights trained on ImageNet can be had; None when there are none."""
        return None


# ------------------------------------------------------------------------------------------------------- objectives


class Objective(Plugin):
    """The loss an arm minimises. An option named `strata` (attribute names) makes the engine hand over strata."""

    @abstractmethod
    def build(self, stratum_counts: tuple[int, ...]) -> torch.nn.Module:
        """Return a module with ``forward(margin, truth, stratum) -> scalar``.

        margin: (n,) float32 logit margin; truth: (n,) float32 of 0 and 1; stratum: (n,) int64, opaque, all 0 without
        strata. `stratum_counts` are the training rows of each stratum. Buffers of the module are its state: they
        are stored with the checkpoint.
        """


# ---------------------------------------------------------------------------------------------------------- metrics


class Metric(Plugin):
    """A number computed from predictions; use one of the three kinds below. Set `percent` if it is a share."""

    percent: ClassVar[bool] = True
    within_target: ClassVar[bool] = False
    """Whether the metric still means something inside a group that is defined by the target itself."""
    describes_test: ClassVar[bool] = False
    """Whether it describes the test set alone, such as a count: no interval, and no contrast between arms, is asked."""


class CountMetric(Metric):
    """A ratio of sums of true and false positives and negatives."""

    @abstractmethod
    def compute(
        self, tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any], tn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (numerator, denominator), elementwise over arrays of any shape."""


class ScoreMetric(Metric):
    """A function of scores, as in scikit-learn; NaN where it is not defined."""

    compares_classes: ClassVar[bool] = True
    """Whether it sets positives against negatives: its support is then that of the smaller class, not of all rows."""
    bounds: ClassVar[tuple[float, float]] = (-inf, inf)
    """Least and largest value that it can have; intervals end there."""

    @abstractmethod
    def compute(self, truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
        """truth (n,) of 0 and 1, score (n,) probability of the positive class, weight (n,) not negative.

        Scores are in the order of the logits also where these are so large that probabilities are 1 to all digits.
        """

    def influence(
        self, truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """(n,) derivative of `compute` with respect to each weight; None makes the core leave people out in turn."""
        return None


class TableMetric(Metric):
    """A function of all groups at once, such as a share of all errors."""

    @abstractmethod
    def compute(
        self, tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any], tn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Counts have shape (..., groups); return (numerator, denominator) of that shape."""


# --------------------------------------------------------------------------------------------------------- datasets


class Dataset(Plugin):
    """Images with an attribute table, identities and splits."""

    @classmethod
    @abstractmethod
    def attribute_levels(cls, options: Any, place: Path | None) -> Mapping[str, tuple[Level, ...]] | None:
        """Attribute names and their levels, reading a header at most.

        Levels may be () when only a full read tells them; None when not even names are known, as without a place.
        """

    @abstractmethod
    def open(self, place: Path | None) -> OpenDataset:
        """Read the annotations (never the pixels) at `place`, the folder or file that the user named."""

    @classmethod
    def default_place(cls, options: Any) -> Path | None:
        """Where the data is looked for when the user names no place; None when it needs no place."""
        return None

    def check(self, place: Path) -> Checkup | None:
        """Look closer at `place` than `open` does: what is there, what is missing; None if there is no more."""
        return None

    def download(self, place: Path) -> None:
        """Fetch the data from its publisher into the folder `place`, or raise `auditkit.AuditError`."""
        raise AuditError("this dataset has no download", where=str(place), hint="put the files there yourself")
