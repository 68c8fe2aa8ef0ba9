"""One unit, from a work item to predictions in the store: the room, with `worker`, where the engine meets torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from auditkit.cohort import SPLITS, Draw
from auditkit.engine import probes
from auditkit.engine.probes import ProbeMargins
from auditkit.engine.probing import probe, tested
from auditkit.engine.store import CHECKPOINT, PROBES, WEIGHTS, Store
from auditkit.engine.work import ComponentRef, UnitWork
from auditkit.errors import AuditError, RunFailed
from auditkit.events import Send, UnitDone, UnitStarted
from auditkit.predictions import Predictions, joined
from auditkit.training import predict, weights
from auditkit.training.batches import Batches, FeatureBatches, ImageBatches, Labels, Pictures
from auditkit.training.checkpoint import Progress, Saved, read_checkpoint, restore
from auditkit.training.device import (
    FLOAT32,
    Compute,
    choose_algorithms,
    choose_device,
    choose_precision,
    device_name,
)
from auditkit.training.graph import Kind
from auditkit.training.loop import Lesson, train
from auditkit.training.network import Network, build_network, has_kernels
from auditkit.training.optimization import make_optimizer
from auditkit.training.pixels import Pixels, open_pixels
from auditkit.training.telling import tell_kernels, tell_place

Build = Callable[[ComponentRef], Any]
_VERSIONS = ("auditkit", "torch", "torchvision", "numpy")


def run_unit(item: UnitWork, build: Build, send: Send) -> None:
    """Train a unit, or only use its stored weights; then store predictions and probes. `build` makes components."""
    started = time.perf_counter()
    store = Store(Path(item.store))
    if not item.train_first and store.has_weights(item.digest):
        epochs = len(store.history(item.digest))
        send(UnitStarted(item.digest, item.label, epochs, epochs))
        unit = _Unit.of(item, build, store.facts(item.digest), send)
        unit.network.load(weights.load(store.unit(item.digest) / WEIGHTS), where=item.label)
        found, more = store.predictions(item.digest), unit.answers()
        if item.predict:
            found = _merged(found, more.predictions)
            store.add_predictions(item.digest, found)
        if more.probes is not None:
            store.add_probes(item.digest, more.probes)
        send(_done(item, found, time.perf_counter() - started))
        return
    checkpoint = store.partial(item.digest) / CHECKPOINT
    saved = read_checkpoint(checkpoint)
    unit = _Unit.of(item, build, saved.facts, send)
    _load_init(unit, build, store)
    progress = _train(unit, build, checkpoint, saved, send)
    if item.keep_weights:
        weights.save(unit.network.weights(), store.partial(item.digest) / WEIGHTS, {"digest": item.digest})
    answers = unit.answers()
    found = answers.predictions
    if answers.probes is not None:
        probes.write(answers.probes, store.partial(item.digest) / PROBES)
    facts = {**item.facts, **progress.facts, **_facts(unit, progress, time.perf_counter() - started)}
    store.finish(item.digest, found, progress.history, facts)
    send(_done(item, found, facts["seconds"]))


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a unit's network says: of its target, and of what probes ask, where they ask anything."""

    predictions: Predictions
    probes: ProbeMargins | None


