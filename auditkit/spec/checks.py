"""What must hold between the parts of an audit: names that refer to arms and tasks, rules of pools and recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.faults import faults
from auditkit.spec.merge import merged
from auditkit.spec.messages import audit_problem
from auditkit.spec.model import Arm, Audit, Budget, Data, Evidence, Pool, Recipe
from auditkit.spec.paths import elements, label
from auditkit.spec.repair import frozen
from auditkit.spec.selectors import check_published_and_gates
from auditkit.spec.words import did_you_mean, listed

STARTS = ("imagenet", "none")
CHECKPOINT = "checkpoint:"


def check(audit: Audit, values: Mapping[str, Any]) -> list[Problem]:
    """Everything that the types alone do not say; `values` are the raw values, mistaken ones included."""
    arms = [label(arm) for arm in elements(values, "arm")]
    checks: tuple[Iterator[Problem], ...] = (
        _names(audit),
        _words(audit),
        _pools(audit),
        _budget(audit.recipe.budget, ("recipe", "budget"), "[recipe.budget]"),
        _recipes(audit),
        _starts(audit, arms),
        _circles(audit),
        _valid_split(audit),
        _seeds(audit),
        _evidence(audit, arms),
        _stand_in(audit),
        check_published_and_gates(audit, values, arms),
    )
    return [problem for found in checks for problem in found]


def _names(audit: Audit) -> Iterator[Problem]:
    yield from _repeated([arm.name for arm in audit.arm], lambda index: ("arm", index, "name"), "arm")
    places: list[KeyPath] = [("task", i, "name" if task.name else "target") for i, task in enumerate(audit.task)]
    yield from _repeated([task.label for task in audit.task], places.__getitem__, "task")
    for index, arm in enumerate(audit.arm):
        if arm.name in STARTS:
            said = f"an arm cannot be called {arm.name!r}: 'init' has that word already"
            yield Problem(("arm", index, "name"), said, refers_to=("recipe", "init"))


def _words(audit: Audit) -> Iterator[Problem]:
    yield from _labels(audit.arm)
    for attribute, words in audit.words.items():
        for level, word in words.items():
            first = next(other for other, known in words.items() if known == word)
            if first != level:
                said = f"levels {first} and {level} of {attribute!r} are both called {word!r}"
                yield Problem(("words", attribute, level), said, "reports tell groups apart by their words")


def _labels(arms: Sequence[Arm]) -> Iterator[Problem]:
    """Labels that belong to two arms; that a name is there twice is told as such."""
    shown = [arm.label or arm.name for arm in arms]
    for index, arm in enumerate(arms):
        first = shown.index(shown[index])
        if arm.name not in [other.name for other in arms[:index]] and first < index:
            said = f"arm {arm.name!r} is labelled {shown[index]!r}, as is arm {arms[first].name!r}"
            path: KeyPath = ("arm", index, "label" if arm.label else "name")
            yield Problem(path, said, "reports tell arms apart by their labels")


def _repeated(names: Sequence[str], path: Callable[[int], KeyPath], what: str) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            first = names.index(name) + 1
            hint = "give one of them a 'name'" if what == "task" else "give one of them another name"
            said = f"{what} {name!r} is there twice, first as number {first}"
            yield Problem(path(index), said, hint, refers_to=path(first - 1))


def _pools(audit: Audit) -> Iterator[Problem]:
    pools: dict[str, Pool | None] = {"train": audit.data.train, "valid": audit.data.valid, "test": audit.data.test}
    for name, pool in pools.items():
        if pool is not None and pool.draw is not None and pool.cells:
            said = f"[data.{name}] has both 'draw' and 'cells'; the cells already say how many images"
            yield Problem(("data", name, "draw"), said, "leave out one of them", at_key=True)
    after = audit.data.split_after_resampling
    if after is not None and after.train + after.valid >= 1:
        said = f"'train' and 'valid' in [data.split_after_resampling] sum to {after.train + after.valid:g}"
        yield Problem(("data", "split_after_resampling"), said, "leave something for test", at_key=True)
    if after is not None:
        yield from _unused_pools(audit.data)


def _unused_pools(data: Data) -> Iterator[Problem]:
    """What asks for a valid or test split that is not made, since all that is drawn from train is split."""
    why, hint = "is made of what was resampled, by [data.split_after_resampling]", "or [data.split_after_resampling]"
    if data.train.hold_out > 0:
        said = f"'hold_out' in [data.train] keeps people for valid, and valid {why}"
        yield Problem(("data", "train", "hold_out"), said, f"leave out 'hold_out', {hint}", at_key=True)
    for name, pool in (("valid", data.valid), ("test", data.test)):
        if pool is not None and name in data.model_fields_set:
            said = f"[data.{name}] names images that nothing would use: {name} {why}"
            yield Problem(("data", name), said, f"leave out [data.{name}], {hint}", at_key=True)


def _budget(budget: Budget, path: KeyPath, name: str) -> Iterator[Problem]:
    if (budget.epochs is None) == (budget.steps is None):
        says = "neither 'epochs' nor 'steps'" if budget.epochs is None else "both 'epochs' and 'steps'"
        hint = "say one: budget = { epochs = 10 } or { steps = 6000 }"
        yield Problem(path, f"{name} has {says}", hint, at_key=True, whole=True)


def arm_recipe(audit: Audit, arm: Arm) -> dict[str, Any]:
    """The raw values of the recipe with an arm's partial one laid over it."""
    base = audit.recipe.model_dump(by_alias=True)
    return merged(base, {key: value for key, value in arm.recipe.items() if value is not None})


