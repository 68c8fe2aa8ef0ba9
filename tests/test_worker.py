"""A unit from a work item to predictions in the store: inits, heads, splits, facts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from training_toys import COUNT, Events, build, draw, learnable, recipe, unit_work

from auditkit.cli.progress import progress
from auditkit.cohort import SPLITS, Draw
from auditkit.engine.store import WEIGHTS, Store
from auditkit.engine.unit import run_unit
from auditkit.engine.work import ComponentRef, DeviceWork
from auditkit.engine.worker import describe_machine, obtain_weights, work
from auditkit.errors import AuditError, DataError, RunFailed
from auditkit.events import UnitDone, UnitStarted
from auditkit.testing import audit_project
from auditkit.training import predict, weights
from auditkit.training.batches import Pictures
from auditkit.training.device import Compute
from auditkit.training.network import build_network
from auditkit.training.pixels import Pixels


def run(folder: Path, **changes: Any) -> Store:
    item = unit_work(folder, **changes)
    run_unit(item, build, Events())
    return Store(Path(item.store))


def test_predictions_follow_the_draws(tmp_path: Path) -> None:
    store = run(tmp_path, splits={**unit_work(tmp_path).splits, "test": Draw(np.array([150, 130, 130]))})
    found = store.predictions("d1")
    test = found.on("test")
    assert found.splits() == ["valid", "test"]
    assert test.row.tolist() == [150, 130, 130]
    assert test.identity.tolist() == [150 // 4, 130 // 4, 130 // 4]
    assert test.truth.tolist() == unit_work(tmp_path).truth[[150, 130, 130]].tolist()
    assert test.margin[1] == test.margin[2]


def test_an_augmented_copy_is_predicted_as_itself(tmp_path: Path) -> None:
    copies = Draw(np.array([130, 130], dtype=np.int64), np.array([0, 1], dtype=np.int64))
    test = run(tmp_path, splits={**unit_work(tmp_path).splits, "test": copies}).predictions("d1").on("test")
    assert test.copy.tolist() == [0, 1]
    assert test.margin[0] != test.margin[1]


def test_unknown_identities_are_minus_one(tmp_path: Path) -> None:
    assert set(run(tmp_path, identity=None).predictions("d1").identity.tolist()) == {-1}


def test_facts_say_how_it_was_made(tmp_path: Path) -> None:
    facts = run(tmp_path, facts={"label": "mine"}).facts("d1")
    assert facts["label"] == "mine"
    assert facts["device"] == "cpu"
    assert facts["devices"] == ["cpu"]
    assert (facts["precision"], facts["threads"], facts["steps"]) == ("float32", 1, ["eager"])
    assert (facts["rows"], facts["visits"], facts["epochs"]) == (96, 384, 4)
    assert facts["seconds"] > 0 < facts["images_per_second"]
    assert facts["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]


def test_weights_are_kept_only_when_asked(tmp_path: Path) -> None:
    assert not run(tmp_path).has_weights("d1")
    store = run(tmp_path, digest="d2", keep_weights=True)
    model = build(unit_work(tmp_path).model).build(2)
    model.load_state_dict(weights.load(store.unit("d2") / WEIGHTS))


def test_what_a_killed_process_was_writing_does_not_stay_in_the_unit(tmp_path: Path) -> None:
    (Store(tmp_path / "store").partial("d1") / ".checkpoint.safetensors.99.part").write_text("half")
    files = {path.name for path in run(tmp_path).unit("d1").iterdir()}
    assert files == {"unit.json", "history.json", "predictions.parquet"}


def test_a_split_is_predicted_later_from_stored_weights(tmp_path: Path) -> None:
    store = run(tmp_path, keep_weights=True)
    before = store.predictions("d1")
    seconds = store.facts("d1")["seconds"]
    events = Events()
    run_unit(unit_work(tmp_path, predict=("train",), train_first=False), build, events)
    after = store.predictions("d1")
    assert store.predicted("d1") == set(SPLITS)
    np.testing.assert_array_equal(after.on("test").margin, before.on("test").margin)
    assert len(after.on("train")) == 96
    assert store.facts("d1")["seconds"] == seconds
    assert len(events.of(UnitDone)) == 1
    run_unit(unit_work(tmp_path, predict=("test",), train_first=False), build, events)
    np.testing.assert_array_equal(store.predictions("d1").on("test").margin, before.on("test").margin)


@pytest.mark.parametrize(
    ("tested_on", "split", "line"),
    [
        ("test", "test", "1/1 Male original seed 0: accuracy 100.0 in"),
        ("valid", "valid", "1/1 Male original seed 0: accuracy 100.0 in"),
        ("", None, "1/1 Male original seed 0: accuracy unknown in"),
    ],
)
def test_the_accuracy_that_is_told_is_of_test_or_of_what_there_is(
    tmp_path: Path, tested_on: str, split: str | None, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    item, events = unit_work(tmp_path), Events()
    splits = {name: item.splits[name] for name in ("train", tested_on) if name}
    run_unit(replace(item, splits=splits), build, events)
    (done,) = events.of(UnitDone)
    accuracy = None if split is None else 1.0
    assert (done.split, done.accuracy) == (split, accuracy)
    for kind in ("plain", "bars"):
        with progress(kind, Console(width=100, highlight=False), 1) as drawn:
            for event in events.of(UnitStarted) + events.of(UnitDone):
                drawn.send(event)
    assert capsys.readouterr().out.startswith(line)


def test_a_prediction_that_is_not_finite_is_a_failure_with_a_remedy(tmp_path: Path) -> None:
    path = run(tmp_path, keep_weights=True).unit("d1") / WEIGHTS
    weights.save({name: tensor * float("nan") for name, tensor in weights.load(path).items()}, path)
    with pytest.raises(RunFailed) as caught:
        run(tmp_path, predict=("train",), train_first=False)
    said = "Male original seed 0: a prediction on train is not finite\n  lower recipe.optimizer.lr (now 0.1)"
    assert str(caught.value) == said


def test_without_stored_weights_a_unit_is_trained_again(tmp_path: Path) -> None:
    store = run(tmp_path)
    run_unit(unit_work(tmp_path, predict=("train", "valid", "test"), train_first=False), build, Events())
    assert store.predicted("d1") == set(SPLITS)


def test_a_unit_starts_from_another_and_can_train_its_head_alone(tmp_path: Path) -> None:
    store = run(tmp_path, keep_weights=True)
    parent = weights.load(store.unit("d1") / WEIGHTS)
    run(tmp_path, digest="d2", init="unit:d1", train="head", keep_weights=True)
    child = weights.load(store.unit("d2") / WEIGHTS)
    changed = {name for name in parent if not torch.equal(parent[name], child[name])}
    assert changed == {"4.weight", "4.bias"}


def test_a_head_learns_what_a_logistic_regression_would(tmp_path: Path) -> None:
    """The same features, full batches, until the gradient is nothing: the loss is convex, so there is one answer."""
    store = run(tmp_path, keep_weights=True)
    spec = recipe(budget={"epochs": 200}, batch_size=96, schedule={"use": "constant"},
                  optimizer={"use": "sgd", "lr": 0.5, "momentum": 0.9, "weight_decay": 0.01})  # fmt: skip
    run(tmp_path, digest="d2", init="unit:d1", train="head", keep_weights=True, recipe=spec)
    head = weights.load(store.unit("d2") / WEIGHTS)["4.weight"]
    torch.testing.assert_close(head[1], -head[0], rtol=1e-3, atol=1e-4)


def test_a_checkpoint_file_of_another_head_keeps_the_body(tmp_path: Path) -> None:
    network = build_network(build(unit_work(tmp_path).model), seed=9)
    found = network.weights()
    found["4.weight"], found["4.bias"] = torch.zeros(7, 16), torch.zeros(7)
    weights.save(found, tmp_path / "seven.safetensors")
    spec = recipe(optimizer={"use": "sgd", "lr": 1e-20}, budget={"steps": 1})
    store = run(tmp_path, init=f"checkpoint:{tmp_path / 'seven.safetensors'}", recipe=spec, keep_weights=True)
    trained = weights.load(store.unit("d1") / WEIGHTS)
    assert torch.equal(trained["0.0.weight"], found["0.0.weight"])
    assert torch.equal(trained["4.weight"], build_network(build(unit_work(tmp_path).model), seed=0).head.weight)


def test_weights_of_another_model_are_an_error(tmp_path: Path) -> None:
    wide = build_network(build(ComponentRef("model", "small-cnn", {"width": 16, "blocks": 2})), 0)
    path = tmp_path / "wide.safetensors"
    weights.save(wide.weights(), path)
    with pytest.raises(AuditError) as caught:
        run(tmp_path, init=f"checkpoint:{path}")
    assert caught.value.message.startswith("the tensor '0.0.weight' has shape (16, 3, 3, 3), not shape (8, 3, 3, 3)")
    assert caught.value.where == str(path)
    assert caught.value.hint == "these are weights of another model"


def test_a_file_that_is_no_safetensors_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(b"PK\x03\x04 whatever this is")
    with pytest.raises(DataError) as caught:
        run(tmp_path, init=f"checkpoint:{path}")
    cause = caught.value.__cause__  # in the words of another library
    assert str(caught.value) == (
        f"{path}: cannot read weights: {cause}\n  weights are read from safetensors files only"
    )


def test_a_model_without_imagenet_weights_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError) as caught:
        run(tmp_path, init="imagenet")
    assert caught.value.message == "the model 'small-cnn' has no ImageNet weights"
    assert caught.value.hint == 'set recipe.init = "none"'


def test_an_empty_draw_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="there are no images to train on"):
        run(tmp_path, splits={**unit_work(tmp_path).splits, "train": draw(range(0))})


def test_no_group_label_reaches_the_loop_but_opaque_integers(tmp_path: Path) -> None:
    """Renaming strata, or adding a constant stratum the objective ignores, changes nothing of cross-entropy."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = run(tmp_path / "a", strata=None, stratum_counts=(96,)).predictions("d1").margin
    grouped = run(tmp_path / "b", strata=np.arange(COUNT) % 5).predictions("d1").margin
    np.testing.assert_array_equal(plain, grouped)


