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
from auditkit.training.pixels import normalise

# On a CPU the activations of more images would leave its caches; a GPU is idle below a thousand.
_BATCH = {"cpu": 128, "cuda": 1024, "mps": 256}


def margins(network: Network, pictures: Pictures, compute: Compute) -> NDArray[np.float32]:
    """(n,) float32 logit margins of every image, in the order of the draw."""
    return _over(network, lambda images: margin(network(images)), pictures, compute).cpu().numpy()


def features(network: Network, pictures: Pictures, compute: Compute) -> torch.Tensor:
    """(n, width) float32 inputs of the last layer, on the device."""
    return _over(network, network.features, pictures, compute)


def head_margins(head: nn.Module, features: torch.Tensor) -> NDArray[np.float32]:
    """(n,) float32 logit margins from features."""
    with torch.no_grad():
        return margin(head(features)).cpu().numpy()


def accuracy(margin: NDArray[np.float32], truth: NDArray[np.int8]) -> float | None:
    """Share of right predictions, positive where the margin exceeds 0; None without images."""
    return float(((margin > 0) == (truth == 1)).mean()) if len(truth) else None


def _over(
    network: nn.Module, read: Callable[[torch.Tensor], torch.Tensor], pictures: Pictures, compute: Compute
) -> torch.Tensor:
    """Float32 outputs on the device. On a GPU every batch is full, by looking at images again: other sizes try anew."""
    size, count = _BATCH[compute.device.type], len(pictures)
    whole = -(-count // size) * size if compute.device.type == "cuda" else count
    was_training = network.training
    network.eval()
    with torch.no_grad(), compute.autocast():
        parts = torch.split(torch.arange(whole) % max(count, 1), size)
        outputs = [read(normalise(pictures.gather(index))) for index in parts]
    network.train(was_training)
    return torch.cat([*outputs])[:count].to(torch.float32)