def _recipes(audit: Audit) -> Iterator[Problem]:
    for index, arm in enumerate(audit.arm):
        values = frozen(arm_recipe(audit, arm))
        at: KeyPath = ("arm", index, "recipe")
        found = faults(Recipe, values)
        for fault in found:
            problem = audit_problem(fault, Recipe, values, f"the recipe of arm {arm.name!r}")
            yield replace(problem, path=at + problem.path)
        if not found and "budget" in arm.recipe:
            budget = Recipe.model_validate(values).budget
            yield from _budget(budget, (*at, "budget"), f"the budget of arm {arm.name!r}")


def _starts(audit: Audit, arms: Sequence[str]) -> Iterator[Problem]:
    yield from _start(audit.recipe.init, ("recipe", "init"), arms)
    for index, arm in enumerate(audit.arm):
        if arm.init is not None:
            yield from _start(arm.init, ("arm", index, "init"), arms)
        elif isinstance(arm.recipe.get("init"), str):
            yield from _start(arm.recipe["init"], ("arm", index, "recipe", "init"), arms)


def _start(init: str, path: KeyPath, arms: Sequence[str]) -> Iterator[Problem]:
    if init == CHECKPOINT:
        yield Problem(path, "'checkpoint:' needs a file", 'as in init = "checkpoint:weights.safetensors"')
    elif init not in STARTS and init not in arms and not init.startswith(CHECKPOINT):
        hint = did_you_mean(init, [*STARTS, f"{CHECKPOINT}FILE", *arms])
        yield Problem(path, f"'init' names {init!r}, which is no arm and no known start", hint, refers_to=("arm",))


def start_of(audit: Audit, arm: Arm) -> str:
    """Where an arm starts from: its own word, its recipe's, or the audit's."""
    if arm.init is not None:
        return arm.init
    own = arm.recipe.get("init")
    return own if isinstance(own, str) else audit.recipe.init


def _circles(audit: Audit) -> Iterator[Problem]:
    edges = {arm.name: {start_of(audit, arm)} - {*STARTS} for arm in audit.arm}
    circle = find_circle(edges)
    if circle:
        index = next(i for i, arm in enumerate(audit.arm) if arm.name == circle[0])
        told = " -> ".join(circle)
        yield Problem(("arm", index, "init"), f"arms start from each other in a circle: {told}")


