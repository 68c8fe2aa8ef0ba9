"""A ResNet's stem, whose maps are the largest, as a large GPU wants it: the same, up to the order of sums.

Batch normalisation and max pooling apart read and write these maps and their gradient many times, and torch's pooling
takes seven times as long backward as its bytes do; together they read the convolution's output twice forward and once
backward, and write its gradient once.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field gives it
import triton
from torch import nn
from torchvision.models import ResNet

from auditkit.training import pool_kernels as kernels

_log = logging.getLogger(__name__)
_ROWS, _MOST_TURNS = 32, 64
_PROGRAMS = 2048
"""That fill a large GPU a few times over."""
_RELU, _POOL = nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)
_USUAL = ([repr(_RELU), repr(_POOL)], [repr(_POOL), repr(_RELU)])


@cache
def usable(device: torch.device) -> bool:
    """Whether Triton can make kernels here: it wants a C compiler and a place for what it has compiled."""
    maps = torch.ones(2, 16, 4, 4, device=device, requires_grad=True)
    layer = nn.BatchNorm2d(16).to(device)
    layer.__class__ = BatchNormPoolReLU2d
    try:
        layer(maps).sum().backward()
    except Exception as error:
        _log.warning("the stem of a ResNet is slower than it could be: %s: %s", type(error).__name__, error)
        return False
    return True


def use_large_maps(network: nn.Module) -> None:
    """Let the stems of ResNets be a convolution, and kernels of all that follows it at once; names stay."""
    for module in network.modules():
        if isinstance(module, ResNet) and type(module)._forward_impl is ResNet._forward_impl:
            _use_in(module)


def _use_in(model: ResNet) -> None:
    """After `conv1` come `bn1`, `relu` and `maxpool`; ReLU may as well be the last, since it rises."""
    if _is_stem(model.conv1):
        model.conv1.__class__ = StemConv2d
    parts = [*_flat(model.bn1), *_flat(model.relu), *_flat(model.maxpool)]
    if [repr(part) for part in parts[1:]] in _USUAL and type(parts[0]) is nn.BatchNorm2d:
        model.bn1.__class__ = BatchNormPoolReLU2d
        model.relu, model.maxpool = nn.Identity(), nn.Identity()


def _flat(part: nn.Module) -> list[nn.Module]:
    """What a part does in turn."""
    parts = [*part] if type(part) is nn.Sequential else [part]
    return [part for part in parts if type(part) is not nn.Identity]


def _is_stem(conv: nn.Module) -> bool:
    if type(conv) is not nn.Conv2d:
        return False
    shape = (conv.in_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
    return shape == (3, (7, 7), (2, 2), (3, 3), (1, 1), 1) and conv.bias is None and conv.padding_mode == "zeros"


class StemConv2d(nn.Conv2d):
    """A convolution on three channels that gives a GPU four, one of them zero, for which alone cuDNN has kernels.

    It would pad in kernels of its own, which take a third of the convolution's time; a compiler pads as it normalises.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the method it replaces
        """(n, channels, height / 2, width / 2) of (n, 3, height, width)."""
        if not input.is_cuda:
            return super().forward(input)
        kind = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else input.dtype
        one_more = (0, 0, 0, 0, 0, 1)
        images, weight = (F.pad(tensor.to(kind), one_more) for tensor in (input, self.weight))
        return F.conv2d(images, weight, None, self.stride, self.padding)


class BatchNormPoolReLU2d(nn.BatchNorm2d):
    """Batch normalisation, max pooling (3 x 3, stride 2, padding 1) and ReLU; its state is an nn.BatchNorm2d's."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the method it replaces
        """(n, channels, height / 2, width / 2) of (n, channels, height, width)."""
        if not self._takes(input):
            return F.max_pool2d(super().forward(input), 3, stride=2, padding=1).relu()
        if not self.training:
            return self._at_rest(input)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        found: tuple[torch.Tensor, ...] = _NormPoolReLU.apply(input, self.weight, self.bias, self.eps)
        pooled, mean, square = found
        self._remember(mean, square, input.numel() // input.shape[1])
        return pooled

    def _takes(self, x: torch.Tensor) -> bool:
        usual = self.affine and self.track_running_stats and self.momentum is not None
        even = x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0
        return usual and even and x.is_cuda and (self.training or not torch.is_grad_enabled())

    @torch.no_grad()
    def _remember(self, mean: torch.Tensor, square: torch.Tensor, count: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(square / max(count - 1, 1), self.momentum)

    def _at_rest(self, x: torch.Tensor) -> torch.Tensor:
        assert self.running_mean is not None
        assert self.running_var is not None
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        return _pooled(_last(x), scale, self.bias - self.running_mean * scale, train=False)[0]


def _last(x: torch.Tensor) -> torch.Tensor:
    """The same in channels-last order, as the kernels want it."""
    return x.contiguous(memory_format=torch.channels_last)


class _NormPoolReLU(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = _last(x)
        count = x.numel() // x.shape[1]
        mean, square = _moments(x)
        inverse = (square / count + eps).rsqrt()
        scale = weight * inverse
        shift = bias - mean * scale
        pooled, raw, tap = _pooled(x, scale, shift, train=True)
        ctx.save_for_backward(x, raw, tap, scale, shift, mean, inverse)
        ctx.mark_non_differentiable(mean, square)
        return pooled, mean, square

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Source of the formula: Ioffe & Szegedy 2015, section 3; the gradient is 0 but at the largest pixels."""
        x, raw, tap, scale, shift, mean, inverse = ctx.saved_tensors
        gradient = _last(gradients[0])
        count = x.numel() // x.shape[1]
        total, product = _sums(gradient, raw, (scale, shift), mean)
        slope = -scale * inverse.square() * product / count
        constant = -scale * total / count - slope * mean
        out = _spread(gradient, tap, x, (scale, slope, constant))
        return out, product * inverse, total, None