@dataclass(frozen=True, slots=True, eq=False)
class _Unit:
    """A unit at work: its network and pixels on the device."""

    item: UnitWork
    compute: Compute
    network: Network
    pixels: Pixels

    @property
    def draws(self) -> Mapping[str, Draw]:
        """What it trains on, validates on and is tested on."""
        return self.item.splits

    @staticmethod
    def of(item: UnitWork, build: Build, remembered: Mapping[str, Any], send: Send) -> _Unit:
        """Build the network; precision and threads are those remembered from earlier work on the unit, if any."""
        device = choose_device(item.device)
        choose_algorithms(device, deterministic=item.deterministic)
        precision = remembered.get("precision") or choose_precision(item.precision, device)
        compute = Compute(device, precision, remembered.get("threads", item.threads))
        compute.set_up()
        network = build_network(build(item.model), item.seed, device)
        pixels = open_pixels(Path(item.images.path), device, item.images.used)
        tell_place(pixels, send)
        tell_kernels(device, send)
        return _Unit(item, compute, network, pixels)

    def pictures(self, split: str) -> Pictures:
        """The images of a split."""
        return Pictures(self.pixels, self.draws[split], self.item.recipe.augment, self.item.seed)

    def labels(self, split: str) -> Labels:
        """Truth and strata of a split."""
        return Labels.of(self.draws[split], self.item.truth, self.item.strata, self.compute.device)

    def truth(self, split: str) -> NDArray[np.int8]:
        """(n,) int8 of 0 and 1."""
        return self.item.truth[self.draws[split].rows]

    def answers(self) -> Answers:
        """Predict the splits of the work item, and ask the frozen features its other questions.

        Raises RunFailed when a margin is not finite.
        """
        parts, seen = [], None
        for split in [split for split in self.item.predict if len(self.draws.get(split, ()))]:
            if split == "test" and self._asked_as_drawn():
                margins, seen = predict.margins_and_features(self.network, self.pictures(split), self.compute)
            else:
                margins = predict.margins(self.network, self.pictures(split), self.compute)
            parts.append(self._predicted(split, margins))
        return Answers(joined(parts), self._probed(seen) if self.item.probes else None)

    def _asked_as_drawn(self) -> bool:
        """Whether probes ask the very images of the test draw, in its order: then one pass gives both."""
        draw = self.draws["test"]
        return bool(self.item.probes) and not draw.copy.any() and np.array_equal(draw.rows, tested(draw))

    def _probed(self, features: torch.Tensor | None) -> ProbeMargins:
        draws = self.draws["train"], self.draws["test"]
        return probe(self.network, self.pixels, self.compute, draws, self.item.probes, features)

    def _predicted(self, split: str, margins: NDArray[np.float32]) -> Predictions:
        draw = self.draws[split]
        if not np.isfinite(margins).all():
            remedy = f"lower recipe.optimizer.lr (now {self.item.recipe.optimizer.lr:g})"
            raise RunFailed(f"a prediction on {split} is not finite", where=self.item.label, hint=remedy)
        return Predictions(
            split=np.full(len(draw), SPLITS.index(split)),
            row=draw.rows,
            copy=draw.copy,
            identity=np.full(len(draw), -1) if self.item.identity is None else self.item.identity[draw.rows],
            truth=self.truth(split),
            margin=margins,
        )


# --------------------------------------------------------------------------------------------------------- training


def _train(unit: _Unit, build: Build, checkpoint: Path, saved: Saved, send: Send) -> Progress:
    item = unit.item
    if not len(unit.draws["train"]):
        raise AuditError("there are no images to train on", where=item.label)
    module, batches, validate = _head_only(unit) if item.train == "head" else _whole(unit)
    objective = build(item.objective).build(item.stratum_counts).to(unit.compute.device)
    # A network's last layer always computes in float32; trained alone, too.
    compute = replace(unit.compute, precision=FLOAT32) if item.train == "head" else unit.compute
    optimizer = make_optimizer(item.recipe.optimizer, module.parameters())
    progress = Progress(module, objective, optimizer, compute.scaler())
    restore(progress, saved)
    progress.facts = _remember(unit, saved.facts, len(progress.history))
    lesson = Lesson(
        item.digest,
        item.label,
        item.seed,
        item.recipe,
        compute,
        checkpoint,
        batches,
        send,
        validate,
        _kind(unit, objective),
    )
    send(UnitStarted(item.digest, item.label, lesson.epochs, len(progress.history)))
    train(lesson, progress)
    return progress


_OF_EVERY_MODULE = frozenset(vars(torch.nn.Module()))


def _kind(unit: _Unit, objective: torch.nn.Module) -> Kind:
    """What makes two units' steps the same but for weights and data: not how many rows they train on."""
    item = unit.item
    shapes = {name: tuple(tensor.shape) for name, tensor in objective.state_dict().items()}
    settings = [
        {key: value for key, value in vars(part).items() if key not in _OF_EVERY_MODULE} for part in objective.modules()
    ]
    network = (item.train, item.model, unit.compute, item.deterministic)
    return Kind(repr(network), repr((item.objective, shapes, settings, item.recipe.optimizer)))


