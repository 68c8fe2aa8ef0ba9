"""What every network of an audit says of single images: stored predictions, else a look with the stored weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp

import numpy as np

from auditkit.cohort import SPLITS
from auditkit.contracts import Level
from auditkit.engine.cache import ensure_images
from auditkit.engine.drawing import Drawing
from auditkit.engine.executors import Executor
from auditkit.engine.names import named_attributes
from auditkit.engine.plan import Unit
from auditkit.engine.prepare import Prepared
from auditkit.engine.resolve import placed_components
from auditkit.engine.work import ComponentRef, LookWork
from auditkit.errors import AuditError, DataError
from auditkit.events import Send
from auditkit.spec.model import Task
from auditkit.spec.words import did_you_mean, plural

LOOK = "auditkit.engine.worker:look"
Chance = tuple[float | None, str]
"""Probability and source, as in `Answer`."""
Chances = Mapping[tuple[str, int], Chance]
"""By digest and row."""
_SEARCHED = 20_000
"""A misspelt name is compared with so many names at most; with more it would take seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network of one seed says. `probability` of the positive level is None where there is none to be had.

    `source` is the split it was predicted on in the run, "weights", or why there is nothing. `trained_on` are the
    originals and augmented copies of the image in the unit's training draw; None while that draw cannot be made.
    """

    seed: int
    probability: float | None
    source: str
    trained_on: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class ArmAnswers:
    """What an arm says of an image, seed by seed."""

    task: str
    arm: str
    answers: tuple[Answer, ...]

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Those that are known."""
        return tuple(one.probability for one in self.answers if one.probability is not None)

    @property
    def mean(self) -> float | None:
        """The mean probability over seeds."""
        known = self.probabilities
        return sum(known) / len(known) if known else None

    def wrong(self, truth: bool | None) -> int | None:
        """How many seeds are wrong; None where the truth or every prediction is unknown."""
        if truth is None or not self.probabilities:
            return None
        return sum((chance > 0.5) != truth for chance in self.probabilities)


@dataclass(frozen=True, slots=True)
class Shown:
    """An image, what the annotations say of it, and what every arm says.

    `split` is the pool it lies in, "" where the audit does not use it, "resampled" where arms split after resampling.
    `truth` maps tasks to whether the image has the
    positive level, None where unknown; `attributes` are those the audit names, without those that are missing.
    """

    file_name: str
    row: int
    split: str
    attributes: tuple[tuple[str, Level], ...]
    truth: Mapping[str, bool | None]
    arms: tuple[ArmAnswers, ...] = field(default=())


def find(prepared: Prepared, names: Iterable[str]) -> list[int]:
    """Rows of images by file name. Raises DataError for a name that the data set does not have."""
    known = {name: row for row, name in enumerate(prepared.dataset.file_names)}
    return [known[name] if name in known else _unknown(name, prepared) for name in names]


def _unknown(name: str, prepared: Prepared) -> int:
    files = prepared.dataset.file_names
    same = [file for file in files if _bare(file) == _bare(name)]
    hint = f"did you mean {same[0]!r}?" if same else ""
    if not hint and len(files) <= _SEARCHED:
        hint = did_you_mean(name, files)
    span = f"it has {plural(len(files), 'image')}, {files[0]} to {files[-1]}"
    raise DataError(f"no image {name!r} in the data set", where="--image", hint=f"{hint} {span}".strip())


def _bare(name: str) -> str:
    """The name of a file without folder, leading zeros and suffix: "123" of "img/000123.jpg"."""
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0].lstrip("0").lower()


def show(prepared: Prepared, rows: Sequence[int], executor: Executor, send: Send) -> tuple[Shown, ...]:
    """What every unit says of some images; predicts, in the executor, what is not stored.

    Raises AuditError when there is no prediction of any of them.
    """
    chances: dict[tuple[str, int], Chance] = {}
    wanted: dict[str, list[int]] = {}
    units = {unit.digest: unit for unit in prepared.plan.units}
    for unit in units.values():
        stored = _stored(prepared, unit, rows)
        absent = "weights not kept" if prepared.store.has(unit.digest) else "not trained"
        chances |= {(unit.digest, row): stored.get(row, (None, absent)) for row in rows}
        missing = [row for row in rows if row not in stored]
        if missing and prepared.store.has_weights(unit.digest):
            wanted[unit.digest] = missing
    chances |= _looked(prepared, [(units[digest], missing) for digest, missing in wanted.items()], executor, send)
    if all(chance is None for chance, _ in chances.values()):
        raise _nothing(prepared, rows)
    drawing = Drawing(prepared)
    return tuple(_shown(prepared, row, chances, drawing) for row in rows)


