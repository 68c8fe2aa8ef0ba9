"""Optimizers and learning rates, as an audit's recipe describes them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from auditkit.spec.model import SGD, AdamW, Constant, OneCycle


def make_optimizer(
    spec: SGD | AdamW, parameters: Iterable[torch.nn.Parameter], rate: torch.Tensor | None = None
) -> torch.optim.Optimizer:
    """Build the optimizer; fused, but for SGD on a CPU, where that gains nothing (`benchmarks/techniques.py`).

    With `rate`, a scalar on the device that holds the learning rate, its steps can be captured in a CUDA graph.
    """
    trained = [p for p in parameters if p.requires_grad]
    device = trained[0].device.type
    if isinstance(spec, SGD):
        optimizer = torch.optim.SGD(
            trained,
            lr=spec.lr if rate is None else rate,
            momentum=spec.momentum,
            nesterov=spec.nesterov,
            weight_decay=spec.weight_decay,
            fused=device == "cuda",
        )
        if spec.momentum:  # else torch's fused step, left out because float16 overflowed, leaves the first unset
            optimizer.state.update({p: {"momentum_buffer": torch.zeros_like(p)} for p in trained})
        return optimizer
    return torch.optim.AdamW(
        trained,
        lr=spec.lr if rate is None else rate,
        weight_decay=spec.weight_decay,
        fused=device in ("cpu", "cuda"),
        capturable=rate is not None and rate.device.type == "cuda",
    )


def rate(schedule: Constant | OneCycle, step: int, steps: int) -> float:
    """Factor on the learning rate at a step, counted from 0, of `steps`."""
    if isinstance(schedule, Constant):
        return 1.0
    rising = max(1, round(schedule.warm_up * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising + 1) / (steps - rising + 1)))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every parameter."""
    for group in optimizer.param_groups:
        group["lr"] = rate
