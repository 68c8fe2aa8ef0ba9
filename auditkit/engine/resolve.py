"""From a typed audit to one whose components are chosen and whose arms have every default filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from auditkit.contracts import Kind, Need
from auditkit.engine.components import choose
from auditkit.engine.discovery import Shelf
from auditkit.engine.fitting import unfit, unlike
from auditkit.engine.resolution import Chosen, ResolvedArm, ResolvedAudit
from auditkit.errors import AuditError, KeyPath, Problem
from auditkit.spec.checks import arm_recipe, find_circle, has_valid, make_valid, start_of
from auditkit.spec.marks import names
from auditkit.spec.model import Arm, Audit, Recipe, Use
from auditkit.spec.repair import frozen
from auditkit.spec.scale import scaled
from auditkit.spec.words import did_you_mean

LoadClass = Callable[[Chosen], type[Any]]


@dataclass(slots=True)
class _Resolving:
    shelf: Shelf
    load_class: LoadClass
    audit: Audit
    scale: float
    problems: dict[Problem, None] = field(default_factory=dict)
    placed: dict[KeyPath, Chosen] = field(default_factory=dict)

    def choose(self, kind: Kind, use: Use, path: KeyPath) -> Chosen | None:
        chosen, found = choose(self.shelf, kind, use, path, self.scale)
        self.problems.update(dict.fromkeys(found))
        if chosen is not None:
            self.placed[path] = chosen
        return chosen


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of an audit: the components found, by the path of their tables, and all problems."""

    audit: Audit
    resolved: ResolvedAudit | None
    placed: Mapping[KeyPath, Chosen]
    problems: tuple[Problem, ...]


def resolve(shelf: Shelf, load_class: LoadClass, audit: Audit, scale: float = 1.0) -> Resolution:
    """The resolved audit, or everything that is wrong with its components."""
    work = _Resolving(shelf, load_class, scaled(audit, scale), scale)
    dataset = work.choose("dataset", work.audit.data.dataset, ("data", "dataset"))
    metrics = [
        work.choose("metric", use, ("evidence", "metrics", index))
        for index, use in enumerate(work.audit.evidence.metrics)
    ]
    arms = [_arm(work, index, arm) for index, arm in enumerate(work.audit.arm)]
    found = tuple(arm for arm in arms if arm is not None)
    work.problems.update(
        dict.fromkeys([*_circles(found), *_too_few_seeds(work.audit, found), *unlike(work.audit, found)])
    )
    chosen = tuple(metric for metric in metrics if metric is not None)
    resolved = None
    if dataset is not None and not work.problems:
        resolved = ResolvedAudit(work.audit, dataset, found, chosen)
    return Resolution(work.audit, resolved, work.placed, tuple(work.problems))


def placed_components(resolved: ResolvedAudit) -> dict[KeyPath, Chosen]:
    """The components of a resolved audit by the path of their tables."""
    placed: dict[KeyPath, Chosen] = {("data", "dataset"): resolved.dataset}
    for index, metric in enumerate(resolved.metrics):
        placed["evidence", "metrics", index] = metric
    for index, arm in enumerate(resolved.arms):
        paths = _component_paths(resolved.audit, index)
        placed |= {paths[chosen.kind]: chosen for chosen in (arm.sampler, arm.objective, arm.model)}
    return placed


def _component_paths(audit: Audit, index: int) -> dict[Kind, KeyPath]:
    """Where the components of an arm stand in the file."""
    arm = audit.arm[index]
    at: KeyPath = ("arm", index)
    objective: KeyPath = ("recipe", "objective")
    if arm.objective is not None:
        objective = (*at, "objective")
    elif "objective" in arm.recipe:
        objective = (*at, "recipe", "objective")
    model: KeyPath = (*at, "recipe", "model") if "model" in arm.recipe else ("recipe", "model")
    return {"sampler": (*at, "sampler"), "objective": objective, "model": model}


def _arm(work: _Resolving, index: int, arm: Arm) -> ResolvedArm | None:
    recipe = _recipe(work.audit, arm)
    paths = _component_paths(work.audit, index)
    sampler = work.choose("sampler", arm.sampler, paths["sampler"])
    objective = work.choose("objective", arm.objective or recipe.objective, paths["objective"])
    model = work.choose("model", recipe.model, paths["model"])
    named = [one for one in (sampler, objective, model) if one is not None]
    found = [problem for chosen in named for problem in _arm_names(work.audit, arm, chosen, paths[chosen.kind])]
    needs, more = _needs(work, arm, sampler, paths["sampler"]) if sampler is not None and sampler.usable else ((), [])
    more += [] if model is None else unfit(work.audit, index, model, paths["model"])
    work.problems.update(dict.fromkeys([*more, *found]))
    if sampler is None or objective is None or model is None:
        return None
    return ResolvedArm(
        name=arm.name,
        init=start_of(work.audit, arm),
        train=arm.train,
        on=arm.on,
        sampler=sampler,
        objective=objective,
        model=model,
        recipe=recipe,
        seeds=arm.seeds or recipe.seeds,
        needs=needs,
    )


