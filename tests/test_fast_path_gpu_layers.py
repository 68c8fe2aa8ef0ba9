"""A ResNet as a GPU computes it gives what its layers give one after another."""

from __future__ import annotations

import copy
import subprocess
import sys
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

INTERPRETED = """
import torch
import torch.nn.functional as F
from auditkit.training import gpu_functions as functions
from auditkit.training.gpu_functions import Norm, NormPoolReLU, scaling_of_batch

torch.manual_seed(0)
tolerance = {torch.float32: 1e-4, torch.float16: 4e-3}
functions._PROGRAMS = 3  # so that few rows, too, take several turns


def last(tensor):
    return tensor.to(memory_format=torch.channels_last)


def norm(channels):
    found = torch.nn.BatchNorm2d(channels, momentum=0.3)
    with torch.no_grad():
        found.weight.normal_()
        found.bias.normal_()
    return found


def compare(kind, x, added, ours, theirs):
    mine, other = norm(x.shape[1]), torch.nn.BatchNorm2d(x.shape[1], momentum=0.3)
    other.load_state_dict(mine.state_dict())
    inputs = [[None if one is None else one.clone().requires_grad_() for one in (x, added)] for _ in range(2)]
    inputs[1] = [None if one is None else one.detach().float().requires_grad_() for one in inputs[1]]
    found = ours(inputs[0], mine)
    expected = theirs(inputs[1], other)
    slopes = last(torch.randn_like(expected).to(kind))
    found.backward(slopes)
    expected.backward(slopes.float())
    pairs = [(found, expected), (mine.running_mean, other.running_mean), (mine.running_var, other.running_var)]
    pairs += [(mine.weight.grad, other.weight.grad), (mine.bias.grad, other.bias.grad)]
    pairs += [(a.grad, b.grad) for a, b in zip(*inputs) if a is not None]
    for one, wanted in pairs:
        torch.testing.assert_close(one.float(), wanted, rtol=tolerance[kind], atol=4 * tolerance[kind])
    mine.eval(), other.eval()
    line = functions.scaling_at_rest(mine)
    return line, other


for kind in tolerance:
    for channels, height, width, images in ((8, 6, 10, 3), (12, 8, 4, 2), (4, 2, 2, 300), (64, 4, 4, 70)):
        x, added = (last((3 + 2 * torch.randn(images, channels, height, width)).to(kind)) for _ in range(2))
        line, rest = compare(
            kind, x, None,
            lambda given, layer: NormPoolReLU.apply(
                given[0], layer.weight, layer.bias, scaling_of_batch(given[0], layer)
            ),
            lambda given, layer: F.max_pool2d(layer(given[0]), 3, 2, 1).relu(),
        )
        expected = F.max_pool2d(rest(x.float()), 3, 2, 1).relu()
        pooled = functions.pooled_maps(x, line, train=False)[0]
        torch.testing.assert_close(pooled.float(), expected, rtol=tolerance[kind], atol=2 * tolerance[kind])
        compare(
            kind, x, None,
            lambda given, layer: Norm.apply(
                given[0], layer.weight, layer.bias, None, scaling_of_batch(given[0], layer), False
            ),
            lambda given, layer: layer(given[0]),
        )
        for more in (None, added):
            line, rest = compare(
                kind, x, more,
                lambda given, layer: Norm.apply(
                    given[0], layer.weight, layer.bias, given[1], scaling_of_batch(given[0], layer), True
                ),
                lambda given, layer: (layer(given[0]) + (0 if given[1] is None else given[1])).relu(),
            )
            expected = (rest(x.float()) + (0 if more is None else more.float())).relu()
            found = Norm.apply(x, rest.weight, rest.bias, more, line, True)
            torch.testing.assert_close(found.float(), expected, rtol=tolerance[kind], atol=2 * tolerance[kind])
x[0, 0, 0, 0] = torch.nan
assert functions.pooled_maps(x, line, train=False)[0].isnan().sum() == 1
assert Norm.apply(x, rest.weight, rest.bias, None, line, True).isnan().sum() == 1
flat = last(torch.full((2, 8, 4, 4), 7.0))
layer = norm(8)
inverse = scaling_of_batch(flat, layer).inverse  # maps that are all alike vary by nothing
torch.testing.assert_close(inverse, torch.full((8,), 1e-5).rsqrt())
print("same")
"""