def test_a_machine_is_described_and_an_absent_device_refused() -> None:
    machine = describe_machine(DeviceWork("cpu", deterministic=False), Events())
    assert (machine.device, machine.torch) == ("cpu", torch.__version__)
    with pytest.raises(AuditError) as caught:
        describe_machine(DeviceWork("gpu0", deterministic=False), Events())
    assert str(caught.value) == "unknown device 'gpu0'\n  use auto, cpu, cuda, cuda:1 or mps"
    with pytest.raises(AuditError) as caught:
        describe_machine(DeviceWork("cuda:63", deterministic=False), Events())
    assert str(caught.value) == "this machine has no device 'cuda:63'\n  use --device auto, or --device cpu"


def test_one_of_several_gpus_is_a_device_of_the_command_line() -> None:
    project = audit_project({})
    absent = project.run("bench", "--device", "cuda:63").assert_code(2)
    assert absent.err == "this machine has no device 'cuda:63'\n  use --device auto, or --device cpu\n"
    wrong = project.run("bench", "--device", "cuda:one").assert_code(2)
    said = "'cuda:one' is not one of 'auto', 'cpu', 'cuda', 'mps', nor one of several GPUs, as 'cuda:1' is."
    assert wrong.err.endswith(f"Error: Invalid value for '--device': {said}\n")


