"""Steps on a GPU, captured or compiled, come to what eager steps come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch._dynamo.utils import counters
from training_toys import OBJECTIVE, OPTIMIZERS, Events, batches, build, recipe, unit_work

from auditkit.engine.store import Store
from auditkit.engine.unit import run_unit
from auditkit.engine.work import ComponentRef
from auditkit.events import Notice
from auditkit.training import graph
from auditkit.training.checkpoint import Progress
from auditkit.training.device import Compute
from auditkit.training.optimization import make_optimizer
from auditkit.training.pixels import Normalise


class Uncapturable(torch.nn.Module):
    """Asks the device for a number, which a capture cannot answer."""

    def forward(self, margin: torch.Tensor, truth: torch.Tensor, stratum: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(margin, truth) * (1 + 0 * truth.sum().item())


@pytest.mark.gpu
def test_what_cannot_be_captured_runs_eagerly_and_still_draws_noise() -> None:
    told: list[str] = []
    device = torch.device("cuda", 0)
    layers = (Normalise(), torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(3 * 16 * 16, 2))
    network = torch.nn.Sequential(*layers).to(device)
    spec = recipe().optimizer
    compute = Compute(device, "float32", 1)
    progress = Progress(network, Uncapturable(), make_optimizer(spec, network.parameters()), compute.scaler())
    images, truth, stratum = (tensor.to(device) for tensor in batches()[0])
    stream = torch.cuda.current_stream()
    steps = graph.steps_of(
        progress, spec, compute, graph.Kind("uncapturable"), lambda: (images, truth, stratum), 1, told.append
    )
    assert steps.how == "eager"
    assert [one.split(":")[0] for one in told] == ["training steps cannot be captured and are slower"]
    assert torch.cuda.current_stream() == stream
    assert len({float(steps.step((images, truth, stratum), 0.0)) for _ in range(3)}) == 3, "dropout drew no noise"


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_units_share_code_that_is_compiled_and_come_to_the_losses_of_eager_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(graph, "WORTH_COMPILING", 1)
    graph.forget()
    counters.clear()
    spec = recipe(batch_size=20, precision=precision)
    found = {}
    for device in ("cpu", "cuda"):
        (tmp_path / device).mkdir()
        for seed, objective in enumerate((ComponentRef("objective", "cross-entropy", {}), OBJECTIVE, OBJECTIVE)):
            item = unit_work(
                tmp_path / device, device=device, digest=f"d{seed}", seed=seed, recipe=spec, objective=objective
            )
            events = Events()
            run_unit(item, build, events)
            assert Store(Path(item.store)).facts(item.digest)["steps"] == ["eager" if device == "cpu" else "compiled"]
            assert events.of(Notice) == []
            found[device, seed] = [epoch["loss"] for epoch in Store(Path(item.store)).history(item.digest)]
    assert counters["stats"]["unique_graphs"] == 1
    tolerance = {"rel": 0.02, "abs": 1e-3} if precision == "float32" else {"rel": 0.15, "abs": 0.02}
    for seed in range(3):
        assert found["cuda", seed] == pytest.approx(found["cpu", seed], **tolerance)


@pytest.mark.gpu
@OPTIMIZERS
def test_graphs_come_to_the_losses_of_eager_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # its ten bits would be what is compared
    spec = recipe(batch_size=20, **changes)  # 96 rows in batches of 20, 20, 20, 18, 18: one graph
    found = {}
    for device in ("cpu", "cuda"):
        (tmp_path / device).mkdir()
        for digest, seed in (("d1", 0), ("d2", 1)):
            item = unit_work(tmp_path / device, device=device, digest=digest, seed=seed, recipe=spec)
            events = Events()
            run_unit(item, build, events)
            assert Store(Path(item.store)).facts(digest)["steps"] == ["eager" if device == "cpu" else "captured"]
            assert events.of(Notice) == []
            found[device, seed] = [epoch["loss"] for epoch in Store(Path(item.store)).history(digest)]
    for seed in (0, 1):
        assert found["cuda", seed] == pytest.approx(found["cpu", seed], rel=0.02, abs=1e-3)
