"""Optimizer steps as CUDA graphs: captured once per process, replayed for every unit of the same kind.

A small network's step is some 250 kernels of microseconds each; a host that launches them one by one is slower than a
large GPU that runs them. A replay is one launch. The graphs work on twins of the network, objective and optimizer: the
state of a unit is copied into the twins before an epoch and out of them after it, so that no arm or seed is captured
anew. Whatever cannot be captured runs eagerly.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import warnings
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cache

import torch

from auditkit.spec.model import SGD, AdamW
from auditkit.training.batches import Batch
from auditkit.training.checkpoint import Progress
from auditkit.training.device import Compute
from auditkit.training.network import has_all_kernels
from auditkit.training.optimization import make_optimizer
from auditkit.training.steps import Ask, Eager, descend, forward, margins
from auditkit.training.transfer import snapshot, transfer

_log = logging.getLogger(__name__)
_WARM_UP = 3
_SAID = 200
WORTH_COMPILING = 5_000_000
"""Images that a unit visits, from which on its network is compiled, if it has normalisations without own kernels.

Inductor takes half a minute, once for all arms and seeds of a network in a process. On an H100 a million images of 128
pixels then took a ResNet-18 of torch's layers 16.7 seconds, not 20.2 (`benchmarks/results/nvidia-h100-steps.md`): it is
won back after some nine million visits, by two units of five million or one long one. What kernels of our own have
written inductor copies, for 1.1 of 17.9 milliseconds, and little else is left for it. Only the unit's own visits may
decide: the last bits do, too.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes two units' steps the same but for weights and data.

    network: what the code that is compiled depends on, which is the network and how it computes, but no objective.
    rest: what the captured step depends on besides.
    """

    network: Hashable
    rest: Hashable = None


@cache
def _compiled() -> Ask:
    return torch.compile(margins, dynamic=False)


class Graphed:
    """The same step as a CUDA graph."""

    def __init__(self, twins: Twins, progress: Progress) -> None:
        self._twins, self._progress = twins, progress
        self.how = "compiled" if twins.compiled else "captured"

    def begin(self) -> None:
        """Take over the unit's state."""
        transfer(self._progress, self._twins.progress)
        self._twins.progress.module.train()

    def step(self, batch: Batch, rate: float) -> torch.Tensor:
        """Forward, backward, update; the loss, a scalar that stays on the device."""
        return self._twins.step(batch, rate)

    def end(self) -> None:
        """Give the unit its state back."""
        transfer(self._twins.progress, self._progress)


Steps = Eager | Graphed


@dataclass(slots=True)
class _Captured:
    graph: torch.cuda.CUDAGraph
    batch: Batch
    loss: torch.Tensor


class Twins:
    """What the graph of one kind of unit works on, and the graph, for batches of the shape that it met first.

    All batches of an epoch are full but the last two. Those are stepped eagerly: a capture makes the host wait for the
    device, and every draw would leave graphs of its own.
    """

    def __init__(self, progress: Progress, spec: SGD | AdamW, compute: Compute, *, compiled: bool) -> None:
        module, objective = copy.deepcopy(progress.module), copy.deepcopy(progress.objective)
        rate = torch.tensor(spec.lr, device=compute.device)
        optimizer = make_optimizer(spec, module.parameters(), rate)
        self.progress = Progress(module, objective, optimizer, compute.scaler())
        self.compiled, self._compute = compiled, compute
        self._ask = _compiled() if compiled else margins
        self._captured: _Captured | None = None
        self._pool = torch.cuda.graph_pool_handle() if compute.device.type == "cuda" else None

    def step(self, batch: Batch, rate: float) -> torch.Tensor:
        """Replay the graph, captured when the first batch is met; raises whatever the capture raises."""
        found = self._captured = self._captured or self._capture(batch)
        self.set_rate(rate)
        if batch[0].shape != found.batch[0].shape:
            with _without_tries():
                return self.run(batch, margins)
        for static, given in zip(found.batch, batch, strict=True):
            static.copy_(given, non_blocking=True)
        found.graph.replay()
        return found.loss

    def set_rate(self, rate: float) -> None:
        """Set the learning rate where the graphs read it: on the device."""
        for group in self.progress.optimizer.param_groups:
            group["lr"].fill_(rate)

    def run(self, batch: Batch, ask: Ask | None = None) -> torch.Tensor:
        """The step that is captured, or the same with the network asked in another way."""
        self.progress.optimizer.zero_grad(set_to_none=True)
        loss = forward(self.progress, batch, self._compute, ask or self._ask)
        descend(self.progress, loss)
        return loss.detach()

    def _capture(self, batch: Batch) -> _Captured:
        """Record a step. Warming up changes weights, statistics and momenta; they are put back."""
        static = (batch[0].clone(), batch[1].clone(), batch[2].clone())
        before = snapshot(self.progress)
        noise = torch.cuda.get_rng_state(self._compute.device)
        stream = torch.cuda.current_stream(self._compute.device)
        graph, side = torch.cuda.CUDAGraph(), _side(self._compute.device)
        try:
            self._warm_up(static, stream, side)
            with torch.cuda.graph(graph, pool=self._pool, stream=side):
                loss = self.run(static)
        except BaseException:
            if self._pool is not None:
                _stop_recording(self._compute.device, self._pool)
            raise
        finally:
            torch.cuda.set_stream(stream)  # a capture that fails leaves its own stream the current one
            transfer(before, self.progress)
            torch.cuda.set_rng_state(noise, self._compute.device)
        return _Captured(graph, static, loss)

    def _warm_up(self, batch: Batch, stream: torch.cuda.Stream, side: torch.cuda.Stream) -> None:
        """Take steps on another stream than `stream`, as capture demands, and leave no gradients."""
        side.wait_stream(stream)
        try:
            with torch.cuda.stream(side), warnings.catch_warnings():
                # Adam says once that a step which can be captured is not; that is what warming up is.
                warnings.filterwarnings("ignore", message="This instance was constructed with capturable=True")
                for _ in range(_WARM_UP):
                    self.run(batch)
        finally:  # whoever puts the weights back must not overtake a step
            stream.wait_stream(side)
            self.progress.optimizer.zero_grad(set_to_none=True)


