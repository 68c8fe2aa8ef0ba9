"""A unit at work as one safetensors file, replaced from time to time: what is needed to go on as if never stopped.

No state of a random generator is in it: every stream derives from the seed and the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from auditkit.training.weights import Tensors, read, save


@dataclass(slots=True)
class Progress:
    """What training changes. `history` has one record per finished epoch; `best` are weights, where they are selected.

    `best_epoch` counts from 0. `facts` are remembered with the checkpoint: threads, precision, devices, steps.
    """

    module: nn.Module
    objective: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    history: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int | None = None
    best: Tensors = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def keep_best(self) -> None:
        """Remember a copy of the weights of the epoch just finished."""
        self.best_epoch = len(self.history) - 1
        self.best = {name: tensor.detach().clone() for name, tensor in self.module.state_dict().items()}


def write_checkpoint(progress: Progress, path: Path) -> None:
    """Replace the checkpoint."""
    scaler = progress.scaler.state_dict()
    record = {
        "history": progress.history, "best_epoch": progress.best_epoch, "facts": progress.facts, "scaler": scaler
    }  # fmt: skip
    save(dict(_tensors(progress)), path, record)


@dataclass(slots=True)
class Saved:
    """A checkpoint that was read; nothing where there was none. Its tensors go when it is restored."""

    tensors: Tensors = field(default_factory=dict, repr=False)
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """The facts that it remembers; {} when there is none."""
        return dict(self.record.get("facts", {}))


def read_checkpoint(path: Path) -> Saved:
    """What `write_checkpoint` wrote, where it did."""
    return Saved(*read(path)) if path.exists() else Saved()


def restore(progress: Progress, saved: Saved) -> None:
    """Go on from a checkpoint, when there is one."""
    if not saved.record:
        return
    record = saved.record
    tensors, saved.tensors = saved.tensors, {}
    progress.history = list(record["history"])
    progress.best_epoch = record["best_epoch"]
    progress.scaler.load_state_dict(record.get("scaler", {}))
    progress.module.load_state_dict(_part(tensors, "model."))
    progress.objective.load_state_dict(_part(tensors, "objective."))
    progress.best = _part(tensors, "best.")
    _restore_optimizer(progress.optimizer, _part(tensors, "optimizer."))


def _tensors(progress: Progress) -> Iterator[tuple[str, torch.Tensor]]:
    parts: dict[str, Mapping[str, torch.Tensor]] = {
        "model": progress.module.state_dict(),
        "objective": progress.objective.state_dict(),
        "best": progress.best,
    }
    for part, tensors in parts.items():
        yield from ((f"{part}.{name}", tensor) for name, tensor in tensors.items())
    for position, state in progress.optimizer.state_dict()["state"].items():
        yield from ((f"optimizer.{position}.{key}", tensor) for key, tensor in state.items() if tensor is not None)


def _part(tensors: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Give the optimizer its state back, in the memory layout of the parameters, which fused steps rely on."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        position, key = name.split(".", 1)
        like = parameters[int(position)]
        laid_out = torch.empty_like(like, dtype=tensor.dtype).copy_(tensor) if tensor.shape == like.shape else tensor
        state.setdefault(int(position), {})[key] = laid_out
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
