"""An objective that is not simple: strata, state that is kept with the checkpoint, and torch kept out of this page."""

from pydantic import Field

import auditkit


class WorstCaseOptions(auditkit.Options):
    strata: tuple[auditkit.AttributeName, ...] = Field(min_length=1, description="attributes that make the groups")
    step: float = Field(default=0.01, gt=0, description="how fast a group's weight grows with its loss")


@auditkit.hookimpl
def auditkit_objectives() -> list[auditkit.Component]:
    factory = "auditkit_worst_case.objective:WorstCase"
    summary = "the loss of the worst group, by weights that grow with a group's loss (Sagawa et al., ICLR 2020)"
    return [auditkit.component("worst-case", factory, options=WorstCaseOptions, summary=summary)]
