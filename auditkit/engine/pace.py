"""How long what is left of a plan takes: its pace, measured by earlier units or assumed, and what comes on top.

A step costs by its images, which grow with their area, and as much again for the weights, however few images it has:
small images in small batches train far slower than their area says. Beside the steps stand evaluation, the start of
processes and units, images that are not decoded yet, and the report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from auditkit.engine.cache import image_cache
from auditkit.engine.drawing import Drawing
from auditkit.engine.plan import Unit
from auditkit.engine.prepare import Prepared
from auditkit.engine.schedule import lacking
from auditkit.spec.model import Recipe

# Measured in CPU seconds of one thread: ResNet-18, bfloat16, two cores of an AMD EPYC; sizes 32 to 128, batches 16 to
# 256, each within a fifth of what these say.
PROCESSES = 2
STEP = 0.06
"""A step's weights: read, multiplied, and moved by the optimizer."""
IMAGE_AT_64 = 0.0043
"""An image of 64 pixels, forward and backward."""
EVALUATED = 1 / 3
"""An image that is only looked at, over one that is trained on."""
HEAD_STEP = 0.001
"""A step of the last layer alone."""
UNIT = 0.4
"""Building a network, its checkpoints, and storing what it says."""
START = 5.0
"""Importing torch and looking at the machine, in one process."""
REPORT = 4.0
"""Findings of 10,000 replicates, charts and pages."""
RENDERED, DECODED = 0.005, 0.00025
"""Making a synthetic image, and decoding an image."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a unit has to do: steps with their visits, images evaluated between epochs and those at its end."""

    steps: int
    visits: int
    between: int
    after: int
    head: bool = False

    def training(self, image: float) -> float:
        """Seconds of one process, from those that an image takes, up to the end of the last epoch."""
        if self.head:
            return self.steps * HEAD_STEP + self.between * EVALUATED * image
        return self.steps * STEP + (self.visits + self.between * EVALUATED) * image


@dataclass(frozen=True, slots=True)
class Pace:
    """Images per second, all processes together, where that is from, and the seconds that all takes."""

    images_per_second: float
    source: str
    seconds: float


def visits(recipe: Recipe, rows: int) -> int:
    """Images a unit looks at while it trains."""
    return recipe.budget.total(per_epoch=rows, per_step=min(recipe.batch_size, rows))


def pace(prepared: Prepared, drawing: Drawing, units: Iterable[Unit]) -> Pace:
    """The pace of units that are not done, each digest once."""
    works = [_work(prepared, drawing, unit) for unit in {unit.digest: unit for unit in units}.values()]
    size = prepared.read.resolved.audit.data.image.size
    image = IMAGE_AT_64 * (size / 64) ** 2
    training = sum(work.training(image) for work in works) / PROCESSES
    count = sum(work.visits for work in works)
    measured = _measured(prepared, size)
    assumed = count / training if training else PROCESSES / image
    speed = measured or assumed
    after = sum(work.after for work in works) * EVALUATED * image * assumed / speed
    more = (after + len(works) * UNIT + _decoding(prepared)) / PROCESSES + START + REPORT
    source = "measured here" if measured else "assumed for ResNet-18 on two CPU cores"
    return Pace(speed, source, training * assumed / speed + more if works else 0.0)


def _work(prepared: Prepared, drawing: Drawing, unit: Unit) -> Work:
    """What a unit does; one whose draw is not known yet is taken to train on the whole pool."""
    known = drawing.known(unit) and not drawing.broken(unit)
    pools = prepared.pools
    parts = drawing.of(unit) if known else pools
    rows, valid, test = len(parts.train), len(parts.valid), len(parts.test)
    recipe, head = unit.arm.recipe, unit.arm.train == "head"
    steps = recipe.budget.total(per_epoch=-(-rows // recipe.batch_size), per_step=1)
    epochs = -(-steps // max(1, -(-rows // recipe.batch_size)))
    after = (rows + test if unit.probes else 0) + (rows if "train" in unit.predict else 0)
    if answered(prepared, unit):
        return Work(0, 0, 0, after)
    between = rows + valid if head else epochs * valid
    return Work(steps, visits(recipe, rows), between, valid + test + after, head)


def answered(prepared: Prepared, unit: Unit) -> bool:
    """Whether stored weights answer all that a unit still lacks."""
    return prepared.store.has_weights(unit.digest) and bool(lacking(prepared, unit))


def _measured(prepared: Prepared, size: int) -> float:
    """Images per second of earlier units of such models and images, all processes together; 0 where there are none."""
    models = {unit.inputs["model"]["use"] for unit in prepared.plan.units}
    found = [
        facts["images_per_second"] * facts["processes"]
        for facts in prepared.store.every_facts()
        if facts["inputs"]["data"]["image"]["size"] == size
        and facts["inputs"]["model"]["use"] in models
        and facts["inputs"]["train"] == "all"
    ]
    return median(found) if found else 0.0


def _decoding(prepared: Prepared) -> float:
    """Seconds of one process for the images that are not in the cache."""
    image, dataset = prepared.read.resolved.audit.data.image, prepared.dataset
    missing = image_cache(dataset.fingerprint, len(dataset), image).missing(prepared.pools.rows)
    return len(missing) * (RENDERED if dataset.synthetic else DECODED)
