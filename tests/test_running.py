"""How a run divides the machine between the units at work."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from auditkit.engine.cache import remember
from auditkit.engine.dividing import Load, division, threads_of_each
from auditkit.engine.executors import Local
from auditkit.engine.prepare import Settings, prepare
from auditkit.engine.running import OBTAIN, obtain_weights
from auditkit.engine.work import ComponentRef, Machine, SpeedWork
from auditkit.errors import AuditError
from auditkit.events import silent
from auditkit.training.device import choose_algorithms
from auditkit.training.places import cache_folder

GIB = 2**30


def machine(device: str, free_gib: int = 0) -> Machine:
    return Machine(device, "some device", free_gib * GIB, "float32", 16, "2.14", "0.29")


@pytest.mark.parametrize(
    ("device", "told", "expected"),
    [
        ("cpu", {}, (16, 1)),
        ("cpu", {"workers": 4}, (4, 4)),
        ("cpu", {"threads": 2}, (8, 2)),
        ("cpu", {"threads": 32}, (1, 32)),
        ("cuda:0", {}, (1, 16)),
        ("cuda:0", {"workers": 4}, (4, 4)),
        ("cuda:0", {"threads": 3}, (1, 3)),
        ("mps", {}, (1, 16)),
    ],
)
def test_units_at_once_and_threads_for_each(device: str, told: dict[str, int], expected: tuple[int, int]) -> None:
    settings, load = Settings(Path("a.toml"), device=device, **told), Load(40, 20_000_000, GIB)
    assert division(settings, machine(device, 76), load, 16) == expected


def test_few_units_have_several_cores_each() -> None:
    assert division(Settings(Path("a.toml")), machine("cpu"), Load(3, 10, GIB), 16) == (3, 5)


def test_two_threads_for_each_halve_the_units_at_once() -> None:
    assert division(Settings(Path("a.toml")), machine("cpu"), Load(40, 10, GIB), 16, 2) == (8, 2)
    assert division(Settings(Path("a.toml")), machine("cpu"), Load(40, 10, GIB), 2, 2) == (1, 2)
    assert division(Settings(Path("a.toml"), workers=4), machine("cpu"), Load(40, 10, GIB), 16, 2) == (4, 4)


class Asked(list[SpeedWork]):
    """An executor whose machine is as fast as it is told, and that remembers what it was asked."""

    processes = 4

    def __init__(self, rates: dict[int, float]) -> None:
        self._rates = rates

    def submit(self, function: str, item: SpeedWork) -> Future[float]:
        self.append(item)
        future: Future[float] = Future()
        future.set_result(self._rates[item.threads])
        return future


@pytest.mark.parametrize(("rates", "expected"), [({1: 10, 2: 21}, 1), ({1: 10, 2: 23}, 2), ({1: 10, 2: 15}, 1)])
def test_a_split_of_the_cores_is_measured_once_and_remembered(rates: dict[int, float], expected: int) -> None:
    pool, load = Asked(rates), Load(40, 10, GIB)
    assert threads_of_each(Settings(Path("a.toml")), machine("cpu"), load, 4, pool) == expected
    assert [sum(one.threads for one in pool if one.threads == threads) for threads in (1, 2)] == [12, 12]
    again = Asked({})
    assert threads_of_each(Settings(Path("a.toml")), machine("cpu"), load, 4, again) == expected
    assert again == []


@pytest.mark.parametrize("left", ["", "{}", '{"threads": 64}', "[]"])
def test_what_cannot_be_read_of_a_machine_is_measured_again(left: str) -> None:
    settings, load = Settings(Path("a.toml")), Load(40, 10, GIB)
    threads_of_each(settings, machine("cpu"), load, 4, Asked({1: 10, 2: 30}))
    (file,) = cache_folder("machines").glob("*.json")
    file.write_text(left)
    assert threads_of_each(settings, machine("cpu"), load, 4, Asked({1: 10, 2: 10})) == 1
    assert json.loads(file.read_text())["rates"] == {"1": 40, "2": 20}


def test_a_measurement_that_cannot_be_kept_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AuditError) as caught:
        remember(tmp_path / "gone" / "machine.json", "{}")
    assert str(caught.value) == (
        f"{tmp_path / 'gone'}: cannot write to the cache: No such file or directory\n"
        "  name another folder with the variable AUDITKIT_CACHE"
    )


@pytest.mark.parametrize(
    ("device", "told", "units", "count"),
    [
        ("cuda:0", {}, 40, 4),
        ("cpu", {"workers": 4}, 40, 4),
        ("cpu", {"threads": 2}, 40, 4),
        ("cpu", {}, 3, 4),
        ("cpu", {}, 40, 1),
        ("cpu", {}, 40, 5),
    ],
    ids=["a GPU", "workers told", "threads told", "few units", "one core", "an odd number of cores"],
)
def test_a_split_that_is_not_asked_is_not_measured(device: str, told: dict[str, int], units: int, count: int) -> None:
    pool, load = Asked({}), Load(units, 10, GIB)
    assert threads_of_each(Settings(Path("a.toml"), device=device, **told), machine(device), load, count, pool) == 1
    assert pool == []


TWO_NETWORKS = """\
[audit]
title = "x"
[data]
dataset = { use = "faces", images = 50 }
[[task]]
target = "Male"
[recipe]
init = "imagenet"
model = { use = "torchvision", name = "alexnet" }
[[arm]]
name = "small"
[[arm]]
name = "large"
recipe = { model = { use = "torchvision", name = "vgg11" } }
"""


class Noting(list[ComponentRef]):
    """An executor that remembers whose weights are to be had."""

    processes = 1

    def submit(self, function: str, item: ComponentRef) -> Future[None]:
        assert function == OBTAIN
        self.append(item)
        future: Future[None] = Future()
        future.set_result(None)
        return future


def test_weights_are_had_of_every_network_once_before_training(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TWO_NETWORKS)
    noted = Noting()
    obtain_weights(prepare(Settings(tmp_path / "a.toml", store=tmp_path / "store")), noted)
    assert [model.options for model in noted] == [{"name": "alexnet"}, {"name": "vgg11"}]


def test_a_process_tells_how_fast_it_is() -> None:
    with Local(2, 1, silent) as pool:
        found = threads_of_each(Settings(Path("a.toml")), replace(machine("cpu"), cores=2), Load(9, 9, 9), 2, pool)
    (file,) = cache_folder("machines").glob("*.json")
    rates = json.loads(file.read_text())["rates"]
    assert found in (1, 2)
    assert all(rate > 1 for rate in rates.values())


@pytest.fixture(autouse=True)
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache in which no machine is remembered."""
    monkeypatch.setenv("AUDITKIT_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("free_gib", "image_gib", "units", "visits", "expected"),
    [
        (76, 1, 40, 50_000, 3),
        (76, 10, 40, 50_000, 2),
        (76, 1, 2, 50_000, 2),
        (76, 1, 40, 5_000_000, 1),
        (22, 1, 40, 50_000, 1),
        (8, 10, 40, 50_000, 1),
    ],
    ids=["small", "many images", "two units", "large", "a smaller GPU", "a full GPU"],
)
def test_small_units_run_side_by_side_on_a_gpu_that_has_room(
    free_gib: int, image_gib: int, units: int, visits: int, expected: int
) -> None:
    load = Load(units, visits, image_gib * GIB)
    assert division(Settings(Path("a.toml")), machine("cuda:0", free_gib), load, 16)[0] == expected


def test_a_gpu_has_no_more_units_at_once_than_there_are_cores() -> None:
    assert division(Settings(Path("a.toml")), machine("cuda:0", 76), Load(40, 50_000, GIB), 2) == (2, 1)


def test_the_device_of_a_unit_is_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that nobody gives a device lies on the current one, and a graph records nothing of another's work."""
    seen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", seen.append)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    choose_algorithms(torch.device("cuda", 1), deterministic=False)
    choose_algorithms(torch.device("cpu"), deterministic=False)
    assert seen == [torch.device("cuda", 1)]
