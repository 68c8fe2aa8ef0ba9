"""From a resolved audit to units, each with a content digest. Pure: no clock, no path, no environment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from auditkit.contracts import Names, Need
from auditkit.engine.resolution import Chosen, ResolvedArm, ResolvedAudit
from auditkit.spec.model import Task
from auditkit.spec.shape import fields

SCHEMA = 2
"""Raise when the inputs below mean something else, or train other networks."""
_WITH = {"draw.sampler.": ("draw.needs",), "data.dataset.": ("data.fingerprint",)}
"""Inputs that come with a component: what a sampler needs, the content of a data set."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One (task, arm, seed). `inputs` is all that its predictions depend on; `digest` is its hash.

    `init` is as in `UnitWork`. `parents` are the digests of units that must be done before. `needs` maps what the
    sampler wants to the arm's position-paired unit. `predict` are the splits predicted beyond training; `probes` the
    keys of the other questions that its features are asked, which its predictions do not depend on. `only_probed`: the
    weights are kept for probes alone.
    """

    task: Task
    arm: ResolvedArm
    position: int
    seed: int
    digest: str
    init: str
    inputs: Mapping[str, Any] = field(repr=False)
    parents: tuple[str, ...] = ()
    predict: tuple[str, ...] = ("valid", "test")
    keep_weights: bool = False
    probes: tuple[str, ...] = ()

    only_probed: bool = False

    @property
    def label(self) -> str:
        """What a person calls the unit."""
        return f"{self.task.label} · {self.arm.name} · seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Units in an order in which every parent comes before its children."""

    units: tuple[Unit, ...]

    def unit(self, task: str, arm: str, position: int) -> Unit:
        """The unit of an arm whose seed stands at a position; an arm with a single seed serves every position."""
        found = [u for u in self.units if u.task.label == task and u.arm.name == arm]
        return found[min(position, len(found) - 1)]


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What the plan cannot read from the audit.

    The data's fingerprint, hashes of checkpoint files by name, keys of the probes by task.
    """

    fingerprint: str
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    probes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def make_plan(resolved: ResolvedAudit, ingredients: Ingredients) -> Plan:
    """Lay out the units of every task, arm and seed; arms come after the arms they start from or read."""
    planner = _Planner(resolved, ingredients)
    units = [
        planner.unit(task, arm, position)
        for task in resolved.audit.task
        for arm in in_order(resolved.arms)
        for position in range(len(arm.seeds))
    ]
    return Plan(tuple(_asked_by_children(units)))


def in_order(arms: tuple[ResolvedArm, ...]) -> Iterator[ResolvedArm]:
    """Yield arms so that those which others use come first, otherwise in the order of the file."""
    by_name = {arm.name: arm for arm in arms}
    seen: set[str] = set()

    def visit(arm: ResolvedArm) -> Iterator[ResolvedArm]:
        if arm.name in seen:
            return
        seen.add(arm.name)
        for name in (arm.init, *(need.arm for need in arm.needs)):
            if name in by_name:
                yield from visit(by_name[name])
        yield arm

    for arm in arms:
        yield from visit(arm)


def digest_of(inputs: Mapping[str, Any]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of canonical JSON."""
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def seed_at(arm: ResolvedArm, position: int) -> int:
    """Seeds are paired by position; an arm with a single seed serves every position."""
    return arm.seeds[own_position(arm, position)]


def own_position(arm: ResolvedArm, position: int) -> int:
    """The position at which an arm serves the unit of another that stands at `position`."""
    return min(position, len(arm.seeds) - 1)


