"""How a run divides the machine between the units at work."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from auditkit.engine import running
from auditkit.engine.prepare import Settings
from auditkit.engine.schedule import Places
from auditkit.engine.work import Machine
from auditkit.training.device import choose_algorithms

CORES, UNDONE = 16, 40


def places(monkeypatch: pytest.MonkeyPatch, device: str, **told: int) -> Places:
    """Where a run of many units would compute, on a machine of 16 cores."""
    found: list[Places] = []

    class Pool:
        def __init__(self, processes: int, *_: object) -> None:
            self.processes = processes

        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing was started."""

        def submit(self, *_: object) -> Any:
            return SimpleNamespace(result=lambda: Machine(device, "", "bfloat16", CORES, "", ""))

        def shrink(self, processes: int) -> None:
            self.processes = processes

    def execute(_: object, __: object, chosen: Places, ___: object) -> tuple[()]:
        found.append(chosen)
        return ()

    stand_ins = {
        "Local": Pool, "execute": execute, "undone": lambda _: [None] * UNDONE, "_cores": lambda: CORES,
        "_obtain_weights": lambda *_: None, "ensure_images": lambda *_: None,
    }  # fmt: skip
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(running, name, stand_in)
    image = SimpleNamespace(audit=SimpleNamespace(data=SimpleNamespace(image=None)))
    read = SimpleNamespace(settings=Settings(Path("a.toml"), device=device, **told), resolved=image)
    store = SimpleNamespace(require_writable=lambda: None)
    prepared: Any = SimpleNamespace(read=read, store=store, dataset=None, pools=SimpleNamespace(rows=None))
    running.train(prepared, lambda event: None)
    return found[0]


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
def test_units_at_once_and_threads_for_each(
    monkeypatch: pytest.MonkeyPatch, device: str, told: dict[str, int], expected: tuple[int, int]
) -> None:
    found = places(monkeypatch, device, **told)
    assert (found.processes, found.threads) == expected


def test_the_device_of_a_unit_is_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that nobody gives a device lies on the current one, and a graph records nothing of another's work."""
    seen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", seen.append)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    choose_algorithms(torch.device("cuda", 1), deterministic=False)
    choose_algorithms(torch.device("cpu"), deterministic=False)
    assert seen == [torch.device("cuda", 1)]
