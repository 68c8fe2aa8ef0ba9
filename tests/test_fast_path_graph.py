"""Steps on twins: a unit's state goes in, is trained, and comes out as if it had been trained where it lay."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from training_toys import OBJECTIVE, OPTIMIZERS, batches, build, recipe

from auditkit import Objective
from auditkit.engine.work import ComponentRef
from auditkit.training import graph
from auditkit.training.checkpoint import Progress
from auditkit.training.device import Compute
from auditkit.training.network import build_network
from auditkit.training.optimization import make_optimizer
from auditkit.training.steps import Eager, margins
from auditkit_plugins.objectives import losses, options

CPU = Compute(torch.device("cpu"), "float32", 1)
MODEL = ComponentRef("model", "small-cnn", {"width": 8, "blocks": 2})
OBJECTIVES = (
    losses.CrossEntropy(options.CrossEntropyOptions(label_smoothing=0.1)),
    losses.Reweight(options.ReweightOptions(strata=("Bald",))),
    losses.GroupDRO(options.GroupDROOptions(strata=("Bald",), step_size=0.5)),
    losses.Focal(options.FocalOptions()),
)
HALF = Compute(torch.device("cpu"), "float16", 1)


def fresh(seed: int, spec: Any, compute: Compute = CPU) -> Progress:
    module, objective = build_network(build(MODEL), seed), build(OBJECTIVE).build((3, 2))
    return Progress(module.train(), objective, make_optimizer(spec.optimizer, module.parameters()), compute.scaler())


def state(progress: Progress) -> list[torch.Tensor]:
    moments = [t for s in progress.optimizer.state_dict()["state"].values() for t in s.values()]
    parts = (*progress.module.state_dict().values(), *progress.objective.state_dict().values(), *moments)
    return [tensor.clone() for tensor in parts]


@OPTIMIZERS
@pytest.mark.parametrize("compute", [CPU, HALF], ids=["float32", "float16"])
def test_twins_train_one_unit_after_another_as_each_would_be_alone(changes: dict[str, Any], compute: Compute) -> None:
    spec = recipe(**changes)
    twins = graph.Twins(fresh(9, spec, compute), spec.optimizer, compute, compiled=False)
    for seed in (0, 1):
        alone, together = fresh(seed, spec, compute), fresh(seed, spec, compute)
        eager, on_twins = Eager(alone, compute), graph.Graphed(twins, together)
        for _epoch in range(2):
            on_twins.begin()
            for batch in batches():
                eager.step(batch, 0.05)
                twins.set_rate(0.05)
                twins.run(batch)
            on_twins.end()
            for ours, theirs in zip(state(together), state(alone), strict=True):
                assert torch.equal(ours, theirs)
            assert together.scaler.state_dict() == alone.scaler.state_dict()


@OPTIMIZERS
def test_a_gradient_that_overflows_float16_halves_the_scale_and_leaves_the_weights(changes: dict[str, Any]) -> None:
    spec = recipe(**changes)
    progress = fresh(0, spec, HALF)
    progress.scaler.load_state_dict(progress.scaler.state_dict() | {"scale": 2.0**40})
    before = [parameter.detach().clone() for parameter in progress.module.parameters()]
    eager = Eager(progress, HALF)
    eager.step(batches()[0], 0.05)
    assert progress.scaler.get_scale() == 2.0**39
    assert all(torch.equal(*both) for both in zip(before, progress.module.parameters(), strict=True))
    while progress.scaler.get_scale() > 2.0**20:
        eager.step(batches()[0], 0.05)
    losses = [float(eager.step(batches()[0], 0.05)) for _ in range(30)]
    assert losses[-1] < losses[0] / 2, losses


def toy_batch(rows: int, size: int) -> graph.Batch:
    return torch.zeros(rows, size, size, 3, dtype=torch.uint8), torch.zeros(rows), torch.zeros(rows, dtype=torch.int64)


def test_whether_steps_are_compiled_depends_on_no_other_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    told: list[str] = []
    spec = recipe()

    class Twins:
        def __init__(self, *_: object, compiled: bool) -> None:
            made.append(compiled)
            self.compiled = compiled
            self.progress = fresh(9, spec)

        def step(self, *_: object) -> None:
            """The first batch, to capture with."""

    graph.forget()
    monkeypatch.setattr(graph, "Twins", Twins)
    on_gpu = Compute(torch.device("cuda", 0), "float32", 1)
    for visits in (10, 20, graph.WORTH_COMPILING, 10):
        graph.steps_of(
            fresh(0, spec), spec.optimizer, on_gpu, graph.Kind("network"), lambda: toy_batch(6, 16), visits, told.append
        )
    graph.forget()
    assert made == [False, True, False]
    assert told == []
    made.clear()
    monkeypatch.setattr(graph, "has_all_kernels", lambda _: True)
    graph.steps_of(
        fresh(0, spec),
        spec.optimizer,
        on_gpu,
        graph.Kind("network"),
        lambda: toy_batch(6, 16),
        graph.WORTH_COMPILING,
        told.append,
    )
    graph.forget()
    assert made == [False], "of layers that all have kernels nothing is compiled"


def test_steps_that_cannot_be_compiled_are_captured_and_those_that_cannot_be_captured_are_eager_and_said_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    spec = recipe()
    on_gpu = Compute(torch.device("cuda", 0), "float32", 1)
    can = {"captured"}

    def capture(twins: graph.Twins, batch: graph.Batch) -> Any:
        what = "compiled" if twins.compiled else "captured"
        if what not in can:
            raise RuntimeError(f"no {what} step\nand many more lines")
        return graph._Captured(Replayed(), batch, torch.zeros(()))  # type: ignore[arg-type]

    class Replayed:
        """Takes no step at all."""

        def replay(self) -> None:
            """As a graph is replayed."""

    def how(kind: str) -> str:
        visits = graph.WORTH_COMPILING
        steps = graph.steps_of(
            fresh(0, spec, HALF),
            spec.optimizer,
            on_gpu,
            graph.Kind(kind),
            lambda: toy_batch(6, 16),
            visits,
            told.append,
        )
        return steps.how

    graph.forget()
    plain = graph.Twins.__init__
    monkeypatch.setattr(
        graph.Twins, "__init__", lambda self, p, s, c, *, compiled: plain(self, p, s, CPU, compiled=compiled)
    )
    monkeypatch.setattr(graph.Twins, "_capture", capture)
    monkeypatch.setattr(graph, "_recover", lambda device: None)
    assert [how("one"), how("one")] == ["captured", "captured"]
    can.clear()
    assert [how("two"), how("two")] == ["eager", "eager"]
    can.add("compiled")
    assert how("three") == "compiled"
    graph.forget()
    slower = ["training steps cannot be compiled and are slower: RuntimeError: no compiled step"]
    assert told == [
        *slower,
        *slower,
        "training steps cannot be captured and are slower: RuntimeError: no captured step",
    ]


@pytest.mark.parametrize("compute", [CPU, Compute(torch.device("cpu"), "bfloat16", 1)], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_a_compiled_forward_pass_is_one_graph_and_gives_the_loss_and_gradients_of_an_eager_one(
    objective: Objective, compute: Compute
) -> None:
    """Traced as for a GPU, whole; the code that is made of the trace is torch's own, for want of a GPU."""
    spec = recipe()
    module = build_network(build(MODEL), 0).train()
    loss = objective.build((3, 2))
    found = []
    for ask in (margins, torch.compile(margins, dynamic=False, fullgraph=True, backend="aot_eager")):
        twin, objective_twin = copy.deepcopy(module), copy.deepcopy(loss)
        optimizer = make_optimizer(spec.optimizer, twin.parameters())
        twins = graph.Twins(
            Progress(twin, objective_twin, optimizer, compute.scaler()), spec.optimizer, compute, compiled=False
        )
        twins.set_rate(0.05)
        losses = [float(twins.run(batch, ask)) for batch in batches()]
        found.append((losses, [p.grad.clone() for p in twins.progress.module.parameters()], state(twins.progress)))
    torch.compiler.reset()
    (eager, gradients, after), (compiled, *theirs) = found
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if compute is CPU else {"rtol": 0.05, "atol": 0.02}
    assert compiled == pytest.approx(eager, rel=tolerance["rtol"])
    for ours, other in zip((*gradients, *after), (*theirs[0], *theirs[1]), strict=True):
        torch.testing.assert_close(ours, other, **tolerance)


