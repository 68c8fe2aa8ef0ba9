"""The only training loop. It sees inputs, truth and an opaque integer per row, never what the integer stands for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from auditkit import streams
from auditkit.errors import RunFailed
from auditkit.events import EpochDone, Notice, Send, StepsDone
from auditkit.spec.model import Recipe
from auditkit.training.batches import Batch, Batches
from auditkit.training.checkpoint import Progress, write_checkpoint
from auditkit.training.device import Compute
from auditkit.training.graph import Kind, Steps, steps_of
from auditkit.training.optimization import rate

CHECKPOINT_SHARE = 0.02
"""Share of the time that checkpoints may take: ResNet-18's takes a tenth of a second, a large GPU's epoch no longer."""
_SECONDS_BETWEEN_EVENTS = 0.25


@dataclass(frozen=True, slots=True)
class Lesson:
    """What stays the same while a unit trains."""

    digest: str
    label: str
    seed: int
    recipe: Recipe
    compute: Compute
    checkpoint: Path
    batches: Batches = field(repr=False)
    send: Send = field(repr=False)
    validate: Callable[[], float | None] = field(repr=False)
    kind: Kind

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole budget."""
        return self.recipe.budget.total(per_epoch=self.batches.steps(), per_step=1)

    @property
    def epochs(self) -> int:
        """Epochs of the whole budget; the last may be cut short."""
        return -(-self.steps // self.batches.steps())


def train(lesson: Lesson, progress: Progress) -> None:
    """Train until the budget is spent, from wherever `progress` stands, and leave the selected weights in place.

    Writes checkpoints between epochs, and into the facts how steps are taken. Raises RunFailed when a loss is not
    finite.
    """
    steps: Steps | None = None
    checkpoints = _Checkpoints(lesson.checkpoint)
    for epoch in range(len(progress.history), lesson.epochs):
        started = time.perf_counter()
        progress.module.train()
        steps = steps or _steps(lesson, progress)
        steps.begin()
        loss, images = _run_epoch(lesson, steps, epoch)
        steps.end()
        accuracy = lesson.validate()
        seconds = time.perf_counter() - started
        progress.history.append(
            {"epoch": epoch + 1, "loss": loss, "accuracy": accuracy, "seconds": seconds, "images": images}
        )
        _select(lesson, progress)
        checkpoints.offer(progress)
        lesson.send(EpochDone(lesson.digest, epoch + 1, loss, accuracy))
    if progress.best:
        progress.module.load_state_dict(progress.best)


def _select(lesson: Lesson, progress: Progress) -> None:
    """Keep the weights of the best validation accuracy; of two equal epochs, the earlier."""
    accuracy = progress.history[-1]["accuracy"]
    if lesson.recipe.select != "best" or accuracy is None:
        return
    if progress.best_epoch is None or accuracy > progress.history[progress.best_epoch]["accuracy"]:
        progress.keep_best()


def _steps(lesson: Lesson, progress: Progress) -> Steps:
    def first() -> Batch:
        return next(iter(lesson.batches.epoch(0)))

    def tell(why: str) -> None:
        lesson.send(Notice(f"{lesson.label}: {why}", "warning"))

    visits = lesson.epochs * lesson.batches.rows
    found = steps_of(progress, lesson.recipe.optimizer, lesson.compute, lesson.kind, first, visits, tell)
    progress.facts["steps"] = [*dict.fromkeys([*progress.facts.get("steps", ()), found.how])]
    return found


def _run_epoch(lesson: Lesson, steps: Steps, epoch: int) -> tuple[float, int]:
    """One pass, or what the budget leaves of it: mean loss over images, and how many images."""
    # Dropout and its like draw from torch's generator: keyed by the epoch, so that a continued run draws the same.
    torch.manual_seed(int(streams.generator(lesson.seed, "noise", epoch).integers(2**63)))
    first = epoch * lesson.batches.steps()
    count = min(lesson.batches.steps(), lesson.steps - first)
    losses = torch.zeros(count, device=lesson.compute.device)
    sizes = torch.zeros(count, dtype=torch.float32)
    clock = _Clock(lesson, epoch)
    batches = lesson.batches.epoch(epoch)
    for step, batch in zip(range(count), batches, strict=False):
        losses[step] = steps.step(batch, _learning_rate(lesson, first + step))
        sizes[step] = len(batch[1])
        if lesson.compute.device.type == "cpu":
            _check(lesson, epoch, losses[: step + 1])
        clock.tick(len(batch[1]))
    _check(lesson, epoch, losses)
    images = int(sizes.sum())
    return float((losses.cpu() * sizes).sum() / images), images


def _learning_rate(lesson: Lesson, step: int) -> float:
    return lesson.recipe.optimizer.lr * rate(lesson.recipe.schedule, step, lesson.steps)


def _check(lesson: Lesson, epoch: int, losses: torch.Tensor) -> None:
    """Losses are looked at after every step on a CPU, once per epoch on a GPU, which must not wait for the host."""
    if bool(losses[-1].isfinite()) and (lesson.compute.device.type == "cpu" or bool(losses.isfinite().all())):
        return
    step = int((~losses.isfinite()).nonzero()[0, 0])
    remedy = f"lower recipe.optimizer.lr (now {lesson.recipe.optimizer.lr:g})"
    if lesson.compute.precision != "float32":
        remedy += ', or set recipe.precision = "float32"'
    raise RunFailed(f"the loss is not finite in epoch {epoch + 1}, step {step + 1}", where=lesson.label, hint=remedy)


class _Checkpoints:
    """Writes a checkpoint after the first epoch, and whenever those written have become cheap beside the time since."""

    def __init__(self, path: Path) -> None:
        self._path, self._due = path, 0.0

    def offer(self, progress: Progress) -> None:
        """Write, unless the last checkpoint is too young."""
        started = time.perf_counter()
        if started < self._due:
            return
        write_checkpoint(progress, self._path)
        ended = time.perf_counter()
        self._due = ended + (ended - started) / CHECKPOINT_SHARE


class _Clock:
    """Sends StepsDone, at most four a second."""

    def __init__(self, lesson: Lesson, epoch: int) -> None:
        self._lesson, self._epoch = lesson, epoch
        self._started = self._last = time.perf_counter()
        self._images = 0

    def tick(self, images: int) -> None:
        self._images += images
        now = time.perf_counter()
        if now - self._last < _SECONDS_BETWEEN_EVENTS:
            return
        self._last = now
        speed = self._images / (now - self._started)
        total = self._lesson.batches.rows
        self._lesson.send(StepsDone(self._lesson.digest, self._epoch + 1, self._images, total, speed))