class _Planner:
    def __init__(self, resolved: ResolvedAudit, ingredients: Ingredients) -> None:
        self.resolved = resolved
        self.ingredients = ingredients
        self.arms = {arm.name: arm for arm in resolved.arms}

    def unit(self, task: Task, arm: ResolvedArm, position: int) -> Unit:
        inputs, parents, init = self.inputs(task, arm, position)
        probes = self.ingredients.probes.get(task.label, ())
        seed = seed_at(arm, position)
        return Unit(task, arm, position, seed, digest_of(inputs), init, inputs, parents, probes=probes)

    def inputs(self, task: Task, arm: ResolvedArm, position: int) -> tuple[dict[str, Any], tuple[str, ...], str]:
        position = own_position(arm, position)
        parents: list[str] = []
        draw = self.draw(task, arm, position, parents)
        init, start = self.init(task, arm, position, parents)
        recipe = arm.recipe.model_dump(mode="json", by_alias=True, exclude={"seeds", "model", "objective", "init"})
        data = self.resolved.audit.data
        inputs = {
            "schema": SCHEMA,
            "task": {"target": task.target, "positive": task.positive},
            "data": {
                "dataset": self.resolved.dataset.record(),
                "fingerprint": self.ingredients.fingerprint,
                **data.model_dump(mode="json", by_alias=True, exclude={"dataset", "place"}),
            },
            "draw": draw,
            "init": init,
            "train": arm.train,
            "model": arm.model.record(),
            "objective": arm.objective.record(),
            "recipe": recipe,
            "seed": seed_at(arm, position),
        }
        return inputs, tuple(dict.fromkeys(parents)), start

    def draw(self, task: Task, arm: ResolvedArm, position: int, parents: list[str]) -> dict[str, Any]:
        """What an arm's draw depends on: the sampler without arm names, and what those arms stand for."""
        position = own_position(arm, position)
        needs = [self.need(task, need, position, parents) for need in arm.needs]
        return {
            "on": arm.on,
            "sampler": _without_arm_names(arm.sampler),
            "seed": seed_at(arm, position),
            "needs": needs,
        }

    def need(self, task: Task, need: Need, position: int, parents: list[str]) -> dict[str, Any]:
        other = self.arms[need.arm]
        if need.what == "draw":
            return {"what": "draw", "of": self.draw(task, other, position, parents)}
        parents.append(self.unit(task, other, position).digest)
        return {"what": "predictions", "split": need.split, "of": parents[-1]}

    def init(self, task: Task, arm: ResolvedArm, position: int, parents: list[str]) -> tuple[str, str]:
        """How the weights start, for the digest (by content) and for the worker (by place)."""
        if arm.init in self.arms:
            parents.append(self.unit(task, self.arms[arm.init], position).digest)
            return f"unit:{parents[-1]}", f"unit:{parents[-1]}"
        if arm.init.startswith("checkpoint:"):
            return f"checkpoint:{self.ingredients.checkpoints[arm.init.partition(':')[2]]}", arm.init
        return arm.init, arm.init


def _asked_by_children(units: list[Unit]) -> Iterator[Unit]:
    """Mark the units whose weights or training predictions another unit, or a later probe, wants."""
    starts = {unit.init.partition(":")[2] for unit in units if unit.init.startswith("unit:")}
    read = {
        (need["of"], need["split"])
        for unit in units
        for need in _needs_within(unit.inputs["draw"])
        if need["what"] == "predictions"
    }
    for unit in units:
        extra = tuple(sorted(split for digest, split in read if digest == unit.digest))
        predict = tuple(dict.fromkeys((*unit.predict, *extra)))
        keep = unit.digest in starts or bool(extra)
        only_probed = bool(unit.probes) and not keep
        yield replace(unit, predict=predict, keep_weights=keep or only_probed, only_probed=only_probed)


def _needs_within(draw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for need in draw["needs"]:
        yield need
        if need["what"] == "draw":
            yield from _needs_within(need["of"])


def _without_arm_names(sampler: Chosen) -> dict[str, Any]:
    """The sampler's record without options that are names of arms: what those arms stand for is told by the needs.

    Options that hold more than names, such as a share for every arm, stay with the names in them.
    """
    record = sampler.record()
    for key, info in fields(type(sampler.options)).items():
        if _names_arms(info.annotation, info.metadata):
            del record["options"][key]
    return record


def _names_arms(annotation: Any, metadata: Iterable[Any] = ()) -> bool:
    """Whether a type has names of arms and nothing else, as ``Annotated[str, Names("arm")] | None`` does."""
    if any(isinstance(mark, Names) and mark.what == "arm" for mark in metadata):
        return True
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        return _names_arms(inner[0], inner[1:])
    parts = [part for part in inner if part not in (type(None), Ellipsis)]
    return kind in (Union, UnionType, tuple, list) and all(map(_names_arms, parts))


def reasons(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """What changed between two inputs: "recipe.optimizer.lr was 0.01"; of another component only which it was."""
    before, after = dict(_flat(old)), dict(_flat(new))
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    others = {key.removesuffix("use"): before[key] for key in changed if key.endswith(".use") and key in before}
    said = (_other(prefix, was) for prefix, was in others.items())
    rest = [key for key in changed if not any(_comes_with(key, prefix) for prefix in others)]
    return (*said, *(_reason(key, before) for key in rest))


def _other(prefix: str, was: str) -> str:
    """Of "draw.sampler.": "the sampler was oversample"."""
    return f"the {prefix.rstrip('.').rpartition('.')[2]} was {json.loads(was)}"


def _comes_with(key: str, prefix: str) -> bool:
    """Whether a key is another because the component at a prefix is another one."""
    return key.startswith((prefix, *_WITH.get(prefix, ())))


def _reason(key: str, before: Mapping[str, str]) -> str:
    if key == "schema":
        return "an earlier auditkit trained it in another way"
    if key == "data.fingerprint":
        return "the data has changed"
    if key in before and before[key].startswith(('"unit:', '"checkpoint:')):
        return f"{key} was {json.loads(before[key]).partition(':')[0]} with other content"
    return f"{key} was {before[key]}" if key in before else f"{key} is new"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(inner, Mapping) for inner in value):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{index}]")
    else:
        yield path, json.dumps(value)
