"""What an audit will not be able to tell, known before anything is trained: groups too small, and gates on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from auditkit.engine.prepare import Prepared
from auditkit.evidence.panel import Panel
from auditkit.evidence.support import Lack, lacks
from auditkit.spec.model import Gate, Selector, Task


@dataclass(frozen=True, slots=True)
class Foresight:
    """Groups of the test set that are too small, and gates, by their place in the file, that need one of them."""

    lacks: tuple[Lack, ...]
    gates: tuple[tuple[int, Lack], ...]


def foresee(prepared: Prepared) -> Foresight:
    """Nothing where the test set is made of each arm's draw, after resampling: its people are not known yet."""
    audit = prepared.read.resolved.audit
    if not len(prepared.pools.test):
        return Foresight((), ())
    metrics = prepared.metrics()
    found = [lack for task in audit.task for lack in lacks(_tested(prepared, task), metrics, audit.evidence)]
    return Foresight(tuple(found), tuple(_undecidable(audit.gate, found)))


def _tested(prepared: Prepared, task: Task) -> Panel:
    """The test set of a task, which nobody has predicted yet."""
    rows, table, identities = prepared.pools.test, prepared.dataset.attributes, prepared.dataset.identities
    truth = table.truth(task.target, task.positive)[rows]
    rows, truth = rows[truth >= 0], truth[truth >= 0]
    named = {name for over in prepared.read.resolved.audit.evidence.groups for name in over}
    return Panel(
        task=task.label,
        target=task.target,
        test="plain",
        row=rows,
        copy=np.zeros(len(rows), dtype=np.int64),
        identity=rows if identities is None else identities[rows],
        truth=truth,
        attributes={name: table.column(name)[rows] for name in named},
        levels={name: table.levels_of(name) for name in named},
        arms=(),
        identities_known=identities is not None,
    )


def _undecidable(gates: Sequence[Gate], found: Sequence[Lack]) -> Iterator[tuple[int, Lack]]:
    for number, gate in enumerate(gates):
        needed = (lack for lack in found if _needs(gate.finding, lack))
        if lack := next(needed, None):
            yield number, lack


def _needs(selector: Selector, lack: Lack) -> bool:
    """Whether the finding that a gate names is made of that group."""
    at = {} if selector.at is None else {name: levels[0] for name, levels in selector.at.levels.items()}
    same = selector.task == lack.task and set(selector.over) == set(lack.over) and selector.metric in lack.metrics
    return same and selector.test == "plain" and at.items() <= dict(lack.at).items()