STEM = """
import torch
import torch.nn.functional as F
from auditkit.training import gpu_stem
from auditkit.training.pixels import Normalise

torch.manual_seed(0)
gpu_stem._PARTS = 3  # so that few positions, too, take several turns
normalise = Normalise()
for kind, tolerance in ((torch.float32, 1e-4), (torch.float16, 4e-3)):
    for images, height, width, channels in ((2, 8, 10, 16), (1, 9, 7, 32), (3, 32, 32, 64), (1, 1, 2, 16)):
        given = torch.randint(0, 256, (images, height, width, 3), dtype=torch.uint8)
        ours = (torch.randn(channels, 3, 7, 7) / 12).requires_grad_()
        theirs = ours.detach().clone().requires_grad_()
        found = gpu_stem.Stem.apply(given, ours, normalise.scale, normalise.shift, kind)
        expected = F.conv2d(normalise(given).to(kind).float(), theirs.to(kind).float(), stride=2, padding=3)
        assert found.dtype == kind
        assert found.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(found.float(), expected, rtol=tolerance, atol=tolerance)
        slopes = torch.randn_like(expected).to(kind)
        found.backward(slopes)
        expected.backward(slopes.float())
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=tolerance, atol=10 * tolerance)
print("same")
"""


NETWORKS = """
import torch
from torch import nn
from torchvision import models

from auditkit.training import gpu_layers
from auditkit.training.network import Network

gpu_layers.DEVICE = "cpu"
loudly = {"rtol": 2e-3, "atol": 2e-3}


def both(network):
    torch.manual_seed(0)
    first, second = network(), network()
    second.load_state_dict(first.state_dict())
    gpu_layers.use_gpu_layers(second)
    return first, second


def compare(first, second, images, how=lambda one: one.train()):
    for network in (first, second):
        how(network)
        network.zero_grad()
        network(images).square().sum().backward()
    for (name, ours), theirs in zip(second.named_parameters(), first.parameters(), strict=True):
        apart = (ours.grad - theirs.grad).norm() / theirs.grad.norm().clamp(min=1e-6)
        assert apart < 0.1, (name, apart)  # a gradient may go to another of two pixels that are all but equal
    for ours, theirs in zip(second.buffers(), first.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, **loudly)
    with torch.no_grad():
        torch.testing.assert_close(second.eval()(images), first.eval()(images), **loudly)


def freeze(network):
    network.eval()


def small():
    return models.ResNet(models.resnet.BasicBlock, [1, 2, 1, 1], num_classes=2)


def without_momentum():
    network = small()
    network.bn1.momentum = network.layer1[0].bn1.momentum = None
    return network


images = torch.randn(8, 3, 36, 44)
for network in (small, without_momentum):
    compare(*both(network), images)  # odd maps behind the stem, in NCHW order
compare(*both(small), images.to(memory_format=torch.channels_last), freeze)
compare(*both(small), torch.randn(8, 3, 38, 38))  # an odd map before pooling
for one in both(small):
    try:
        one.train()(torch.randn(1, 3, 32, 32))
        raise SystemExit("a single value was normalised")
    except ValueError as error:
        assert "more than 1 value per channel" in str(error)
layer = nn.BatchNorm2d(4)
layer.__class__ = gpu_layers.BatchNormReLU2d
x = torch.randn(2, 4, 6, 6)
torch.testing.assert_close(layer(x, torch.ones(1, 4, 1, 1)), (nn.BatchNorm2d(4)(x) + 1).relu())
assert layer.num_batches_tracked == 1
layer(x)
assert layer.num_batches_tracked == 2

networks = [Network(network, "fc") for network in both(small)]
plain, fast = networks
assert gpu_layers.use_gpu_layers(fast.body, fast.normalise)
fast.normalise = nn.Identity()
faces = torch.randint(0, 256, (4, 33, 32, 3), dtype=torch.uint8)
assert torch.equal(fast.body.conv1(faces), plain.body.conv1(plain.normalise(faces)))  # float32 is left to torch
with torch.autocast("cpu", torch.float16):
    compare(plain, fast, faces)
    assert "Stem" in str(fast.body.conv1(faces).grad_fn)
print("same")
"""


@pytest.mark.parametrize("script", [INTERPRETED, STEM, NETWORKS], ids=["norms", "stem", "networks"])
def test_what_the_kernels_compute_is_what_torchs_layers_do(script: str) -> None:
    """Interpreted: what they compute, not how fast, needs no GPU."""
    environment = {"TRITON_INTERPRET": "1", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout == "same\n", done.stderr


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
