"""The state of a unit in training copied into tensors that are there already, as CUDA graphs need it: by place."""

from __future__ import annotations

import copy

import torch
from torch import nn

from auditkit.training.checkpoint import Progress


def snapshot(progress: Progress) -> Progress:
    """The state of a unit in tensors of its own."""
    twin = copy.deepcopy(progress.module)
    objective, scaler = copy.deepcopy(progress.objective), copy.deepcopy(progress.scaler)
    found = Progress(twin, objective, torch.optim.SGD(_trained(twin), lr=0.0), scaler)
    _copy_moments(progress.optimizer, found.optimizer)
    return found


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


@torch.no_grad()
def transfer(source: Progress, target: Progress) -> None:
    """Copy weights, statistics, the objective's and the scaler's state, and moments, in place."""
    for part in ("module", "objective"):
        ours, theirs = (getattr(progress, part).state_dict(keep_vars=True) for progress in (source, target))
        for name, tensor in theirs.items():
            tensor.copy_(ours[name])
    target.scaler.load_state_dict(source.scaler.state_dict())
    _copy_moments(source.optimizer, target.optimizer)


@torch.no_grad()
def _copy_moments(source: torch.optim.Optimizer, target: torch.optim.Optimizer) -> None:
    """Copy what an optimizer remembers, in place where it is there; what the source lacks is zero, as at the start."""
    for ours, theirs in zip(_parameters(source), _parameters(target), strict=True):
        state, wanted = source.state[ours], target.state[theirs]
        for key in (*state, *(key for key in wanted if key not in state)):
            if state.get(key) is None:
                if wanted.get(key) is not None:
                    wanted[key].zero_()
            elif wanted.get(key) is None:
                wanted[key] = state[key].clone()
            else:
                wanted[key].copy_(state[key])


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
