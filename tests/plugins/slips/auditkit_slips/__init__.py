"""A sampler with a mistake in it, and one whose option has another name in the file."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field

import auditkit


class Slips(auditkit.Sampler):
    """Looks for an attribute that it was never told of."""

    def draw(
        self,
        cohort: auditkit.Cohort,
        inputs: Mapping[auditkit.Need, auditkit.Draw | auditkit.Predictions],
        rng: np.random.Generator,
    ) -> auditkit.Draw:
        wanted: dict[str, int] = {}
        return auditkit.Draw(cohort.rows[: wanted["images"]])


class Same(auditkit.Sampler):
    """What another arm drew, or shares of what several did."""

    class Options(auditkit.Options):
        source: auditkit.ArmName = Field(alias="from", description="the arm whose draw is taken")
        shares: dict[auditkit.ArmName, float] = Field(default={}, description="a note for every arm, to no effect")

    @classmethod
    def needs(cls, options: Options) -> tuple[auditkit.Need, ...]:
        return (auditkit.Need(options.source, "draw"),)

    def draw(
        self,
        cohort: auditkit.Cohort,
        inputs: Mapping[auditkit.Need, auditkit.Draw | auditkit.Predictions],
        rng: np.random.Generator,
    ) -> auditkit.Draw:
        (other,) = inputs.values()
        assert isinstance(other, auditkit.Draw)
        return other


@auditkit.hookimpl
def auditkit_samplers() -> list[auditkit.Component]:
    return [auditkit.component("slips", Slips), auditkit.component("same", Same)]