def _remember(unit: _Unit, remembered: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """Facts that a checkpoint carries: what bit identity depends on, and where the unit was interrupted."""
    devices = [*remembered.get("devices", ())]
    device = str(unit.compute.device)
    return {
        "threads": unit.compute.threads,
        "precision": unit.compute.precision,
        "devices": devices if device in devices else [*devices, device],
        "steps": [*remembered.get("steps", ())],
        "continued_after_epochs": [*remembered.get("continued_after_epochs", ()), *([epochs] if epochs else ())],
    }


def _whole(unit: _Unit) -> tuple[torch.nn.Module, Batches, Callable[[], float | None]]:
    recipe = unit.item.recipe
    pictures, labels = unit.pictures("train"), unit.labels("train")
    batches = ImageBatches(pictures, labels, recipe.batch_size, unit.item.seed, flip=recipe.flip)
    if not len(unit.draws.get("valid", ())):
        return unit.network, batches, lambda: None
    valid, truth = unit.pictures("valid"), unit.truth("valid")
    return (
        unit.network,
        batches,
        lambda: predict.accuracy(predict.margins(unit.network, valid, unit.compute), truth),
    )


def _head_only(unit: _Unit) -> tuple[torch.nn.Module, Batches, Callable[[], float | None]]:
    """Only the last layer trains, on features computed once by the rest, whose statistics stay as they are."""
    recipe, head = unit.item.recipe, unit.network.head
    seen = predict.features(unit.network, unit.pictures("train"), unit.compute)
    batches = FeatureBatches(seen, unit.labels("train"), recipe.batch_size, unit.item.seed)
    if not len(unit.draws.get("valid", ())):
        return head, batches, lambda: None
    valid, truth = predict.features(unit.network, unit.pictures("valid"), unit.compute), unit.truth("valid")
    return head, batches, lambda: predict.accuracy(predict.head_margins(head, valid), truth)


def _load_init(unit: _Unit, build: Build, store: Store) -> None:
    """Give the network the weights that its `init` names; "none" leaves it as it was built."""
    kind, _, name = unit.item.init.partition(":")
    if kind == "imagenet":
        found = weights.imagenet(build(unit.item.model), unit.item.model.id)
        unit.network.load(unit.network.without_head(found), where="imagenet")
    elif kind == "checkpoint":
        unit.network.load(weights.load(Path(name)), where=name)
    elif kind == "unit":
        unit.network.load(weights.load(store.unit(name) / WEIGHTS), where=unit.item.label)


# ------------------------------------------------------------------------------------------------------------ facts


def _facts(unit: _Unit, progress: Progress, seconds: float) -> dict[str, Any]:
    earlier = (progress.facts["continued_after_epochs"] or [0])[-1]
    trained = sum(epoch["seconds"] for epoch in progress.history)
    visits = sum(epoch["images"] for epoch in progress.history)
    return {
        "device": str(unit.compute.device),
        "device_name": device_name(unit.compute.device),
        "deterministic": unit.item.deterministic or unit.compute.device.type == "cpu",
        "pixels": unit.pixels.place,
        "own_kernels": has_kernels(unit.network),
        "seconds": seconds + sum(epoch["seconds"] for epoch in progress.history[:earlier]),
        "images_per_second": visits / trained if trained else 0.0,
        "rows": len(unit.draws["train"]),
        "visits": visits,
        "epochs": len(progress.history),
        "best_epoch": None if progress.best_epoch is None else progress.best_epoch + 1,
        "versions": {name: version(name) for name in _VERSIONS},
    }


def _done(item: UnitWork, found: Predictions, seconds: float) -> UnitDone:
    """With the accuracy on the last split that has predictions: test comes after valid, valid after train."""
    split = found.splits()[-1] if len(found) else None
    shown = found if split is None else found.on(split)
    return UnitDone(item.digest, split, predict.accuracy(shown.margin, shown.truth), seconds)


def _merged(stored: Predictions, more: Predictions) -> Predictions:
    """Stored splits, with those predicted anew replaced."""
    kept = [stored.on(split) for split in SPLITS if split in set(stored.splits()) - set(more.splits())]
    return joined([*kept, more])
