"""How a run divides the machine between the units at work."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auditkit.engine.prepare import Settings
from auditkit.engine.running import division
from auditkit.training.device import choose_algorithms


@pytest.mark.parametrize(
    ("device", "told", "expected"),
    [
        ("cpu", {}, (16, 1)),
        ("cpu", {"workers": 4}, (4, 4)),
        ("cpu", {"threads": 2}, (16, 2)),
        ("cuda:0", {}, (1, 16)),
        ("cuda:0", {"workers": 4}, (4, 4)),
        ("cuda:0", {"threads": 3}, (1, 3)),
    ],
)
def test_units_at_once_and_threads_for_each(device: str, told: dict[str, int], expected: tuple[int, int]) -> None:
    assert division(Settings(Path("a.toml"), device=device, **told), device, 40, 16) == expected


def test_few_units_have_several_cores_each() -> None:
    assert division(Settings(Path("a.toml")), "cpu", 3, 16) == (3, 5)


def test_the_device_of_a_unit_is_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that nobody gives a device lies on the current one, and a graph records nothing of another's work."""
    seen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", seen.append)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    choose_algorithms(torch.device("cuda", 1), deterministic=False)
    choose_algorithms(torch.device("cpu"), deterministic=False)
    assert seen == [torch.device("cuda", 1)]
