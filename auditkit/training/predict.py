"""Networks at rest: margins and features of a draw, in large batches, without gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from auditkit.training.batches import Pictures
from auditkit.training.device import Compute
from auditkit.training.network import Network, margin

# On a CPU the activations of more images would leave its caches; a GPU is idle below a thousand.
_BATCH = {"cpu": 128, "cuda": 1024, "mps": 256}


def margins(network: Network, pictures: Pictures, compute: Compute) -> NDArray[np.float32]:
    """(n,) float32 logit margins of every image, in the order of the draw."""
    (found,) = _over(network, lambda images: (margin(network(images)),), pictures, compute)
    return found.cpu().numpy()


def features(network: Network, pictures: Pictures, compute: Compute) -> torch.Tensor:
    """(n, width) float32 inputs of the last layer, on the device."""
    (found,) = _over(network, lambda images: (network.features(images),), pictures, compute)
    return found


def margins_and_features(
    network: Network, pictures: Pictures, compute: Compute
) -> tuple[NDArray[np.float32], torch.Tensor]:
    """What `margins` and `features` give, to the bit, in one pass."""

    def both(images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        seen = network.features(images)
        return margin(network.logits(seen)), seen

    found, seen = _over(network, both, pictures, compute)
    return found.cpu().numpy(), seen


def head_margins(head: nn.Module, features: torch.Tensor) -> NDArray[np.float32]:
    """(n,) float32 logit margins from features."""
    with torch.no_grad():
        return margin(head(features)).cpu().numpy()


def accuracy(margin: NDArray[np.float32], truth: NDArray[np.int8]) -> float | None:
    """Share of right predictions, positive where the margin exceeds 0; None without images."""
    return float(((margin > 0) == (truth == 1)).mean()) if len(truth) else None


def _over(
    network: nn.Module, read: Callable[[torch.Tensor], tuple[torch.Tensor, ...]], pictures: Pictures, compute: Compute
) -> list[torch.Tensor]:
    """Each of the outputs, float32, on the device."""
    was_training = network.training
    network.eval()
    with torch.no_grad(), compute.autocast():
        parts = positions(len(pictures), _BATCH[compute.device.type], full=compute.device.type == "cuda")
        outputs = [read(pictures.gather(index)) for index in parts]
    network.train(was_training)
    return [torch.cat(parts)[: len(pictures)].to(torch.float32) for parts in zip(*outputs, strict=True)]


def positions(count: int, size: int, *, full: bool) -> tuple[torch.Tensor, ...]:
    """Positions of `count` images in batches; `full` ones look at the first images again, for other sizes try anew."""
    whole = -(-count // size) * size if full else count
    return torch.split(torch.arange(whole) % max(count, 1), size)
