"""A convolution of small maps as a matrix product is the convolution."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from auditkit.training.network import Network
from auditkit.training.small_maps import SmallMapConv2d, use_small_maps
from auditkit_plugins.models.by_name import build

SHAPES = [(2, 3, 1, 1), (1, 3, 1, 1), (4, 4, 2, 1), (2, 1, 1, 0), (3, 3, 2, 1)]


@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), SHAPES)
def test_outputs_and_gradients_are_those_of_the_convolution(size: int, kernel: int, stride: int, padding: int) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(256, 256, kernel, stride, padding, bias=False).to(memory_format=torch.channels_last)
    x = torch.randn(5, 256, size, size).to(memory_format=torch.channels_last)
    found = []
    for kind in (nn.Conv2d, SmallMapConv2d):
        layer.__class__ = kind  # type: ignore[assignment]
        given = x.clone().requires_grad_()
        layer.weight.grad = None
        out = layer(given)
        out.sin().sum().backward()
        found.append((out.detach(), given.grad, layer.weight.grad))
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-4)


def test_only_plain_convolutions_change_and_only_on_small_maps() -> None:
    network = Network(build("resnet18", 2), "fc")
    names = list(network.state_dict())
    use_small_maps(network)
    assert list(network.state_dict()) == names
    assert {type(m) for m in network.modules() if isinstance(m, nn.Conv2d)} == {SmallMapConv2d}
    grouped = nn.Conv2d(256, 256, 3, padding=1, groups=2, bias=False)
    use_small_maps(grouped)
    assert type(grouped) is nn.Conv2d
    layer = nn.Conv2d(256, 256, 3, padding=1, bias=False)
    x = torch.randn(2, 256, 8, 8)
    plain = layer(x)
    use_small_maps(layer)
    assert torch.equal(layer(x), plain)
