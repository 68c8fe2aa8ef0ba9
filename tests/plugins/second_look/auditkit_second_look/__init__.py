"""A sampler that is not simple: it trains on what another arm got wrong, one extra time per wrong neighbour arm."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field

import auditkit


class SecondLook(auditkit.Sampler):
    """Repeat the rows that another arm gets wrong on the training split."""

    class Options(auditkit.Options):
        first: auditkit.ArmName = Field(description="the arm whose errors are looked at again")
        times: int = Field(default=2, ge=1, description="extra rows for each error")

    @classmethod
    def needs(cls, options: Options) -> tuple[auditkit.Need, ...]:
        return (auditkit.Need(options.first, "predictions", "train"),)

    def draw(
        self,
        cohort: auditkit.Cohort,
        inputs: Mapping[auditkit.Need, auditkit.Draw | auditkit.Predictions],
        rng: np.random.Generator,
    ) -> auditkit.Draw:
        seen = inputs[self.needs(self.options)[0]]
        wrong = seen.row[(seen.margin > 0) != (seen.truth == 1)]
        again = cohort.rows[np.isin(cohort.rows, wrong)]
        return auditkit.Draw(np.concatenate([cohort.rows, np.repeat(again, self.options.times)]))


@auditkit.hookimpl
def auditkit_samplers() -> list[auditkit.Component]:
    return [auditkit.component("second-look", SecondLook)]
