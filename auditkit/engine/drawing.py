"""The draws of a plan's units, each made once, in the parent process, from stateless keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from auditkit.cohort import Draw
from auditkit.contracts import Need, Sampler
from auditkit.engine.draws import UnitDraws, arm_draws
from auditkit.engine.plan import Unit, digest_of
from auditkit.engine.prepare import Prepared
from auditkit.errors import ImpossibleRequest, Problem, RunFailed
from auditkit.predictions import Predictions
from auditkit.spec import reader


class Drawing:
    """Answers what each unit trains on, validates on and is tested on."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._made: dict[str, UnitDraws] = {}

    def known(self, unit: Unit) -> bool:
        """Whether the draw can be made now: predictions it reads are stored."""
        return next(self.unmet(unit), None) is None

    def unmet(self, unit: Unit) -> Iterator[Need]:
        """Predictions that are not stored, and that the draw reads, or the draw of an arm which it follows."""
        for need, other in self._needs(unit):
            if need.what == "draw":
                yield from self.unmet(other)
            elif need.split not in self.prepared.store.predicted(other.digest):
                yield need

    def broken(self, unit: Unit) -> str:
        """Why the draw of a unit, which could be made, is not: its sampler broke its contract. "" where it is."""
        try:
            self.of(unit)
        except RunFailed as error:
            return str(error)
        return ""

    def of(self, unit: Unit) -> UnitDraws:
        """The draws of a unit.

        Raises InvalidAudit, with the place in the file, for an impossible request, and RunFailed for a broken sampler.
        """
        key = digest_of(unit.inputs["draw"])
        if key not in self._made:
            try:
                self._made[key] = self._draw(unit)
            except ImpossibleRequest as error:
                raise reader.invalid([self._placed(unit, error)], self.prepared.read.source) from error
        return self._made[key]

    def _draw(self, unit: Unit) -> UnitDraws:
        read, resolved = self.prepared.read, self.prepared.read.resolved
        sampler = cast(Sampler, read.registry.build(unit.arm.sampler))
        inputs: Mapping[Need, Draw | Predictions] = {need: self._input(need, o) for need, o in self._needs(unit)}
        data = resolved.audit.data
        return arm_draws(unit.arm, data, self.prepared.pools, self.prepared.dataset, sampler, unit.seed, inputs)

    def _input(self, need: Need, other: Unit) -> Draw | Predictions:
        if need.what == "draw":
            return self.of(other).sampled
        return self.prepared.store.predictions(other.digest).on(need.split)

    def _needs(self, unit: Unit) -> list[tuple[Need, Unit]]:
        plan = self.prepared.plan
        return [(need, plan.unit(unit.task.label, need.arm, unit.position)) for need in unit.arm.needs]

    def _placed(self, unit: Unit, error: ImpossibleRequest) -> Problem:
        names = [arm.name for arm in self.prepared.read.resolved.audit.arm]
        return replace(error.problem, path=("arm", names.index(unit.arm.name), *error.problem.path))
