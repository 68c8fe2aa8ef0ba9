"""Names of attributes and levels, wherever an audit says them, against those the data set has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditkit.contracts import Condition, Level
from auditkit.engine.resolution import Chosen
from auditkit.errors import KeyPath, Problem
from auditkit.spec.marks import conditions, names
from auditkit.spec.model import EVERY, Audit, Evidence, Selector
from auditkit.spec.words import did_you_mean, listed

Levels = Mapping[str, tuple[Level, ...]]
_FEW = 12


@dataclass(frozen=True, slots=True)
class _Said:
    """A name the audit says, the levels it says of it, and where."""

    name: str
    path: KeyPath
    where: str
    levels: tuple[Level, ...] = ()
    at_key: bool = False
    only_levels: bool = False


def named_attributes(audit: Audit, placed: Mapping[KeyPath, Chosen]) -> tuple[str, ...]:
    """The attributes that an audit says by name anywhere, in the order of its sections, each once."""
    said = [*_in_audit(audit), *(one for path, chosen in placed.items() for one in _options(chosen, path))]
    return tuple(dict.fromkeys(one.name for one in said))


def check_names(
    audit: Audit, placed: Mapping[KeyPath, Chosen], levels: Levels, notes: Sequence[str] = ()
) -> list[Problem]:
    """Every name and level that the data set does not have. Levels known as () are not checked.

    `notes` are the open data set's; one that quotes an unknown name says why it is none, and becomes part of the hint.
    """
    dataset = placed.get(("data", "dataset"))
    name = dataset.component.id if dataset is not None else "the dataset"
    said = [*_in_audit(audit), *(one for path, chosen in placed.items() for one in _options(chosen, path))]
    found = (problem for one in said for problem in _problems(one, levels, name, notes))
    return list(dict.fromkeys(found))


def _problems(said: _Said, levels: Levels, dataset: str, notes: Sequence[str]) -> Iterator[Problem]:
    if said.name not in levels:
        if said.only_levels:
            return
        message = f"unknown attribute {said.name!r} in {said.where}"
        told = [note for note in notes if repr(said.name) in note]
        yield Problem(said.path, message, "; ".join(told) or _hint(said.name, levels, dataset), said.at_key)
        return
    known = levels[said.name]
    for level in said.levels if known else ():
        if level not in known:
            has = listed(known, "and") if len(known) <= _FEW else f"{len(known)} others"
            message = f"attribute {said.name!r} has no level {level!r} in {said.where}"
            yield Problem(said.path, message, f"it has {has}")


def _hint(name: str, levels: Levels, dataset: str) -> str:
    meant = did_you_mean(name, levels)
    if len(levels) <= _FEW:
        return meant
    command = "auditkit data check PATH" + ("" if dataset == "celeba" else f" --dataset {dataset}")
    return f"{meant} {dataset} has {len(levels)} attributes: {command} lists them".strip()


def _in_audit(audit: Audit) -> Iterator[_Said]:
    for index, task in enumerate(audit.task):
        yield _Said(task.target, ("task", index, "target"), f"task {task.label!r}")
        at: KeyPath = ("task", index, "positive")
        yield _Said(task.target, at, f"'positive' of task {task.label!r}", (task.positive,), only_levels=True)
    for split, pool in (("train", audit.data.train), ("valid", audit.data.valid), ("test", audit.data.test)):
        for index, cell in enumerate(pool.cells if pool is not None else ()):
            yield from _condition(cell.where, ("data", split, "cells", index, "where"), f"[data.{split}], 'cells'")
    yield from _in_evidence(audit.evidence)
    for index, published in enumerate(audit.published):
        if published.finding is not None:
            yield from _selector(published.finding, ("published", index, "finding"), f"published {index + 1}")
    for index, gate in enumerate(audit.gate):
        yield from _selector(gate.finding, ("gate", index, "finding"), f"gate {index + 1}")
    for name in audit.words:
        yield _Said(name, ("words", name), "[words]", at_key=True)


def _in_evidence(evidence: Evidence) -> Iterator[_Said]:
    for index, group in enumerate(evidence.groups):
        for place, name in enumerate(group):
            yield _Said(name, ("evidence", "groups", index, place), "'groups' of [evidence]")
    for index, name in enumerate(evidence.targets):
        if name != EVERY:
            yield _Said(name, ("evidence", "targets", index), "'targets' of [evidence]")


def _selector(finding: Selector, path: KeyPath, where: str) -> Iterator[_Said]:
    for index, name in enumerate(finding.over):
        yield _Said(name, (*path, "over", index), f"{where}, 'over'")
    if finding.at is not None:
        yield from _condition(finding.at, (*path, "at"), f"{where}, 'at'")


def _condition(condition: Condition, path: KeyPath, where: str) -> Iterator[_Said]:
    for name, levels in condition.levels.items():
        yield _Said(name, (*path, name), where, levels, at_key=True)


def _options(chosen: Chosen, path: KeyPath) -> Iterator[_Said]:
    component = f"{chosen.kind} {chosen.component.id!r}"
    for mark in names(chosen.readable, "attribute"):
        where = f"{component}, option {mark.path[0]!r}"
        yield _Said(mark.value, path + chosen.place(mark.path), where, at_key=mark.at_key)
    for mark in conditions(chosen.readable):
        yield from _condition(mark.value, path + chosen.place(mark.path), f"{component}, option {mark.path[0]!r}")