_Key = tuple[Kind, bool, torch.Size]
_known: dict[_Key, Twins] = {}
"""The twins of the last kind of unit: a process meets many units of one kind, and memory has room for one."""
_refused: set[_Key] = set()
"""Kinds of unit whose steps cannot be captured."""
_uncompilable: set[tuple[Hashable, torch.Size]] = set()
"""Networks that cannot be compiled, which holds for all objectives."""
_networks: set[tuple[Hashable, torch.Size]] = set()
"""What has been compiled; one network at a time, since dynamo gives up after some."""


def steps_of(
    progress: Progress,
    spec: SGD | AdamW,
    compute: Compute,
    kind: Kind,
    first: Callable[[], Batch],
    visits: int,
    tell: Callable[[str], None],
) -> Steps:
    """How the steps of a unit are taken: by graphs on a CUDA device that can capture them, else eagerly.

    Units of one `kind` share what is captured, those of one network what is compiled. `first` makes a batch to
    capture with. `tell` hears, once per kind, why steps could not be compiled or captured. Whether a unit's steps are
    compiled depends on its own visits, never on the units before it: the last bits do, too.
    """
    if compute.device.type != "cuda":
        return Eager(progress, compute)
    worth, batch = visits >= WORTH_COMPILING and not has_all_kernels(progress.module), first()
    key = (kind, worth, batch[0].shape)
    if key in _known:
        return Graphed(_known[key], progress)
    if key not in _refused:
        _known.clear()
        twins = _twins(progress, spec, compute, key, batch, tell)
        if twins is not None:
            _known[key] = twins
            return Graphed(twins, progress)
        _refused.add(key)
    return Eager(progress, compute)


def _twins(
    progress: Progress, spec: SGD | AdamW, compute: Compute, key: _Key, batch: Batch, tell: Callable[[str], None]
) -> Twins | None:
    """Twins that have captured a batch, compiled where that is worth it and can be done; None where nothing can."""
    kind, worth, shape = key
    tried = worth and (kind.network, shape) not in _uncompilable
    for compiled in [True, False] if tried else [False]:
        try:
            if compiled:
                _compile_only(kind.network, shape)
            twins = Twins(progress, spec, compute, compiled=compiled)
            Graphed(twins, progress).begin()
            twins.step(batch, 0.0)
        except Exception as error:
            _recover(compute.device)
            if compiled:
                _uncompilable.add((kind.network, shape))
            tell(_slower("compiled" if compiled else "captured", error))
            continue
        return twins
    return None


def forget() -> None:
    """Give up what was captured and compiled, and the memory that it holds."""
    _known.clear()
    if _networks:
        torch.compiler.reset()
        _networks.clear()


def _compile_only(network: Hashable, shape: torch.Size) -> None:
    """Have no other network's code in memory."""
    if (network, shape) not in _networks:
        forget()
    _networks.add((network, shape))


def _slower(what: str, error: Exception) -> str:
    """Dynamo, inductor and capture fail in too many ways, and words, for more than the first line."""
    _log.info("a step cannot be %s", what, exc_info=error)
    first = next(iter(str(error).strip().splitlines()), "")
    return f"training steps cannot be {what} and are slower: {type(error).__name__}: {first[:_SAID]}"


@contextlib.contextmanager
def _without_tries() -> Iterator[None]:
    """Try no algorithms for shapes that come twice an epoch, with sizes of every draw's own."""
    tries = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = tries


@cache
def _side(device: torch.device) -> torch.cuda.Stream:
    """The stream on which steps warm up and are captured; cuBLAS keeps 32 MiB for every stream that it was used on."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _stop_recording(device: torch.device, pool: tuple[int, int]) -> None:
    """Else torch 2.11 goes on to record after a capture that failed, and never again gives cached memory back."""
    with contextlib.suppress(RuntimeError):  # newer ones have stopped by themselves
        torch._C._cuda_endAllocateToPool(device.index, pool)
        torch._C._cuda_releasePool(device.index, pool)


def _recover(device: torch.device) -> None:
    """Leave a capture that failed: until another succeeds, torch 2.11 takes its random generator to be captured."""
    with torch.cuda.graph(torch.cuda.CUDAGraph()):
        torch.zeros(1, device=device)
    torch.cuda.synchronize(device)
