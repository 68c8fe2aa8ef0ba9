"""A ResNet as a GPU computes it gives what its layers give one after another."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from auditkit.training.network import build_network
from auditkit.training.pixels import Normalise
from auditkit_plugins.models.options import ResNet18Options
from auditkit_plugins.models.resnet import ResNet18

gpu_layers = pytest.importorskip("auditkit.training.gpu_layers", reason="needs Triton", exc_type=ImportError)
CUDA = torch.device("cuda", 0)


def plain(stem: str = "imagenet") -> Any:
    return ResNet18(ResNet18Options(stem=stem)).build(2)  # type: ignore[arg-type]


def kinds(network: nn.Module) -> list[type]:
    return [type(module) for module in network.modules()]


@pytest.mark.parametrize("known", [plain(), models.resnet34(num_classes=2)], ids=["resnet18", "resnet34"])
def test_layers_of_resnets_are_replaced_and_keep_their_names(known: Any) -> None:
    names = {*known.state_dict()}
    gpu_layers.use_gpu_layers(known)
    assert type(known.bn1) is gpu_layers.BatchNormPoolReLU2d
    assert {*map(type, known.layer2)} == {gpu_layers.Block}
    assert {*known.state_dict()} == names
    assert gpu_layers.are_used(known)
    assert gpu_layers.are_all(known)
    assert gpu_layers.BytesConv2d not in kinds(known)


def test_of_bottlenecks_the_stem_is_replaced_alone() -> None:
    network = models.resnet50()
    gpu_layers.use_gpu_layers(network)
    assert type(network.bn1) is gpu_layers.BatchNormPoolReLU2d
    assert gpu_layers.BatchNormReLU2d not in kinds(network)
    assert not gpu_layers.are_all(network)


def test_a_first_convolution_alone_counts_as_a_layer_with_kernels() -> None:
    network = models.resnet18(norm_layer=lambda channels: nn.GroupNorm(2, channels))
    assert gpu_layers.use_gpu_layers(network, Normalise())
    assert gpu_layers.are_used(network)
    assert not gpu_layers.are_all(network)


def test_normalisations_that_torch_computes_anyway_leave_something_to_compile() -> None:
    network = plain()
    network.layer1[0].bn1.momentum = None
    gpu_layers.use_gpu_layers(network)
    assert not gpu_layers.are_all(network)


CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "usual": {},
    "of few channels": {"out_channels": 48},
    "with a bias": {"bias": True},
    "dilated": {"dilation": 2},
    "padded otherwise": {"padding_mode": "reflect"},
    "small": {"kernel_size": 3, "padding": 1},
}


@pytest.mark.parametrize("changes", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_the_usual_first_convolution_takes_images_as_bytes(changes: dict[str, Any]) -> None:
    network = plain()
    usual = {"in_channels": 3, "out_channels": 64, "kernel_size": 7, "stride": 2, "padding": 3, "bias": False}
    network.conv1 = nn.Conv2d(**usual | changes)
    names = {*network.state_dict()}
    assert gpu_layers.use_gpu_layers(network, Normalise()) == (not changes)
    assert isinstance(network.conv1, gpu_layers.BytesConv2d) == (not changes)
    assert {*network.state_dict()} == names


class Otherwise(models.ResNet):
    """Calls its parts in an order of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.fc(self.avgpool(self.layer4(self.layer1(self.bn1(self.conv1(x))))).flatten(1))
        return found


def other(change: Callable[[Any], object]) -> Any:
    network = plain()
    change(network)
    return network


STEMS = {
    "no pooling": lambda: plain("small"),
    "another pooling": lambda: other(lambda one: setattr(one, "maxpool", nn.AvgPool2d(2))),
    "another ReLU": lambda: other(lambda one: setattr(one, "maxpool", nn.Sequential(one.maxpool[0], nn.ReLU6()))),
    "several norms": lambda: other(lambda one: setattr(one, "bn1", nn.Sequential(one.bn1))),
    "another order": lambda: Otherwise(models.resnet.BasicBlock, [2, 2, 2, 2]),
}
BLOCKS = {
    "another norm": lambda: other(lambda one: setattr(one.layer1[0], "bn1", nn.GroupNorm(2, 64))),
    "another function": lambda: other(lambda one: setattr(one.layer1[0], "relu", nn.SiLU())),
}


@pytest.mark.parametrize("make", STEMS.values(), ids=STEMS)
def test_stems_that_are_not_known_are_left(make: Callable[[], Any]) -> None:
    network = make()
    gpu_layers.use_gpu_layers(network)
    assert gpu_layers.BatchNormPoolReLU2d not in kinds(network)


@pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)
def test_blocks_that_are_not_known_are_left(make: Callable[[], Any]) -> None:
    network = make()
    gpu_layers.use_gpu_layers(network)
    assert [type(block).__name__ for block in network.layer1] == ["BasicBlock", "Block"]


def test_other_networks_are_left() -> None:
    for network in (models.mobilenet_v3_small(), nn.Sequential(plain())):
        before = kinds(network)
        gpu_layers.use_gpu_layers(network[0].layer1[0].conv1 if isinstance(network, nn.Sequential) else network)
        assert kinds(network) == before
        assert not gpu_layers.are_used(network)
        assert not gpu_layers.are_all(network)


def test_on_another_device_replaced_layers_give_the_same() -> None:
    first, second = plain(), plain()
    second.load_state_dict(first.state_dict())
    gpu_layers.use_gpu_layers(second)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(first(images), second(images))
    assert torch.equal(first.eval()(images), second.eval()(images))


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore:.*should not be instantiated.*:DeprecationWarning")  # dynamo does, as it traces
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_a_network_on_a_gpu_is_the_plain_one(
    monkeypatch: pytest.MonkeyPatch, kind: torch.dtype, compiled: bool
) -> None:
    """Of half the precision, the mistakes against the plain network in float32 are as large as the plain one's own.

    Of float32, a gradient that goes to another of two pixels that are all but equal moves the whole by a third of a
    percent.
    """
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    fast = build_network(ResNet18(ResNet18Options()), 0, CUDA)
    slow = build_network(ResNet18(ResNet18Options()), 0).to(CUDA)
    halved = copy.deepcopy(slow)
    assert type(fast.body.bn1) is gpu_layers.BatchNormPoolReLU2d
    assert type(fast.body.conv1) is gpu_layers.BytesConv2d
    images = torch.randint(0, 256, (16, 64, 64, 3), dtype=torch.uint8, device=CUDA)
    found = []
    for network, precision in ((fast, kind), (slow, torch.float32), (halved, kind)):
        ask = torch.compile(network) if compiled and network is fast else network
        with torch.autocast("cuda", precision, enabled=precision != torch.float32):
            logits = ask(images)
        logits.square().sum().backward()
        with torch.no_grad(), torch.autocast("cuda", precision, enabled=precision != torch.float32):
            at_rest = network.eval()(images)
        gradients = [network.body.conv1.weight.grad, network.body.bn1.weight.grad, network.body.bn1.bias.grad]
        found.append(
            [logits.detach(), at_rest, *gradients, network.body.bn1.running_mean, network.body.bn1.running_var]
        )
    torch.compiler.reset()
    for ours, expected, usual in zip(*found, strict=True):
        off, allowed = ((one - expected).norm() / expected.norm() for one in (ours, usual))
        assert off < 0.01 + 1.5 * allowed
