"""Convolutions that a CPU computes as matrix products are the convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from auditkit.training.convolutions import ProductConv2d, use_products
from auditkit.training.network import Network
from auditkit_plugins.models.by_name import build

SMALL = [(2, 3, 1, 1), (1, 3, 1, 1), (4, 4, 2, 1), (2, 1, 1, 0), (3, 3, 2, 1)]
WINOGRAD = [(256, 256, 8, 8), (256, 384, 4, 6), (320, 256, 16, 4)]


def layer_and_maps(
    into: int, out: int, height: int, width: int, *geometry: int, count: int = 64
) -> tuple[nn.Conv2d, torch.Tensor]:
    torch.manual_seed(0)
    layer = nn.Conv2d(into, out, *(geometry or (3, 1, 1)), bias=False).to(memory_format=torch.channels_last)
    return layer, torch.randn(count, into, height, width).to(memory_format=torch.channels_last)


def passed(layer: nn.Module, maps: torch.Tensor) -> list[torch.Tensor]:
    """What comes out, and the gradients of what goes in and of the weights."""
    given, weight = maps.clone().requires_grad_(), layer.get_parameter("weight")
    weight.grad = None
    out = layer(given)
    out.sin().sum().backward()
    assert given.grad is not None
    assert weight.grad is not None
    assert weight.grad.is_contiguous(memory_format=torch.channels_last)
    return [out.detach(), given.grad, weight.grad.clone()]


@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), SMALL)
def test_outputs_and_gradients_of_small_maps_are_the_convolution_s(
    size: int, kernel: int, stride: int, padding: int
) -> None:
    layer, maps = layer_and_maps(256, 256, size, size, kernel, stride, padding, count=5)
    expected = passed(layer, maps)
    use_products(layer)
    torch.testing.assert_close(passed(layer, maps), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("into", "out", "height", "width"), WINOGRAD)
def test_outputs_and_gradients_of_winograd_s_products_are_the_convolution_s(
    into: int, out: int, height: int, width: int
) -> None:
    layer, maps = layer_and_maps(into, out, height, width)
    expected = passed(layer.double(), maps.double())
    use_products(layer.float())
    found = passed(layer, maps)
    torch.testing.assert_close([one.double() for one in found], expected, rtol=1e-4, atol=1e-4)


def test_winograd_s_products_in_bfloat16_are_off_by_less_than_a_hundredth() -> None:
    layer, maps = layer_and_maps(256, 256, 8, 8)
    expected = layer(maps)
    use_products(layer)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(maps)
    assert found.dtype == torch.bfloat16
    assert 0.003 < float(((found.float() - expected).norm() / expected.norm()).detach()) < 0.01


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_what_is_predicted_is_the_plain_convolution_to_the_bit(kind: torch.dtype) -> None:
    layer, maps = layer_and_maps(256, 256, 8, 8)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=kind == torch.bfloat16):
        plain = layer(maps)
        use_products(layer)
        assert torch.equal(layer(maps), plain)


@pytest.mark.parametrize(
    "case",
    [
        (64, 64, 8, 8),
        (256, 256, 7, 8),
        (256, 256, 8, 8, 3, 2, 1),
        (256, 256, 8, 8, 3, 1, 0),
        (16, 16, 2, 2),
        (128, 128, 4, 4),
    ],
)
def test_other_convolutions_stay_as_they_are(case: tuple[int, ...]) -> None:
    layer, maps = layer_and_maps(*case)
    expected = passed(layer, maps)
    use_products(layer)
    assert type(layer) is ProductConv2d
    assert all(torch.equal(*pair) for pair in zip(passed(layer, maps), expected, strict=True))


def test_weights_of_another_format_are_convolved_as_ever() -> None:
    layer, maps = layer_and_maps(256, 256, 8, 8)
    expected = passed(layer.double(), maps.double())
    use_products(layer)
    assert all(torch.equal(*pair) for pair in zip(passed(layer, maps.double()), expected, strict=True))


def test_only_plain_convolutions_change_and_names_stay() -> None:
    network = Network(build("resnet18", 2), "fc")
    names = list(network.state_dict())
    use_products(network)
    assert list(network.state_dict()) == names
    assert {type(m) for m in network.modules() if isinstance(m, nn.Conv2d)} == {ProductConv2d}
    grouped = nn.Conv2d(256, 256, 3, padding=1, groups=2, bias=False)
    use_products(grouped)
    assert type(grouped) is nn.Conv2d
