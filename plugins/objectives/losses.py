"""Losses of the logit margin. With two classes, cross-entropy is softplus(-margin) where the truth is 1."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field gives it
from torch import nn

from auditkit import Objective
from auditkit_plugins.objectives.options import CrossEntropyOptions, FocalOptions, GroupDROOptions, ReweightOptions


class CrossEntropy(Objective):
    """The mean negative log-likelihood."""

    Options = CrossEntropyOptions

    def build(self, stratum_counts: tuple[int, ...]) -> nn.Module:
        """Return the loss; it has no state."""
        return _CrossEntropy(self.options.label_smoothing)


class _CrossEntropy(nn.Module):
    def __init__(self, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(self, margin: torch.Tensor, truth: torch.Tensor, stratum: torch.Tensor) -> torch.Tensor:
        target = truth * (1 - self.smoothing) + self.smoothing / 2
        return F.binary_cross_entropy_with_logits(margin, target)


class Reweight(Objective):
    """Cross-entropy in which rare strata weigh more.

    An image of stratum g weighs N n_g**-power / sum_h n_h**(1 - power): the mean weight over the N training images is
    1, so that the learning rate means the same at every power. At power 1 that is N / (G n_g), scikit-learn's
    "balanced"; SubpopBench's ReWeight differs from it by a constant factor.
    """

    Options = ReweightOptions

    def build(self, stratum_counts: tuple[int, ...]) -> nn.Module:
        """Return the loss; its buffer is the weight of each stratum, 0 where there are no images."""
        counts = torch.tensor(stratum_counts, dtype=torch.float64)
        raw = torch.where(counts > 0, counts.clamp(min=1) ** -self.options.power, 0.0)
        return _Weighted((raw * counts.sum() / (raw * counts).sum()).float())


class _Weighted(nn.Module):
    weight: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)

    def forward(self, margin: torch.Tensor, truth: torch.Tensor, stratum: torch.Tensor) -> torch.Tensor:
        losses = F.binary_cross_entropy_with_logits(margin, truth, reduction="none")
        return (losses * self.weight[stratum]).mean()


class GroupDRO(Objective):
    """Group distributionally robust optimisation (Sagawa et al. 2020, Algorithm 1), on whatever sampler the arm has.

    In every batch q_g <- q_g exp(step_size loss_g), normalised; the loss is the sum of q_g loss_g, where loss_g is the
    mean over the images of group g, 0 without any. Only groups with training images take part.
    """

    Options = GroupDROOptions

    def build(self, stratum_counts: tuple[int, ...]) -> nn.Module:
        """Return the loss; its buffer is q."""
        there = (torch.tensor(stratum_counts) > 0).float()
        return _GroupDRO(there / there.sum(), self.options.step_size)


class _GroupDRO(nn.Module):
    q: torch.Tensor

    def __init__(self, q: torch.Tensor, step_size: float) -> None:
        super().__init__()
        self.step_size = step_size
        self.register_buffer("q", q)

    def forward(self, margin: torch.Tensor, truth: torch.Tensor, stratum: torch.Tensor) -> torch.Tensor:
        losses = F.binary_cross_entropy_with_logits(margin, truth, reduction="none")
        member = F.one_hot(stratum, len(self.q)).to(losses.dtype)
        group_losses = losses @ member / member.sum(dim=0).clamp(min=1)
        with torch.no_grad():
            # In place: a captured CUDA graph, and the checkpoint, keep hold of this very tensor.
            self.q.mul_(torch.exp(self.step_size * group_losses))
            self.q.div_(self.q.sum())
        return (self.q.clone() * group_losses).sum()


class Focal(Objective):
    """Focal loss (Lin et al. 2017): cross-entropy times (1 - p)**gamma, where p is the probability of the truth."""

    Options = FocalOptions

    def build(self, stratum_counts: tuple[int, ...]) -> nn.Module:
        """Return the loss; it has no state."""
        return _Focal(self.options.gamma)


class _Focal(nn.Module):
    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, margin: torch.Tensor, truth: torch.Tensor, stratum: torch.Tensor) -> torch.Tensor:
        losses = F.binary_cross_entropy_with_logits(margin, truth, reduction="none")
        wrong = torch.sigmoid(torch.where(truth > 0.5, -margin, margin))
        return (losses * wrong**self.gamma).mean()
