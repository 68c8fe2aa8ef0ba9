"""The stem of a ResNet as a GPU computes it gives what its layers give one after another."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from auditkit.training.network import build_network
from auditkit_plugins.models.options import ResNet18Options
from auditkit_plugins.models.resnet import ResNet18

large_maps = pytest.importorskip("auditkit.training.large_maps", reason="needs Triton", exc_type=ImportError)
CUDA = torch.device("cuda", 0)

INTERPRETED = """
import torch
import torch.nn.functional as F
from auditkit.training import large_maps

torch.manual_seed(0)
tolerance = {torch.float32: 1e-5, torch.float16: 4e-3}
for kind in tolerance:
    for channels, height, width, images in ((8, 6, 10, 3), (12, 8, 4, 2), (4, 2, 2, 300)):
        x = (3 + 2 * torch.randn(images, channels, height, width)).to(kind).to(memory_format=torch.channels_last)
        given = [x, torch.randn(channels), torch.randn(channels)]
        ours = [tensor.clone().requires_grad_() for tensor in given]
        theirs = [tensor.float().clone().requires_grad_() for tensor in given]
        mean, var = torch.zeros(channels), torch.ones(channels)
        found, own_mean, square = large_maps._NormPoolReLU.apply(*ours, 1e-5)
        expected = F.batch_norm(theirs[0], mean, var, *theirs[1:], True, 1.0, 1e-5)
        expected = F.max_pool2d(expected, 3, 2, 1).relu()
        slopes = torch.randn_like(expected).to(kind)
        found.backward(slopes)
        expected.backward(slopes.float())
        count = images * height * width
        pairs = [(found, expected), (own_mean, mean), (square / (count - 1), var)]
        pairs += [(a.grad, b.grad) for a, b in zip(ours, theirs)]
        for one, other in pairs:
            torch.testing.assert_close(one.float(), other, rtol=tolerance[kind], atol=2 * tolerance[kind])
        at_rest = large_maps._pooled(x, given[1], given[2], train=False)[0]
        shape = (1, channels, 1, 1)
        expected = F.max_pool2d(x.float() * given[1].view(shape) + given[2].view(shape), 3, 2, 1).relu()
        torch.testing.assert_close(at_rest.float(), expected, rtol=tolerance[kind], atol=tolerance[kind])
x[0, 0, 0, 0] = torch.nan
assert large_maps._pooled(x, given[1], given[2], train=False)[0].isnan().sum() == 1
print("same")
"""


def test_the_kernels_give_what_torchs_layers_give() -> None:
    """Interpreted: what they compute, not how fast, needs no GPU."""
    environment = {"TRITON_INTERPRET": "1", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", INTERPRETED], env=environment, capture_output=True, text=True)
    assert done.stdout == "same\n", done.stderr


def plain(stem: str = "imagenet") -> Any:
    return ResNet18(ResNet18Options(stem=stem)).build(2)  # type: ignore[arg-type]


def test_stems_that_are_known_are_replaced_and_no_others() -> None:
    for known in (plain(), models.resnet50(num_classes=2)):
        names = {*known.state_dict()}
        large_maps.use_large_maps(nn.Sequential(known))
        assert type(known.bn1) is large_maps.BatchNormPoolReLU2d
        assert type(known.conv1) is large_maps.StemConv2d
        assert {*known.state_dict()} == names
    average = plain()
    average.maxpool = nn.AvgPool2d(2)
    for other in (plain("small"), average, models.mobilenet_v3_small()):
        kinds = [type(module) for module in other.modules() if type(module) is not nn.Conv2d]
        large_maps.use_large_maps(other)
        assert [type(one) for one in other.modules() if not isinstance(one, nn.Conv2d)] == kinds


def test_on_another_device_a_replaced_stem_gives_the_same() -> None:
    first, second = plain(), plain()
    second.load_state_dict(first.state_dict())
    large_maps.use_large_maps(second)
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
    assert type(fast.body.bn1) is large_maps.BatchNormPoolReLU2d
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