def find_circle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Arms that wait for each other, each for the next, ending where it began; () when there are none."""
    try:
        TopologicalSorter({name: sorted(edges[name]) for name in edges}).prepare()
    except CycleError as error:
        nodes: list[str] = error.args[1]
        return tuple(reversed(nodes))
    return ()


def _valid_split(audit: Audit) -> Iterator[Problem]:
    there = has_valid(audit.data)
    again = audit.data.split_after_resampling is not None
    if audit.data.train.hold_out > 0 and audit.data.valid is not None and not again:
        said = "'hold_out' in [data.train] keeps images for valid, and [data.valid] draws others"
        yield Problem(("data", "train", "hold_out"), said, "leave out one of them", at_key=True)
    for path, select, on, name in _selections(audit):
        if select == "best" and not there and path[-1] == "select":
            said = f"'select' is 'best' for {name}, but there is no valid split to judge by"
            yield Problem(path, said, make_valid(audit.data))
        elif select == "best" and there and on == "valid":
            yield Problem(path, f"'select' is 'best' for {name}, which trains on valid and cannot be selected on it")
    for index, arm in enumerate(audit.arm):
        if arm.on == "valid" and again:
            said = f"arm {arm.name!r} trains on valid, but the split is made after resampling"
            yield Problem(("arm", index, "on"), said, "leave out 'on', or [data.split_after_resampling]")
        elif arm.on == "valid" and not there:
            said = f"arm {arm.name!r} trains on valid, but there is no valid split"
            yield Problem(("arm", index, "on"), said, make_valid(audit.data))


def has_valid(data: Data) -> bool:
    """Whether the audit makes a valid split."""
    if data.split_after_resampling is not None:
        return data.split_after_resampling.valid > 0
    return data.train.hold_out > 0 or data.valid is not None


def make_valid(data: Data) -> str:
    """How an audit that makes no valid split is given one."""
    if data.split_after_resampling is not None:
        return "leave a share for valid in [data.split_after_resampling]"
    return "set hold_out in [data.train], or give [data.valid]"


def _selections(audit: Audit) -> Iterator[tuple[KeyPath, str, str, str]]:
    yield ("recipe", "select"), audit.recipe.select, "train", "the recipe"
    for index, arm in enumerate(audit.arm):
        own = arm.recipe.get("select")
        if own is not None or arm.on == "valid":
            path: KeyPath = ("arm", index, "recipe", "select") if own is not None else ("arm", index, "on")
            yield path, str(own or audit.recipe.select), arm.on, f"arm {arm.name!r}"


def _seeds(audit: Audit) -> Iterator[Problem]:
    sets: list[tuple[KeyPath, tuple[int, ...]]] = [(("recipe", "seeds"), audit.recipe.seeds)]
    sets += [(("arm", i, "seeds"), arm.seeds) for i, arm in enumerate(audit.arm) if arm.seeds is not None]
    for path, seeds in sets:
        for seed, times in Counter(seeds).items():
            if times > 1:
                yield Problem(path, f"seed {seed} is there {times} times; the same seed trains the same network")
        if not seeds:
            yield Problem(path, "'seeds' must have at least 1 value")


def _evidence(audit: Audit, arms: Sequence[str]) -> Iterator[Problem]:
    evidence = audit.evidence
    if evidence.reference and evidence.reference not in arms:
        said = f"'reference' names {evidence.reference!r}, which is no arm"
        yield Problem(("evidence", "reference"), said, did_you_mean(evidence.reference, arms), refers_to=("arm",))
    yield from _placebo(evidence, arms)
    for index, group in enumerate(evidence.groups):
        path: KeyPath = ("evidence", "groups", index)
        if not group:
            yield Problem(path, "a group names at least one attribute", 'as in groups = [["Male"]]')
        if len(set(group)) < len(group):
            yield Problem(path, f"the group {listed(group, 'and')} names an attribute twice")
        before = [set(other) for other in evidence.groups[:index]]
        if set(group) in before:
            first: KeyPath = ("evidence", "groups", before.index(set(group)))
            yield Problem(path, f"the group {listed(group, 'and')} is there twice", refers_to=first)
    yield from _targets(audit)
    names = [metric.id for metric in evidence.metrics]
    for index, name in enumerate(names):
        if name in names[:index]:
            first = ("evidence", "metrics", names.index(name))
            yield Problem(("evidence", "metrics", index), f"metric {name!r} is there twice", refers_to=first)


def _placebo(evidence: Evidence, arms: Sequence[str]) -> Iterator[Problem]:
    whole: KeyPath = ("evidence", "placebo")
    if isinstance(evidence.placebo, str):
        yield from _placebo_name(evidence.placebo, whole, evidence, arms)
    elif evidence.placebo is not None:
        for arm, name in evidence.placebo.items():
            if arm not in arms:
                said = f"'placebo' is given for {arm!r}, which is no arm"
                yield Problem((*whole, arm), said, did_you_mean(arm, arms), at_key=True, refers_to=("arm",))
            if arm == name:
                yield Problem((*whole, arm), f"{name!r} cannot be its own placebo")
            else:
                yield from _placebo_name(name, (*whole, arm), evidence, arms)


def _placebo_name(name: str, path: KeyPath, evidence: Evidence, arms: Sequence[str]) -> Iterator[Problem]:
    if name not in arms:
        said = f"'placebo' names {name!r}, which is no arm"
        yield Problem(path, said, did_you_mean(name, arms), refers_to=("arm",))
    elif name == evidence.reference:
        yield Problem(path, f"{name!r} is the reference already")


def _targets(audit: Audit) -> Iterator[Problem]:
    targets, own = audit.evidence.targets, {task.target for task in audit.task}
    for index, name in enumerate(targets):
        path: KeyPath = ("evidence", "targets", index)
        if name in targets[:index]:
            yield Problem(path, f"target {name!r} is there twice")
        elif own == {name}:
            yield Problem(path, f"target {name!r} is what the task predicts already", "name other attributes")


def _stand_in(audit: Audit) -> Iterator[Problem]:
    name = audit.stand_in.profile if audit.stand_in is not None else None
    if name is not None and name not in audit.profile:
        hint = did_you_mean(name, audit.profile) or "the file has no [profile.NAME]"
        yield Problem(("stand_in", "profile"), f"there is no profile {name!r}", hint)