def test_work_builds_its_components_with_the_registry(tmp_path: Path) -> None:
    work(unit_work(tmp_path), Events())
    assert Store(tmp_path / "store").has("d1")
    with pytest.raises(AuditError, match="has no ImageNet weights"):
        obtain_weights(ComponentRef("model", "small-cnn", {}), Events())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("rows", [range(128, 160), (150, 130, 130, 141)], ids=["as asked", "in another order"])
def test_predictions_are_the_same_to_the_bit_with_probes_and_without(tmp_path: Path, precision: str, rows: Any) -> None:
    """In one pass where probes ask the images of the test draw; the probes' margins are those of two passes, too."""
    truth = unit_work(tmp_path).truth
    splits = {**unit_work(tmp_path).splits, "test": draw(*rows)}
    changes = {"splits": splits, "recipe": recipe(precision=precision), "keep_weights": True}
    questions = {"Bald=1": (np.arange(COUNT) % 2).astype(np.int8), "same": truth}
    alone = run(tmp_path, **changes)
    asked = run(tmp_path, digest="d2", probes=questions, **changes)
    np.testing.assert_array_equal(alone.predictions("d1").margin, asked.predictions("d2").margin)
    run_unit(unit_work(tmp_path, train_first=False, predict=(), probes=questions, **changes), build, Events())
    later, at_once = alone.probes("d1"), asked.probes("d2")
    assert later.row.tolist() == at_once.row.tolist() == sorted({*rows})
    for key in questions:
        np.testing.assert_array_equal(later.margins[key], at_once.margins[key])


def test_margins_and_features_come_of_one_look_at_every_image(tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", learnable()[0])
    device = torch.device("cpu")
    network = build_network(build(unit_work(tmp_path).model), 0)
    looks: list[int] = []
    network.body.register_forward_hook(lambda module, given, found: looks.append(len(found)))
    pictures = Pictures.plain(Pixels(tmp_path / "pixels.npy", device), np.arange(COUNT))
    for precision in ("float32", "bfloat16"):
        compute = Compute(device, precision, 1)
        margins, features = predict.margins_and_features(network, pictures, compute)
        assert looks == [128, COUNT - 128]
        np.testing.assert_array_equal(margins, predict.margins(network, pictures, compute))
        assert torch.equal(features, predict.features(network, pictures, compute))
        looks.clear()