def test_a_network_is_compiled_once_for_all_objectives_and_seeds() -> None:
    spec = recipe()
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(margins, dynamic=False, fullgraph=True, backend=counter)
    for objective in OBJECTIVES:
        for seed in (0, 1):
            module, loss = build_network(build(MODEL), seed).train(), objective.build((3, 2))
            progress = Progress(module, loss, make_optimizer(spec.optimizer, module.parameters()), CPU.scaler())
            twins = graph.Twins(progress, spec.optimizer, replace(CPU), compiled=False)
            twins.set_rate(0.05)
            twins.run(batches()[0], compiled)
    torch.compiler.reset()
    assert counter.frame_count == 1


def test_batches_of_another_size_are_stepped_eagerly_beside_captured_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    spec = recipe()
    alone, together = fresh(0, spec), fresh(0, spec)
    twins = graph.Twins(fresh(9, spec), spec.optimizer, CPU, compiled=False)

    class Replayed:
        """Takes the step of a captured batch anew, on the tensors of the capture."""

        def __init__(self, batch: graph.Batch) -> None:
            self.batch = batch

        def replay(self) -> None:
            twins.run(self.batch)

    def capture(_: graph.Twins, batch: graph.Batch) -> Any:
        made.append(len(batch[1]))
        static = (batch[0].clone(), batch[1].clone(), batch[2].clone())
        return graph._Captured(Replayed(static), static, torch.zeros(()))  # type: ignore[arg-type]

    monkeypatch.setattr(graph.Twins, "_capture", capture)
    eager, on_twins = Eager(alone, CPU), graph.Graphed(twins, together)
    on_twins.begin()
    for batch in batches():
        eager.step(batch, 0.05)
        on_twins.step(batch, 0.05)
    on_twins.end()
    for ours, theirs in zip(state(together), state(alone), strict=True):
        assert torch.equal(ours, theirs)


def test_a_capture_that_fails_while_warming_up_leaves_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = recipe()
    twins = graph.Twins(fresh(0, spec), spec.optimizer, CPU, compiled=False)

    def warm_up(_: graph.Twins, batch: graph.Batch, *rest: object) -> None:
        twins.run(batch)
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(graph.Twins, "_warm_up", warm_up)
    for name in ("get_rng_state", "set_rng_state", "current_stream", "set_stream", "CUDAGraph", "Stream"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    before = state(twins.progress)
    twins.set_rate(0.05)
    with pytest.raises(torch.OutOfMemoryError):
        twins.step(batches()[0], 0.05)
    after = state(twins.progress)
    assert all(torch.equal(a, b) for a, b in zip(before, after[: len(before)], strict=True))
