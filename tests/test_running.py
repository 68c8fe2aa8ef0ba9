"""How a run divides the machine between the units at work."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auditkit.engine.prepare import Settings
from auditkit.engine.running import Load, division
from auditkit.engine.work import Machine
from auditkit.training.device import choose_algorithms

GIB = 2**30


def machine(device: str, free_gib: int = 0) -> Machine:
    return Machine(device, "some device", free_gib * GIB, "float32", 16, "2.14", "0.29")


@pytest.mark.parametrize(
    ("device", "told", "expected"),
    [
        ("cpu", {}, (16, 1)),
        ("cpu", {"workers": 4}, (4, 4)),
        ("cpu", {"threads": 2}, (16, 2)),
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
