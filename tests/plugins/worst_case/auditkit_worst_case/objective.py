"""Group distributionally robust optimisation: Sagawa et al., Distributionally Robust Neural Networks, ICLR 2020."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

import auditkit
from auditkit_worst_case import WorstCaseOptions


class WorstCase(auditkit.Objective):
    Options = WorstCaseOptions

    def build(self, stratum_counts: tuple[int, ...]) -> nn.Module:
        return _Loss(len(stratum_counts), self.options.step)


class _Loss(nn.Module):
    weights: Tensor

    def __init__(self, groups: int, step: float) -> None:
        super().__init__()
        self.step = step
        self.register_buffer("weights", torch.full((groups,), 1 / groups))

    def forward(self, margin: Tensor, truth: Tensor, stratum: Tensor) -> Tensor:
        losses = binary_cross_entropy_with_logits(margin.float(), truth, reduction="none")
        groups = len(self.weights)
        counts = torch.bincount(stratum, minlength=groups)
        sums = torch.zeros(groups, device=losses.device).index_add(0, stratum, losses)
        means = sums / counts.clamp(min=1)
        if self.training:
            grown = self.weights * torch.exp(self.step * means.detach())
            self.weights.copy_(grown / grown.sum())
        return (self.weights * means).sum()
