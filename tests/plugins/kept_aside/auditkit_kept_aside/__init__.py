"""A sampler that reads what another arm predicts on valid."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field

import auditkit


class KeptAside(auditkit.Sampler):
    """Every row once, or twice where another arm is too rarely positive on valid."""

    class Options(auditkit.Options):
        judge: auditkit.ArmName = Field(description="the arm whose predictions on valid are read")

    @classmethod
    def needs(cls, options: Options) -> tuple[auditkit.Need, ...]:
        return (auditkit.Need(options.judge, "predictions", "valid"),)

    def draw(
        self,
        cohort: auditkit.Cohort,
        inputs: Mapping[auditkit.Need, auditkit.Draw | auditkit.Predictions],
        rng: np.random.Generator,
    ) -> auditkit.Draw:
        (seen,) = inputs.values()
        times = 2 if (seen.margin > 0).mean() < seen.truth.mean() else 1
        return auditkit.Draw(np.repeat(cohort.rows, times))


@auditkit.hookimpl
def auditkit_samplers() -> list[auditkit.Component]:
    return [auditkit.component("kept-aside", KeptAside)]
