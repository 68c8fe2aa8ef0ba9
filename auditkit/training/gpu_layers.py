"""Layers of ResNets as a large GPU wants them: the same, up to the order of sums, with fewer bytes read and written.

Batch normalisation, the sum with a shortcut and ReLU apart read and write a map and its gradient again and again,
torch's max pooling takes seven times as long backward as its bytes do, and cuDNN's convolution of three channels takes
a fifth of a step (`benchmarks/results/nvidia-h100-steps.md`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field gives it
from torch import nn
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock

from auditkit.training import gpu_functions as functions
from auditkit.training import gpu_stem
from auditkit.training.pixels import Normalise

DEVICE = "cuda"
_log = logging.getLogger(__name__)
_RELU, _POOL = nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)
_WIDTHS = (16, 32, 64)
"""Channels of a first convolution that a program can multiply at once."""
_USUAL = ([repr(_RELU), repr(_POOL)], [repr(_POOL), repr(_RELU)])


@cache
def why_not(device: torch.device) -> str:
    """Why Triton can make no kernels here, "" if it can: it wants a C compiler and a place for what it has compiled."""
    return _why_it_fails(device, _normalise_once)


@cache
def can_read_bytes(device: torch.device) -> bool:
    """Whether the first convolution's kernels, which want more of a GPU than the others, run there."""
    return not _why_it_fails(device, _convolve_once)


def _why_it_fails(device: torch.device, work: Callable[[torch.device], None]) -> str:
    try:
        with torch.cuda.device(device):
            work(device)
    except Exception as error:
        _log.info("Triton makes no kernels", exc_info=error)
        return f"{type(error).__name__}: {error}"
    return ""


def _normalise_once(device: torch.device) -> None:
    layer = nn.BatchNorm2d(16).to(device)
    layer.__class__ = BatchNormReLU2d
    layer(torch.ones(2, 16, 4, 4, device=device, requires_grad=True)).sum().backward()


def _convolve_once(device: torch.device) -> None:
    images = torch.zeros(2, 8, 8, 3, dtype=torch.uint8, device=device)
    one = torch.ones(3, device=device)
    weight = torch.ones(max(_WIDTHS), 3, 7, 7, device=device, requires_grad=True)
    gpu_stem.Stem.apply(images, weight, one, one, torch.float16).sum().backward()


def use_gpu_layers(model: nn.Module, normalise: Normalise | None = None) -> bool:
    """Let a ResNet normalise in kernels that do all that follows at once; names stay.

    The stem of the model itself only: what holds a ResNet may call its parts in another order. With `normalise`, True
    if the model takes images as bytes from now on.
    """
    own, whole = ("forward", "_forward_impl"), False
    if isinstance(model, ResNet) and all(getattr(type(model), name) is getattr(ResNet, name) for name in own):
        whole = normalise is not None and _use_for_bytes(model.conv1, normalise)
        _use_in_stem(model)
    for block in [module for module in model.modules() if type(module) is BasicBlock]:
        if [type(part) for part in (block.bn1, block.bn2, block.relu)] == [nn.BatchNorm2d, nn.BatchNorm2d, nn.ReLU]:
            block.__class__ = Block
            block.bn1.__class__ = block.bn2.__class__ = BatchNormReLU2d
            for norm in [part for part in block.modules() if type(part) is nn.BatchNorm2d]:
                norm.__class__ = BatchNorm2d  # the shortcut's
    return whole


def are_used(model: nn.Module) -> bool:
    """Whether any layer has kernels of its own."""
    return any(isinstance(module, _Norm | BytesConv2d) for module in model.modules())


