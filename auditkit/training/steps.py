"""An optimizer step, as PyTorch takes it by itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from auditkit.training.batches import Batch
from auditkit.training.checkpoint import Progress
from auditkit.training.device import Compute
from auditkit.training.network import margin
from auditkit.training.optimization import set_rate

Ask = Callable[[nn.Module, torch.Tensor, Compute], torch.Tensor]
"""What a network says of inputs: float32 margins."""


def margins(module: nn.Module, inputs: torch.Tensor, compute: Compute) -> torch.Tensor:
    """(n,) float32 margins of (n, ...) inputs: what is compiled."""
    with compute.autocast():
        logits = module(inputs)
    return margin(logits.to(torch.float32))


def forward(progress: Progress, batch: Batch, compute: Compute, ask: Ask = margins) -> torch.Tensor:
    """The loss of a batch; a float32 scalar."""
    inputs, truth, stratum = batch
    loss: torch.Tensor = progress.objective(ask(progress.module, inputs, compute), truth, stratum)
    return loss


def descend(progress: Progress, loss: torch.Tensor) -> None:
    """Backward and update; in float16 of the scaled loss, and without an update where a gradient overflows."""
    progress.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    progress.scaler.step(progress.optimizer)
    progress.scaler.update()


class Eager:
    """A step as PyTorch runs it by itself, on the unit's own tensors."""

    how = "eager"

    def __init__(self, progress: Progress, compute: Compute) -> None:
        self._progress, self._compute = progress, compute

    def begin(self) -> None:
        """Nothing to prepare."""

    def step(self, batch: Batch, rate: float) -> torch.Tensor:
        """Forward, backward, update; the loss, a scalar that stays on the device."""
        set_rate(self._progress.optimizer, rate)
        self._progress.optimizer.zero_grad(set_to_none=True)
        loss = forward(self._progress, batch, self._compute)
        descend(self._progress, loss)
        return loss.detach()

    def end(self) -> None:
        """Nothing to bring back."""
