"""The section on how the networks were trained: the recipe, the arms, and what the command line changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditkit.report.blocks import Block, Cell, Item, Items, Section, Table
from auditkit.report.numbers import plural
from auditkit.report.view import View
from auditkit.spec.checks import start_of
from auditkit.spec.model import Arm, Budget, Pool, Recipe, TrainPool, Use

STARTS = {"imagenet": "ImageNet weights", "none": "random weights"}


def recipe(view: View) -> Section | None:
    """Every key of the recipe, every arm with its own, and the overrides; nothing where nothing was trained."""
    if not view.facts.get("units"):
        return None
    changed = tuple(Item(label, text) for label, text in _applied(view) if text)
    blocks: list[Block] = [Items(changed)] if changed else []
    return Section("recipe", "Recipe", (*blocks, _keys(view), _arms(view)), folded=True)


def essentials(view: View) -> str:
    """The recipe in one line: "resnet18 from ImageNet weights, sgd, lr 0.001, ..., 10 epochs, 128 pixels"."""
    if not view.facts.get("units"):
        return ""
    used = view.audit.recipe
    parts = (
        f"{used.model.use} from {_start(view, used.init)}",
        f"{used.optimizer.use}, lr {used.optimizer.lr:g}, {used.schedule.use} schedule",
        budget(used.budget),
        f"batches of {used.batch_size:,}",
        f"{view.audit.data.image.size} pixels",
    )
    return ", ".join(parts)


def _applied(view: View) -> Iterator[tuple[str, str]]:
    """What was laid over the audit file."""
    stand_in = view.audit.stand_in
    names = (view.facts.get("profile"), stand_in.profile if stand_in and view.facts.get("stand_in") else None)
    yield "Profiles applied", ", ".join(dict.fromkeys(name for name in names if name))
    yield "Overridden (--set)", "; ".join(overrides(view))
    scale = view.facts.get("scale", 1.0)
    yield "Scaled (--scale)", f"every number of images times {scale:g}" if scale != 1.0 else ""


def overrides(view: View) -> tuple[str, ...]:
    """The keys that were set on the command line, with their values: "evidence.margin = 0.02"."""
    pairs = (text.partition("=") for text in view.facts.get("overrides", ()))
    return tuple(f"{key.strip()} = {value.strip()}" for key, _, value in pairs)


# ------------------------------------------------------------------------------------------------------------- recipe


def _keys(view: View) -> Table:
    rows = tuple((Cell(key), Cell(text)) for key, text in (*_training(view, view.audit.recipe), *_pools(view)))
    return Table("How every arm is trained, unless it says otherwise", ("key", "value"), rows)


def _training(view: View, used: Recipe) -> Iterator[tuple[str, str]]:
    image = view.audit.data.image
    yield "model", component(used.model)
    yield "starts from", _start(view, used.init)
    yield "optimizer", component(used.optimizer)
    yield "schedule", component(used.schedule)
    yield "budget", budget(used.budget)
    yield "batch size", f"{used.batch_size:,}"
    yield "objective", component(used.objective)
    yield "image", f"centre square of at most {image.crop} pixels, resized to {image.size}"
    yield "flips in every epoch", "every training image, at random" if used.flip else "none"
    yield "augmented copies", options(used.augment.model_dump())
    yield "weights kept", f"of the {used.select} epoch"
    yield "precision", used.precision
    yield "seeds", ", ".join(map(str, used.seeds))


def _pools(view: View) -> Iterator[tuple[str, str]]:
    data = view.audit.data
    pools = {"train": data.train, "valid": data.valid, "test": data.test}
    if data.split_after_resampling:
        yield "split", "after resampling: " + options(data.split_after_resampling.model_dump())
        del pools["valid"], pools["test"]
    yield from ((f"{name} images", _pool(pool)) for name, pool in pools.items() if pool is not None)
    yield "seed of the draws", str(data.seed)


def _pool(pool: Pool) -> str:
    parts = [f"of the split {' and '.join(pool.from_)}" if pool.from_ else ""]
    parts += [f"{pool.draw:,} drawn" if pool.draw else ""]
    parts += [f"{cell.count:,} with {cell.where}" for cell in pool.cells]
    held = pool.hold_out if isinstance(pool, TrainPool) else 0.0
    parts += [f"{100 * held:g} % held out as valid" if held else ""]
    return "; ".join(part for part in parts if part)


# --------------------------------------------------------------------------------------------------------------- arms


def _arms(view: View) -> Table:
    columns = ("arm", "starts from", "trains", "sampler", "recipe of its own")
    rows = tuple(_arm(view, arm) for arm in view.audit.arm)
    return Table("Arms", columns, rows)


def _arm(view: View, arm: Arm) -> tuple[Cell, ...]:
    layers = {"all": "all layers", "head": "the last layer"}[arm.train]
    return (
        Cell(view.names.arm(arm.name)),
        Cell(_start(view, start_of(view.audit, arm))),
        Cell(f"{layers} on {arm.on}"),
        Cell(_sampler(view, arm)),
        Cell("; ".join(_own(arm)) or "nothing"),
    )


def _own(arm: Arm) -> Iterator[str]:
    """What an arm does not share with the others."""
    if arm.objective is not None:
        yield f"objective {component(arm.objective)}"
    yield from (f"{key.replace('_', ' ')} {_value(value)}" for key, value in arm.recipe.items())
    if arm.seeds is not None:
        yield f"seeds {_value(arm.seeds)}"


def _sampler(view: View, arm: Arm) -> str:
    """The sampler with the options it ran with: "oversample: where Bald = 1, until balanced"."""
    known = view.facts.get("samplers", {}).get(arm.name, arm.sampler.options)
    labelled = {key: view.names.arm(value) if isinstance(value, str) else value for key, value in known.items()}
    told = options({key: value for key, value in labelled.items() if value is not False})
    none = "every image once" if arm.sampler.id == "none" else arm.sampler.use
    return f"{arm.sampler.use}: {told}" if told else none


def _start(view: View, init: str) -> str:
    name = STARTS.get(init) or view.names.arm(init)
    return name.replace("checkpoint:", "the checkpoint ")


# -------------------------------------------------------------------------------------------------------------- words


def budget(allowed: Budget) -> str:
    """ "10 epochs" or "600 steps"."""
    return plural(allowed.steps, "step") if allowed.steps else plural(allowed.epochs or 0, "epoch")


def component(used: Any) -> str:
    """A component with its options: "sgd: lr 0.001, momentum 0.9"."""
    values = {"use": used.use, **used.options} if isinstance(used, Use) else used.model_dump()
    told = options({key: value for key, value in values.items() if key != "use"})
    return f"{values['use']}: {told}" if told else str(values["use"])


def options(values: Mapping[str, Any]) -> str:
    """Options in one line; those without a value are left out."""
    known = ((name.replace("_", " "), value) for name, value in values.items() if value is not None)
    return ", ".join(f"{name} {_value(value)}" for name, value in known)


def _value(value: Any) -> str:
    """Tables as "Bald = 1 and Male = 0", arrays with "or" between tables, truth as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " and ".join(f"{name} = {_value(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        tables = any(isinstance(each, Mapping) for each in value)
        return (" or " if tables else ", ").join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