def are_all(model: nn.Module) -> bool:
    """Whether every batch normalisation has, so that little is left for a compiler."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    return bool(norms) and all(isinstance(norm, _Norm) and norm.is_usual for norm in norms)


def _use_for_bytes(conv: nn.Module, normalise: Normalise) -> bool:
    """Let it take bytes if it is the usual one; `repr` tells of all that it does but for the number of channels."""
    if type(conv) is not nn.Conv2d or conv.out_channels not in _WIDTHS:
        return False
    usual = nn.Conv2d(3, conv.out_channels, 7, stride=2, padding=3, bias=False)
    if repr(conv) != repr(usual):
        return False
    conv.__class__ = BytesConv2d
    conv.normalise = normalise
    return True


def _use_in_stem(model: ResNet) -> None:
    """After `conv1` come `bn1`, `relu` and `maxpool`; ReLU may as well be the last, since it rises."""
    follows = [repr(part) for part in (*_flat(model.relu), *_flat(model.maxpool))]
    if type(model.bn1) is nn.BatchNorm2d and follows in _USUAL:
        model.bn1.__class__ = BatchNormPoolReLU2d
        model.relu, model.maxpool = nn.Identity(), nn.Identity()


def _flat(part: nn.Module) -> list[nn.Module]:
    """What a part does in turn."""
    parts = [*part] if type(part) is nn.Sequential else [part]
    return [part for part in parts if type(part) is not nn.Identity]


class BytesConv2d(nn.Conv2d):
    """A convolution of 7 x 7 with stride 2 that normalises images itself; its state is an nn.Conv2d's."""

    normalise: Normalise

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the method it replaces
        """(n, channels, height / 2, width / 2) of (n, height, width, 3) uint8 images."""
        if not (input.device.type == DEVICE and torch.is_autocast_enabled(DEVICE)):
            return super().forward(self.normalise(input))
        scale, shift = self.normalise.get_buffer("scale"), self.normalise.get_buffer("shift")
        kind = torch.get_autocast_dtype(DEVICE)
        found: torch.Tensor = gpu_stem.Stem.apply(input.contiguous(), self.weight, scale, shift, kind)
        return found


class _Norm(nn.BatchNorm2d):
    @property
    def is_usual(self) -> bool:
        """Whether it has weights, and remembers statistics by a momentum."""
        return self.affine and self.track_running_stats and self.momentum is not None

    def _takes(self, x: torch.Tensor) -> bool:
        several = x.numel() > x.shape[1]  # torch refuses to normalise a single value
        return self.is_usual and several and x.device.type == DEVICE and (self.training or not torch.is_grad_enabled())

    def _scaling(self, x: torch.Tensor) -> functions.Scaling:
        if not self.training:
            return functions.scaling_at_rest(self)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        return functions.scaling_of_batch(x, self)


class BatchNorm2d(_Norm):
    """Batch normalisation; its state is an nn.BatchNorm2d's."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the method it replaces
        """(n, channels, height, width) of the same."""
        if not self._takes(input):
            return super().forward(input)
        x = functions.channels_last(input)
        found: torch.Tensor = functions.Norm.apply(x, self.weight, self.bias, None, self._scaling(x), False)
        return found


class BatchNormReLU2d(_Norm):
    """Batch normalisation, perhaps a sum, and ReLU; its state is an nn.BatchNorm2d's."""

    def forward(self, input: torch.Tensor, added: torch.Tensor | None = None) -> torch.Tensor:  # noqa: A002
        """(n, channels, height, width) of the same, with `added` of the same summed before ReLU."""
        alike = added is None or (added.shape, added.dtype) == (input.shape, input.dtype)
        if not (alike and self._takes(input)):
            found = super().forward(input)
            return F.relu(found if added is None else found + added)
        x = functions.channels_last(input)
        added = None if added is None else functions.channels_last(added)
        result: torch.Tensor = functions.Norm.apply(x, self.weight, self.bias, added, self._scaling(x), True)
        return result


class BatchNormPoolReLU2d(_Norm):
    """Batch normalisation, max pooling (3 x 3, stride 2, padding 1) and ReLU; its state is an nn.BatchNorm2d's."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the method it replaces
        """(n, channels, height / 2, width / 2) of (n, channels, height, width)."""
        even = input.shape[2] % 2 == 0 and input.shape[3] % 2 == 0
        if not (even and self._takes(input)):
            return F.max_pool2d(super().forward(input), 3, stride=2, padding=1).relu()
        x = functions.channels_last(input)
        scaling = self._scaling(x)
        if not self.training:
            return functions.pooled_maps(x, scaling, train=False)[0]
        found: torch.Tensor = functions.NormPoolReLU.apply(x, self.weight, self.bias, scaling)
        return found


class Block(BasicBlock):  # type: ignore[misc]
    """A BasicBlock whose second normalisation adds the shortcut."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, channels, height, width) of (n, channels in, height in, width in)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        found: torch.Tensor = self.bn2(self.conv2(self.bn1(self.conv1(x))), shortcut)
        return found