def _stored(prepared: Prepared, unit: Unit, rows: Sequence[int]) -> dict[int, tuple[float, str]]:
    """Probability and split of the images, not of their copies, that were predicted in the run."""
    if not prepared.store.has(unit.digest):
        return {}
    found = prepared.store.predictions(unit.digest)
    at = np.flatnonzero(np.isin(found.row, rows) & (found.copy == 0))
    by_split = at[np.argsort(found.split[at], kind="stable")]  # of several, that on test comes last and stays
    return {int(found.row[i]): (_chance(float(found.margin[i])), SPLITS[found.split[i]]) for i in by_split}


def _chance(margin: float) -> float:
    """The probability of the positive level, from its logit."""
    return 1 / (1 + exp(-margin)) if margin >= 0 else exp(margin) / (1 + exp(margin))


def _looked(
    prepared: Prepared, wanted: list[tuple[Unit, list[int]]], executor: Executor, send: Send
) -> dict[tuple[str, int], Chance]:
    """Predictions made now, with stored weights."""
    if not wanted:
        return {}
    rows = np.unique(np.concatenate([missing for _, missing in wanted])).astype(np.int64)
    images = ensure_images(prepared.dataset, rows, prepared.read.resolved.audit.data.image, executor, send)
    settings = prepared.read.settings
    futures = []
    for unit, missing in wanted:
        model = ComponentRef.of(unit.arm.model)
        asked = np.array(missing, dtype=np.int64)
        work = LookWork(unit.digest, unit.label, model, images, asked, str(prepared.store.root), settings.device)
        futures.append((unit, missing, executor.submit(LOOK, work)))
    return {
        (unit.digest, row): (_chance(margin), "weights")
        for unit, missing, future in futures
        for row, margin in zip(missing, future.result(), strict=True)
    }


def _nothing(prepared: Prepared, rows: Sequence[int]) -> AuditError:
    if len(prepared.missing()) == len(prepared.plan.units):
        return prepared.not_trained()
    names = ", ".join(prepared.dataset.file_names[row] for row in rows)
    message = f"{names}: not among the images that were predicted, and no weights were kept to predict it now"
    hint = f"keep them, which trains the units again: {prepared.read.settings.command('--keep-weights')}"
    return AuditError(message, where=str(prepared.store.root), hint=hint)


# ----------------------------------------------------------------------------------------------------------- images


def _shown(prepared: Prepared, row: int, chances: Chances, drawing: Drawing) -> Shown:
    audit, table = prepared.read.resolved.audit, prepared.dataset.attributes
    named = named_attributes(audit, placed_components(prepared.read.resolved))
    known = [(name, int(table.column(name)[row])) for name in named]
    return Shown(
        file_name=prepared.dataset.file_names[row],
        row=row,
        split=_split(prepared, row),
        attributes=tuple((name, table.levels_of(name)[code]) for name, code in known if code >= 0),
        truth={task.label: _truth(prepared, task, row) for task in audit.task},
        arms=tuple(_arms(prepared, row, chances, drawing)),
    )


def _split(prepared: Prepared, row: int) -> str:
    if prepared.read.resolved.audit.data.split_after_resampling is not None and row in prepared.pools.train:
        return "resampled"
    pools = {"train": prepared.pools.train, "valid": prepared.pools.valid, "test": prepared.pools.test}
    return next((name for name, rows in pools.items() if row in rows), "")


def _truth(prepared: Prepared, task: Task, row: int) -> bool | None:
    code = int(prepared.dataset.attributes.truth(task.target, task.positive)[row])
    return None if code < 0 else bool(code)


def _arms(prepared: Prepared, row: int, chances: Chances, drawing: Drawing) -> Iterator[ArmAnswers]:
    """Answers by task and arm, arms in the order of the audit."""
    order = [arm.name for arm in prepared.read.resolved.audit.arm]
    units = sorted(prepared.plan.units, key=lambda unit: order.index(unit.arm.name))
    for task in prepared.read.resolved.audit.task:
        for arm in order:
            mine = [unit for unit in units if (unit.task.label, unit.arm.name) == (task.label, arm)]
            yield ArmAnswers(task.label, arm, tuple(_answer(u, row, chances[u.digest, row], drawing) for u in mine))


def _answer(unit: Unit, row: int, chance: Chance, drawing: Drawing) -> Answer:
    probability, source = chance
    return Answer(unit.seed, probability, source, _trained_on(unit, row, drawing))


def _trained_on(unit: Unit, row: int, drawing: Drawing) -> tuple[int, int] | None:
    if not drawing.known(unit):
        return None
    train = drawing.of(unit).train
    copies = train.copy[train.rows == row]
    return int((copies == 0).sum()), int((copies > 0).sum())
