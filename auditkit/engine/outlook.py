"""What a plan looks like from here: what is done, what is stale and because of what, how long the rest takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from auditkit.engine.drawing import Drawing
from auditkit.engine.foresight import foreseen
from auditkit.engine.pace import Pace, answered, pace, visits
from auditkit.engine.plan import Unit, reasons
from auditkit.engine.prepare import Prepared
from auditkit.engine.schedule import index_key, lacking
from auditkit.evidence.foreseen import Foreseen
from auditkit.spec.model import Published
from auditkit.spec.sentences import gate_sentence, published_sentence

NOT_YET = "not judged yet"


@dataclass(frozen=True, slots=True)
class Row:
    """One unit; rows and visits are None while the draw waits for another unit's predictions.

    state: "done", "to run", "stale", or "broken" where its sampler cannot draw; `because` says why of the last two.
    `started` says that a checkpoint of it is there, from which it continues.
    """

    arm: str
    task: str
    seed: int
    digest: str
    starts_from: str
    rows: int | None
    visits: int | None
    state: str
    because: tuple[str, ...] = ()
    started: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A gate, or a published figure, and how far it is judged."""

    sentence: str
    judged: str
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """Rows for every unit, and an estimate for what is left.

    `claims` tell of gates and figures that are still to be judged: none where all is done.
    """

    rows: tuple[Row, ...]
    pace: Pace
    claims: tuple[Claim, ...]
    foreseen: Foreseen

    def count(self, state: str) -> int:
        """Number of units in a state."""
        return sum(row.state == state for row in self.rows)

    @property
    def started(self) -> int:
        """Number of units that continue from a checkpoint; each digest once."""
        return len({row.digest for row in self.rows if row.started})

    @property
    def visits_to_run(self) -> int:
        """Training visits of all units that are not done; each digest once."""
        left = {row.digest: row.visits or 0 for row in self.rows if row.state != "done"}
        return sum(left.values())

    @property
    def minutes(self) -> float:
        """Estimated minutes for what is left, the report included."""
        return self.pace.seconds / 60

    @property
    def time(self) -> str:
        """The same in words."""
        if self.minutes < 1:
            return "under a minute"
        return f"about {self.minutes:.0f} min" if self.minutes < 120 else f"about {self.minutes / 60:.1f} h"

    def to_json(self) -> str:
        """The same as JSON."""
        speed = self.pace.images_per_second
        summary = {"visits": self.visits_to_run, "minutes": self.minutes, "images_per_second": speed}
        units = [asdict(row) for row in self.rows]
        return json.dumps({"units": units, **summary, **_foreseen_as_json(self.foreseen)}, indent=1)


def _foreseen_as_json(found: Foreseen) -> dict[str, Any]:
    return {
        "lacking_support": [asdict(one) | {"at": dict(one.at)} for one in found.lacking],
        "undecidable_gates": [asdict(one) for one in found.undecidable],
        "arms_with_one_seed": list(found.one_seed),
        "identical_arms": [list(names) for names in found.identical],
        "idle_placebos": list(found.idle_placebos),
    }


def outlook(prepared: Prepared, *, foreseeing: bool = False) -> Outlook:
    """Look at every unit of a plan; `foreseeing` also at what its evidence will lack, which takes the test sets."""
    drawing, index = Drawing(prepared), prepared.store.index()
    rows = tuple(_row(prepared, unit, drawing, index) for unit in prepared.plan.units)
    left = (unit for unit, row in zip(prepared.plan.units, rows, strict=True) if row.state != "done")
    lacking = foreseen(prepared, drawing) if foreseeing else Foreseen()
    judged = all(row.state == "done" for row in rows)
    return Outlook(rows, pace(prepared, drawing, left), () if judged else tuple(_claims(prepared)), lacking)


def _claims(prepared: Prepared) -> Iterator[Claim]:
    """What is judged once the units are done, and what is not."""
    audit = prepared.read.resolved.audit
    reference = audit.evidence.reference
    gates = "not judged on stand-in data" if prepared.read.stand_in else NOT_YET
    for gate in audit.gate:
        yield Claim(": ".join(filter(None, (gate.name, gate_sentence(gate, reference)))), gates, gate=True)
    for figure in audit.published:
        judged = "not judged on synthetic data" if prepared.dataset.synthetic else _judged(figure)
        yield Claim(published_sentence(figure, reference), judged)


def _judged(figure: Published) -> str:
    if figure.finding is None:
        return "not judged, since no finding answers to it"
    return NOT_YET if figure.protocol == "same" else "not judged, since its protocol is another"


def _row(prepared: Prepared, unit: Unit, drawing: Drawing, index: dict[str, Any]) -> Row:
    known = drawing.known(unit)
    why = drawing.broken(unit) if known else ""
    count = len(drawing.of(unit).train) if known and not why else None
    state, because = ("broken", (why,)) if why else _state(prepared, unit, index)
    return Row(
        unit.arm.name,
        unit.task.label,
        unit.seed,
        unit.digest,
        _start(unit),
        count,
        None if count is None else _visits(prepared, unit, count),
        state,
        because,
        state != "done" and prepared.store.started(unit.digest),
    )


def _state(prepared: Prepared, unit: Unit, index: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    if prepared.store.has(unit.digest):
        missing = lacking(prepared, unit)
        return ("to run", missing) if missing else ("done", ())
    last = index.get(index_key(prepared, unit))
    if last is None or last["digest"] == unit.digest:
        return "to run", ()
    return "stale", reasons(last["inputs"], unit.inputs)


def _start(unit: Unit) -> str:
    if not unit.init.startswith("unit:"):
        return unit.init
    return f"{unit.arm.init}/{unit.init.partition(':')[2][:6]}"


def _visits(prepared: Prepared, unit: Unit, rows: int) -> int:
    """What the unit visits in training; nothing where stored weights answer all that is missing."""
    return 0 if answered(prepared, unit) else visits(unit.arm.recipe, rows)