def _block(channels: int) -> int:
    return triton.next_power_of_2(channels)  # type: ignore[no-any-return]


def _turns(rows: int) -> int:
    """A power of two, since each is a kernel of its own: as many as leave the device enough programs."""
    wanted: int = triton.next_power_of_2(max(1, rows // (_ROWS * _PROGRAMS)))
    return min(_MOST_TURNS, wanted)


def _moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(channels,) float32 mean, and sum of squared deviations from it."""
    channels = x.shape[1]
    pixels = x.numel() // channels
    turns = _turns(pixels)
    each = _ROWS * turns
    programs = triton.cdiv(pixels, each)
    means, squares = (torch.empty(programs, channels, device=x.device) for _ in range(2))
    kernels.moments[(programs,)](x, means, squares, pixels, C=channels, BLOCK=_block(channels), ROWS=_ROWS, TURNS=turns)
    sizes = (pixels - each * torch.arange(programs, device=x.device)).clamp(max=each).to(torch.float32)[:, None]
    mean = (sizes * means).sum(0) / pixels
    return mean, (squares + sizes * (means - mean).square()).sum(0)


def _pooled(
    x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, *, train: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pooled maps; in their order in memory the x that each is made of, and its tap, empty unless to `train`."""
    n, channels, height, width = x.shape
    positions = n * (height // 2) * (width // 2)
    pooled = _room((n, channels, height // 2, width // 2), x.dtype, x.device)
    raw, tap = (torch.empty(pooled.numel() * train, dtype=kind, device=x.device) for kind in (x.dtype, torch.uint8))
    kernels.pool[(triton.cdiv(positions, _ROWS),)](
        x, scale, shift, pooled, raw, tap, height, width, positions,
        C=channels, BLOCK=_block(channels), ROWS=_ROWS, TRAIN=train,
    )  # fmt: skip
    return pooled, raw, tap


def _room(shape: tuple[int, int, int, int], kind: torch.dtype, device: torch.device) -> torch.Tensor:
    """Uninitialised, channels last; said by strides, since inductor fills what is said by its memory format."""
    n, channels, height, width = shape
    strides = (height * width * channels, 1, width * channels, channels)
    return torch.empty_strided((n, channels, height, width), strides, dtype=kind, device=device)


def _sums(
    gradient: torch.Tensor, raw: torch.Tensor, line: tuple[torch.Tensor, torch.Tensor], mean: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """(channels,) float32 sums of the gradient that comes through, and of it times raw - mean; line: scale, shift."""
    channels = gradient.shape[1]
    positions = raw.numel() // channels
    turns = _turns(positions)
    programs = triton.cdiv(positions, _ROWS * turns)
    total, product = (torch.empty(programs, channels, device=raw.device) for _ in range(2))
    kernels.sums[(programs,)](
        gradient, raw, *line, mean, total, product, positions,
        C=channels, BLOCK=_block(channels), ROWS=_ROWS, TURNS=turns,
    )  # fmt: skip
    return total.sum(0), product.sum(0)


def _spread(
    gradient: torch.Tensor, tap: torch.Tensor, x: torch.Tensor, terms: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """The gradient of x."""
    n, channels, height, width = x.shape
    positions = tap.numel() // channels
    out = _room((n, channels, height, width), x.dtype, x.device)
    kernels.spread[(triton.cdiv(positions, _ROWS),)](
        gradient, tap, x, out, *terms, height, width, positions, C=channels, BLOCK=_block(channels), ROWS=_ROWS
    )
    return out
