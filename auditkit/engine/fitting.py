"""What an arm asks of its network that it cannot do: weights it does not have, images or weights that do not fit."""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.contracts import ModelOptions
from auditkit.engine.resolution import Chosen, ResolvedArm
from auditkit.errors import KeyPath, Problem
from auditkit.spec.checks import start_of
from auditkit.spec.model import Arm, Audit


def unfit(audit: Audit, index: int, model: Chosen, at: KeyPath) -> Iterator[Problem]:
    """What is wrong with the network of an arm by itself; `at` is the path of the model's table."""
    arm, options, name = audit.arm[index], model.options, f"model {model.component.id!r}"
    if not isinstance(options, ModelOptions) or not model.usable:
        return
    if start_of(audit, arm) == "imagenet" and options.imagenet_weights() is False:
        how = " with these options" if options.model_fields_set else ""
        path = _start_path(audit, index, at)
        said = f"{name} has no ImageNet weights{how}, which 'init' names or leaves at its default"
        yield Problem(path, said, 'write init = "none", or choose another model')
    least, most = options.image_sides()
    size = audit.data.image.size
    if not least <= size <= most:
        limit = f"of {least} pixels" if least == most else f"of {least} to {most} pixels"
        said = f"{name} takes images {limit}, and 'size' in [data.image] is {size}"
        yield Problem(("data", "image", "size"), said, "choose another size, or another model")


def unlike(audit: Audit, arms: tuple[ResolvedArm, ...]) -> Iterator[Problem]:
    """Arms that start from an arm whose network is another, so that its weights do not fit."""
    by_name = {arm.name: arm for arm in arms}
    for index, arm in enumerate(audit.arm):
        mine, parent = by_name.get(arm.name), by_name.get(start_of(audit, arm))
        if mine is None or parent is None or _same(mine.model, parent.model):
            continue
        said = f"arm {arm.name!r} starts from arm {parent.name!r}, whose network is another"
        path: KeyPath = ("arm", index, "init") if arm.init is not None else ("arm", index)
        how = "other options" if mine.model.address == parent.model.address else f"{parent.model.component.id!r}"
        yield Problem(path, f"{said}: model {mine.model.component.id!r} here, {how} there", "give both one model")


def _same(mine: Chosen, parent: Chosen) -> bool:
    """Whether weights fit, as far as can be told: of options that say nothing of it only the run finds out."""
    if mine.address != parent.address:
        return False
    options = mine.options
    return not isinstance(options, ModelOptions) or options.same_weights(parent.options)


def _start_path(audit: Audit, index: int, model: KeyPath) -> KeyPath:
    """Where it says "imagenet"; the model where that is the arm's own, or where nothing says so."""
    arm: Arm = audit.arm[index]
    if arm.init is not None:
        return ("arm", index, "init")
    if "init" in arm.recipe:
        return ("arm", index, "recipe", "init")
    own = model[0] == "arm" or "init" not in audit.recipe.model_fields_set
    return model if own else ("recipe", "init")