def _recipe(audit: Audit, arm: Arm) -> Recipe:
    """The audit's recipe with the arm's over it; the audit's alone where the reader has refused the arm's."""
    try:
        return Recipe.model_validate(frozen(arm_recipe(audit, arm)))
    except ValidationError:
        return audit.recipe


def _needs(work: _Resolving, arm: Arm, sampler: Chosen, path: KeyPath) -> tuple[tuple[Need, ...], list[Problem]]:
    name = f"sampler {sampler.component.id!r}"
    try:
        needs = tuple(work.load_class(sampler).needs(sampler.options))
    except AuditError as error:
        return (), [Problem((*path, "use"), error.message, error.hint)]
    except Exception as error:
        said = f"{name} of {sampler.distribution} cannot say what it needs: {type(error).__name__}: {error}"
        return (), [Problem((*path, "use"), said)]
    known = [other.name for other in work.audit.arm]
    marked = {mark.value for mark in names(sampler.options, "arm")}
    unknown = [need.arm for need in needs if need.arm not in known and need.arm not in marked]
    said = f"{name} of arm {arm.name!r} needs"
    found = [
        Problem(path, f"{said} arm {other!r}, which does not exist", did_you_mean(other, known), refers_to=("arm",))
        for other in unknown
    ]
    return needs, [*found, *_never_predicted(work.audit, needs, said, path)]


def _never_predicted(audit: Audit, needs: tuple[Need, ...], said: str, path: KeyPath) -> Iterator[Problem]:
    """Needs for predictions on valid where there will be none."""
    trained_on = {arm.name: arm.on for arm in audit.arm}
    for need in needs:
        if need.what == "predictions" and need.split == "valid" and need.arm in trained_on:
            said_of = f"{said} the predictions of arm {need.arm!r} on valid, but"
            if not has_valid(audit.data):
                yield Problem(path, f"{said_of} there is no valid split", make_valid(audit.data))
            elif trained_on[need.arm] == "valid":
                yield Problem(path, f"{said_of} that arm trains on it", "name an arm that trains on train")


def _arm_names(audit: Audit, arm: Arm, chosen: Chosen, path: KeyPath) -> Iterator[Problem]:
    known = [other.name for other in audit.arm]
    for mark in names(chosen.readable, "arm"):
        at = path + chosen.place(mark.path)
        where = f"{chosen.kind} {chosen.component.id!r}, option {mark.path[0]!r}"
        if mark.value not in known:
            said = f"unknown arm {mark.value!r} in {where}"
            hint = did_you_mean(mark.value, known)
            yield Problem(at, said, hint, mark.at_key, refers_to=("arm",))
        elif mark.value == arm.name:
            yield Problem(at, f"arm {arm.name!r} names itself in {where}", at_key=mark.at_key)


def _too_few_seeds(audit: Audit, arms: tuple[ResolvedArm, ...]) -> Iterator[Problem]:
    """Arms some of whose seeds would share one of another arm, so that they would not be as many trainings."""
    by_name = {arm.name: arm for arm in arms}
    index = {arm.name: number for number, arm in enumerate(audit.arm)}
    for arm in arms:
        for name in dict.fromkeys((arm.init, *(need.arm for need in arm.needs))):
            mine, theirs = len(arm.seeds), len(by_name[name].seeds) if name in by_name else 0
            if 1 < theirs < mine:
                uses = "starts from" if name == arm.init else "reads"
                said = f"arm {arm.name!r} has {mine} seeds and {uses} arm {name!r}, which has {theirs}"
                at = [arm.name, name]
                path = next((("arm", index[one], "seeds") for one in at if audit.arm[index[one]].seeds), None)
                hint = (
                    "seeds are paired in order: give both as many, or the arm that is used one, which serves them all"
                )
                yield Problem(path or ("recipe", "seeds"), said, hint)


def _circles(arms: tuple[ResolvedArm, ...]) -> list[Problem]:
    """Circles that needs have a part in; those of starts alone are the reader's to tell."""
    known = {arm.name for arm in arms}
    starts = {arm.name: {arm.init} & known for arm in arms}
    edges = {arm.name: starts[arm.name] | {need.arm for need in arm.needs if need.arm != arm.name} for arm in arms}
    circle = () if find_circle(starts) else find_circle(edges)
    if not circle:
        return []
    index = next(i for i, arm in enumerate(arms) if arm.name in circle and arm.needs)
    return [Problem(("arm", index, "sampler"), f"arms wait for each other in a circle: {' -> '.join(circle)}")]
