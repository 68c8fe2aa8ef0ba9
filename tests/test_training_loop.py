"""The loop: against a plain PyTorch loop, through a kill, and where it must stop."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_toys import Events, build, learnable, recipe, unit_work

from auditkit.engine.store import CHECKPOINT, Store
from auditkit.engine.unit import run_unit
from auditkit.engine.work import ComponentRef
from auditkit.errors import RunFailed
from auditkit.events import EpochDone, StepsDone, UnitDone, UnitStarted
from auditkit.spec.model import Budget, Constant, OneCycle
from auditkit.training import loop
from auditkit.training.batches import order
from auditkit.training.network import build_network
from auditkit.training.optimization import make_optimizer, rate

ADAM = {"use": "adamw", "lr": 0.01, "weight_decay": 0.1}


def run(folder: Path, **changes: Any) -> tuple[Store, Events]:
    events = Events()
    item = unit_work(folder, **changes)
    run_unit(item, build, events)
    return Store(Path(item.store)), events


@pytest.mark.parametrize("optimizer", [None, ADAM], ids=["sgd", "adamw"])
def test_a_plain_loop_comes_to_the_same_losses(tmp_path: Path, optimizer: dict[str, Any] | None) -> None:
    """Eager float32 PyTorch, contiguous tensors, its own learning-rate formula, no fused optimizer."""
    chosen = recipe(**({"optimizer": optimizer} if optimizer else {}))
    store, _ = run(tmp_path, recipe=chosen)
    found = [epoch["loss"] for epoch in store.history("d1")]

    images, truth = learnable()
    network = build_network(build(unit_work(tmp_path).model), 0).to(memory_format=torch.contiguous_format)
    model = torch.nn.Sequential(network.body, network.head)
    spec = chosen.optimizer
    plain: Any = (
        torch.optim.AdamW(model.parameters(), lr=spec.lr, weight_decay=0.1, foreach=False)
        if optimizer
        else torch.optim.SGD(model.parameters(), lr=spec.lr, momentum=0.9, nesterov=True, foreach=False)
    )
    step, expected = 0, []
    for epoch in range(4):
        losses = []
        for index in order(0, epoch, 96, 16):
            for group in plain.param_groups:
                group["lr"] = spec.lr * ((step + 1) / 6 if step < 6 else (1 + math.cos(math.pi * (step - 5) / 19)) / 2)
            x = network.normalise(torch.from_numpy(images[index.numpy()])).contiguous()
            loss = torch.nn.functional.cross_entropy(model(x), torch.from_numpy(truth[index.numpy()]).long())
            plain.zero_grad()
            loss.backward()
            plain.step()
            losses.append(loss.item())
            step += 1
        expected.append(np.mean(losses))
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize(
    "where", [{}, pytest.param({"device": "cuda", "deterministic": True}, marks=pytest.mark.gpu)], ids=["cpu", "gpu"]
)
def test_a_unit_alone_or_again_predicts_the_same(tmp_path: Path, where: dict[str, Any]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, _ = run(tmp_path / "a", **where)
    run(tmp_path / "b", digest="other", seed=5, **where)
    again, _ = run(tmp_path / "b", **where)
    np.testing.assert_array_equal(first.predictions("d1").margin, again.predictions("d1").margin)
    assert first.predictions("d1").margin.tolist() != again.predictions("other").margin.tolist()


def work_until_killed(folder: Path, epochs_done: Any, changes: dict[str, Any], share: float) -> None:
    loop.CHECKPOINT_SHARE = share

    def send(event: Any) -> None:
        if isinstance(event, EpochDone):
            epochs_done.release()
            if event.epoch == 2:
                signal.pause()

    run_unit(unit_work(folder, **changes), build, send)


GROUP_DRO = ComponentRef("objective", "group-dro", {"strata": ("Bald",), "step_size": 0.5})
AUGMENTED = {"flip": True, "select": "best", "budget": {"epochs": 5}}
ON_GPU = {"device": "cuda", "deterministic": True}


@pytest.mark.parametrize(("share", "last"), [(1e9, 2), (1e-9, 1)], ids=["cheap checkpoints", "dear checkpoints"])
@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": recipe(**AUGMENTED)},
        {"recipe": recipe(optimizer=ADAM, precision="bfloat16"), "objective": GROUP_DRO},
        {"recipe": recipe(precision="float16")},
        {"train": "head", "recipe": recipe(budget={"steps": 20})},
        pytest.param(ON_GPU | {"recipe": recipe(**AUGMENTED, precision="float16")}, marks=pytest.mark.gpu),
        pytest.param(
            ON_GPU | {"recipe": recipe(optimizer=ADAM, precision="bfloat16"), "objective": GROUP_DRO},
            marks=pytest.mark.gpu,
        ),
    ],
    ids=["best", "adamw-bfloat16-dro", "float16", "head", "gpu-best-float16", "gpu-adamw-bfloat16-dro"],
)
def test_killed_and_continued_is_bit_identical_to_uninterrupted(
    tmp_path: Path, changes: dict[str, Any], share: float, last: int
) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole, _ = run(tmp_path / "whole", **changes)

    context = multiprocessing.get_context("spawn")
    epochs_done = context.Semaphore(0)
    process = context.Process(target=work_until_killed, args=(tmp_path / "killed", epochs_done, changes, share))
    process.start()
    assert epochs_done.acquire(timeout=120)
    assert epochs_done.acquire(timeout=120)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    continued, events = run(tmp_path / "killed", **changes)
    assert events.of(UnitStarted)[0].epoch == last
    assert [e.epoch for e in events.of(EpochDone)] == list(range(last + 1, events.of(UnitStarted)[0].epochs + 1))
    assert continued.facts("d1")["continued_after_epochs"] == [last]
    for name in ("loss", "accuracy", "images"):
        assert [e[name] for e in continued.history("d1")] == [e[name] for e in whole.history("d1")]
    np.testing.assert_array_equal(continued.predictions("d1").margin, whole.predictions("d1").margin)
    assert not (continued.unit("d1") / CHECKPOINT).exists()


def test_a_loss_that_is_not_finite_names_unit_epoch_step_and_remedy(tmp_path: Path) -> None:
    wild = recipe(optimizer={"use": "sgd", "lr": 1e30}, schedule={"use": "constant"})
    with pytest.raises(RunFailed) as caught:
        run(tmp_path, recipe=wild)
    assert caught.value.where == "Male original seed 0"
    assert caught.value.message == "the loss is not finite in epoch 1, step 2"
    assert caught.value.hint == "lower recipe.optimizer.lr (now 1e+30)"
    assert not Store(tmp_path / "store").has("d1")


def test_the_best_epoch_is_kept_and_of_two_equal_ones_the_earlier(tmp_path: Path) -> None:
    store, _ = run(tmp_path, recipe=recipe(select="best", budget={"epochs": 6}))
    accuracies = [epoch["accuracy"] for epoch in store.history("d1")]
    best = store.facts("d1")["best_epoch"]
    assert best == 1 + accuracies.index(max(accuracies))
    valid = store.predictions("d1").on("valid")
    assert ((valid.margin > 0) == (valid.truth == 1)).mean() == max(accuracies)
    (tmp_path / "short").mkdir()
    spec = recipe(select="last", budget={"epochs": 6})
    last, _ = run(tmp_path / "short", recipe=spec)
    assert last.facts("d1")["best_epoch"] is None


def test_a_budget_in_steps_ends_within_an_epoch(tmp_path: Path) -> None:
    store, events = run(tmp_path, recipe=recipe(budget={"steps": 8}))
    assert [epoch["images"] for epoch in store.history("d1")] == [96, 32]
    assert store.facts("d1")["visits"] == 128
    assert events.of(UnitStarted)[0].epochs == 2


def test_events_tell_the_story_in_order(tmp_path: Path) -> None:
    _, events = run(tmp_path)
    kinds = [type(event) for event in events if not isinstance(event, StepsDone)]
    assert kinds == [UnitStarted, *[EpochDone] * 4, UnitDone]
    assert events[0] == UnitStarted("d1", "Male original seed 0", epochs=4)
    assert events.of(EpochDone)[-1].accuracy == 1.0


def test_without_a_validation_split_there_is_no_accuracy(tmp_path: Path) -> None:
    splits = {k: v for k, v in unit_work(tmp_path).splits.items() if k != "valid"}
    store, events = run(tmp_path, splits=splits, predict=("test",))
    assert [e.accuracy for e in events.of(EpochDone)] == [None] * 4
    assert store.predicted("d1") == {"test"}


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_as_well(tmp_path: Path, precision: str, device: str) -> None:
    plain, _ = run(tmp_path)
    other, _ = run(tmp_path, digest="d2", device=device, recipe=recipe(precision=precision))
    assert other.facts("d2")["precision"] == precision
    losses = [[epoch["loss"] for epoch in store.history(d)] for store, d in ((plain, "d1"), (other, "d2"))]
    np.testing.assert_allclose(*losses, rtol=0.15, atol=0.01)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_the_last_layer_is_never_in_half_precision_even_when_it_trains_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    seen: set[torch.dtype] = set()
    plain = torch.nn.Linear.forward

    def watched(layer: torch.nn.Linear, given: torch.Tensor) -> torch.Tensor:
        found = plain(layer, given)
        seen.add(found.dtype)
        return found

    monkeypatch.setattr(torch.nn.Linear, "forward", watched)
    for train in ("all", "head"):
        run(tmp_path, digest=train, train=train, recipe=recipe(precision=precision, budget={"epochs": 1}))
    assert seen == {torch.float32}


def test_one_cycle_rises_then_falls() -> None:
    rates = [rate(OneCycle(use="one-cycle", warm_up=0.25), step, 40) for step in range(40)]
    assert rates[9] == 1.0 == max(rates)
    assert rates[:10] == pytest.approx([(k + 1) / 10 for k in range(10)])
    assert rates[9:] == sorted(set(rates[9:]), reverse=True)
    assert 0 < rates[-1] < 0.01
    assert rate(Constant(), 3, 40) == 1.0
    assert 0 < rate(OneCycle(use="one-cycle"), 0, 1) <= 1


def test_a_budget_counts_epochs_or_steps() -> None:
    assert Budget(epochs=3).total(per_epoch=7, per_step=1) == 21
    assert Budget(steps=5).total(per_epoch=7, per_step=1) == 5


def test_weights_that_are_not_trained_are_left_out_of_the_optimizer() -> None:
    layer = torch.nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    assert len(make_optimizer(recipe().optimizer, layer.parameters()).param_groups[0]["params"]) == 1
