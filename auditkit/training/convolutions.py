"""Convolutions that a CPU computes as matrix products where that is faster; their weights and names stay."""

from __future__ import annotations

import torch
from torch import nn

from auditkit.training.small_maps import OneProduct, taps_of
from auditkit.training.winograd import Winograd

_LEAST_WEIGHTS = 2**16
"""Channels in times channels out from which one product of a small map's pixels pays."""
_LEAST_CHANNELS, _LEAST_CHANNELS_WITH_AMX = 128, 256
"""From which Winograd's products pay; with AMX they run six times as fast, and the transforms around them do not."""
_LEAST_WORK = 2**16
"""Tiles of 2 x 2 pixels times channels out from which they pay: below it the transforms take as long as they save."""


class ProductConv2d(nn.Conv2d):
    """A convolution that becomes matrix products where they are faster; its weights are an nn.Conv2d's.

    Those of Winograd, which round more, are for training alone: what is predicted is computed as ever.
    """

    winograd: bool
    """Whether it is made of Winograd's products in training."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the method it replaces
        """(n, channels out, height, width) of (n, channels in, height, width)."""
        if input.device.type != "cpu" or self.weight.dtype != torch.float32:
            return super().forward(input)
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else input.dtype
        taps = self._taps(input)
        if taps is not None:
            found: torch.Tensor = OneProduct.apply(input.to(kind), self.weight, taps)
        elif self.winograd and torch.is_grad_enabled() and self._fits(input):
            found = Winograd.apply(input.to(kind), self.weight)
        else:
            found = super().forward(input)
        return found

    def _taps(self, maps: torch.Tensor) -> torch.Tensor | None:
        if self.in_channels * self.out_channels < _LEAST_WEIGHTS:
            return None
        return taps_of(tuple(maps.shape[2:]), self.kernel_size, self.stride, self.padding)

    def _fits(self, maps: torch.Tensor) -> bool:
        count, _, height, width = maps.shape
        tiles = count * height * width // 4
        return height % 2 == width % 2 == 0 and tiles * self.out_channels >= _LEAST_WORK


def use_products(network: nn.Module) -> None:
    """Let the plain convolutions of a network be matrix products where that is faster on a CPU; names stay."""
    least = _LEAST_CHANNELS_WITH_AMX if torch.cpu._is_amx_tile_supported() else _LEAST_CHANNELS
    for module in network.modules():
        if type(module) is nn.Conv2d and _is_plain(module):
            module.__class__ = ProductConv2d
            setattr(module, "winograd", _suits_winograd(module, least))  # noqa: B010 - its type is still nn.Conv2d's


def _suits_winograd(layer: nn.Conv2d, least_channels: int) -> bool:
    geometry = layer.kernel_size, layer.stride, layer.padding
    return geometry == ((3, 3), (1, 1), (1, 1)) and min(layer.in_channels, layer.out_channels) >= least_channels


def _is_plain(layer: nn.Conv2d) -> bool:
    ungrouped = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
    return ungrouped and layer.bias is None and not isinstance(layer.padding, str)
