"""A small convolutional network, for trials on a CPU and for tests."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from auditkit import Model
from auditkit_plugins.models.options import SmallCNNOptions


class SmallCNN(Model):
    """Blocks of 3x3 convolution, batch normalisation, ReLU and 2x2 max pooling; then the mean over the image."""

    Options = SmallCNNOptions

    def build(self, outputs: int) -> nn.Module:
        """Return the network."""
        widths = [3, *(self.options.width * 2**block for block in range(self.options.blocks))]
        blocks = [_block(a, b) for a, b in pairwise(widths)]
        pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*blocks, *pool, nn.Linear(widths[-1], outputs))

    def head(self) -> str:
        """The layer after the blocks, the pooling and the flattening."""
        return str(self.options.blocks + 2)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2))
