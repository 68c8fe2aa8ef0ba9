"""What the kernels of a GPU compute, interpreted on a CPU."""

from __future__ import annotations

import subprocess
import sys

import pytest

triton = pytest.importorskip("triton")
COUNTS = pytest.mark.skipif(
    tuple(map(int, triton.__version__.split(".")[:2])) < (3, 8),
    reason="the interpreter of Triton 3.6 takes no number of turns that is given",
)

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


SMALL = """
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
    return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=2)


def without_momentum():
    network = small()
    network.bn1.momentum = network.layer1[0].bn1.momentum = None
    return network

"""


LAYERS = """
images = torch.randn(4, 3, 36, 44)
for network in (small, without_momentum):
    compare(*both(network), images)  # odd maps behind the stem, in NCHW order
compare(*both(small), images.to(memory_format=torch.channels_last), freeze)
compare(*both(small), torch.randn(3, 3, 38, 38))  # an odd map before pooling
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
print("same")
"""


BYTES = """
networks = [Network(network, "fc") for network in both(small)]
plain, fast = networks
assert gpu_layers.use_gpu_layers(fast.body, fast.normalise)
fast.normalise = nn.Identity()
faces = torch.randint(0, 256, (3, 33, 32, 3), dtype=torch.uint8)
assert torch.equal(fast.body.conv1(faces), plain.body.conv1(plain.normalise(faces)))  # float32 is left to torch
with torch.autocast("cpu", torch.float16):
    compare(plain, fast, faces)
    assert "Stem" in str(fast.body.conv1(faces).grad_fn)
print("same")
"""


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(INTERPRETED, id="norms"),
        pytest.param(SMALL + LAYERS, id="networks"),
        pytest.param(STEM, id="stem", marks=COUNTS),
        pytest.param(SMALL + BYTES, id="bytes", marks=COUNTS),
    ],
)
def test_what_the_kernels_compute_is_what_torchs_layers_do(script: str) -> None:
    """Interpreted: what they compute, not how fast, needs no GPU."""
    environment = {"TRITON_INTERPRET": "1", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout == "same\n", done.stderr


@pytest.mark.parametrize(("capability", "kibibytes"), [(80, 163), (90, 227), (120, 99)])
def test_a_first_convolutions_kernels_fit_into_the_shared_memory_of_gpus_since_ampere(
    capability: int, kibibytes: int
) -> None:
    """Compiled for GPUs that are not here. Source: CUDA C++ Programming Guide, technical specifications."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from auditkit.training import gpu_stem, gpu_stem_kernels

    shape = dict.fromkeys(gpu_stem.Shape._fields, "i32")
    for kernel, pointers, constants, warps, stages in (
        (
            gpu_stem_kernels.convolve,
            {"folded": "*bf16", "weight": "*bf16", "out": "*bf16"},
            {"C": 64, "ROWS": gpu_stem._ROWS, "TURNS": gpu_stem._TURNS},
            gpu_stem._WARPS,
            gpu_stem._STAGES,
        ),
        (
            gpu_stem_kernels.gradients,
            {"folded": "*bf16", "gradient": "*bf16", "out": "*fp32", "turns": "i32"},
            {"C": 64, "ROWS": gpu_stem._BACKWARD_ROWS},
            gpu_stem._BACKWARD_WARPS,
            gpu_stem._BACKWARD_STAGES,
        ),
    ):
        given = pointers | shape | dict.fromkeys(constants, "constexpr")
        signature = {name: given[name] for name in kernel.arg_names}
        source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
        options = {"num_warps": warps, "num_stages": stages}
        made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
        assert 0 < made.metadata.shared <= kibibytes * 1024
