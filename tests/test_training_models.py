"""Built-in models: their shapes, their last layers, their published weights."""

from __future__ import annotations

import inspect
import os
import timeit

import pytest
import torch
from torchvision import models

from auditkit import AuditError, Model
from auditkit.training.device import (
    candidates,
    choose_algorithms,
    choose_precision,
    fastest,
    part_of_a_step,
    precisions,
)
from auditkit.training.network import OUTPUTS, Network, build_network
from auditkit_plugins.models.by_name import TorchvisionNetwork
from auditkit_plugins.models.options import ResNet18Options, SmallCNNOptions, TorchvisionOptions, networks
from auditkit_plugins.models.resnet import ResNet18
from auditkit_plugins.models.small import SmallCNN


def by_name(name: str) -> TorchvisionNetwork:
    return TorchvisionNetwork(TorchvisionOptions(name=name))


EVERY = [
    SmallCNN(SmallCNNOptions()),
    SmallCNN(SmallCNNOptions(width=4, blocks=1)),
    ResNet18(ResNet18Options()),
    ResNet18(ResNet18Options(stem="small")),
    by_name("mobilenet_v3_small"),
    by_name("shufflenet_v2_x0_5"),
]


@pytest.mark.parametrize("model", EVERY, ids=lambda m: f"{type(m).__name__} {m.options}")
def test_a_model_gives_two_logits_and_a_cut_before_its_last_layer(model: Model) -> None:
    network = build_network(model, seed=0).eval()
    images = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        features = network.features(images)
        assert network(images).shape == (2, OUTPUTS)
        whole = model.build(OUTPUTS).eval()
        whole.load_state_dict(network.weights())
        torch.testing.assert_close(whole(network.normalise(images)), network(images), rtol=1e-4, atol=1e-5)
    assert features.shape == (2, network.head.in_features)


def test_the_seed_decides_the_weights() -> None:
    first, again, other = (build_network(EVERY[1], seed).weights() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_head_stays_in_float32_under_autocast() -> None:
    network = build_network(EVERY[0], seed=0).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet50", "fc"),
        ("densenet121", "classifier"),
        ("mobilenet_v3_large", "classifier.3"),
        ("efficientnet_b0", "classifier.1"),
        ("convnext_tiny", "classifier.2"),
        ("vit_b_16", "heads.head"),
        ("swin_t", "head"),
        ("vgg11", "classifier.6"),
        ("regnet_y_400mf", "fc"),
    ],
)
def test_the_last_layer_of_a_torchvision_network_is_found(name: str, head: str) -> None:
    assert by_name(name).head() == head


@pytest.mark.parametrize("name", [n for n in models.list_models(module=models) if n.startswith(("res", "mob", "conv"))])
def test_published_weights_carry_the_beginning_of_their_hash(name: str) -> None:
    file = by_name(name).imagenet()
    assert file is not None
    assert file.url.endswith(f"-{file.sha256_prefix}.pth")
    assert len(file.sha256_prefix) >= 8


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_resnet18_gives_torchvisions_bits_and_gradients(precision: torch.dtype) -> None:
    ours, theirs = ResNet18(ResNet18Options()).build(2), models.resnet18(num_classes=2)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    outputs = []
    for network in (ours, theirs):
        with torch.autocast("cpu", precision, enabled=precision == torch.bfloat16):
            outputs.append(network(images))
        outputs[-1].float().square().sum().backward()
    assert torch.equal(*outputs)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad)  # type: ignore[arg-type]


def test_resnet18_of_the_literature() -> None:
    file = ResNet18(ResNet18Options()).imagenet()
    assert file is not None
    assert file.url == "https://download.pytorch.org/models/resnet18-f37072fd.pth"
    assert ResNet18(ResNet18Options(stem="small")).imagenet() is None
    assert sum(p.numel() for p in build_network(ResNet18(ResNet18Options()), 0).parameters()) == 11_177_538


def test_the_names_of_torchvisions_networks_are_read_without_it() -> None:
    unfit = {"googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1"}
    assert networks() == tuple(sorted({*models.list_models(module=models)} - unfit))


@pytest.mark.parametrize("name", ["alexnet", "convnext_tiny", "densenet121", "vgg11", "vit_b_16"])
def test_networks_take_the_images_that_their_options_say(name: str) -> None:
    least, _ = TorchvisionOptions(name=name).image_sides()
    with torch.device("meta"):
        network = by_name(name).build(2).eval()
        network(torch.empty(1, 3, least, least))
        with pytest.raises((RuntimeError, AssertionError)):
            network(torch.empty(1, 3, least - 1, least - 1))


def test_a_head_that_is_not_there_is_an_error_that_names_the_layers() -> None:
    with pytest.raises(AuditError) as caught:
        Network(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 2)), "fc")
    assert caught.value.message == "the model has no torch.nn.Linear named 'fc'"
    assert caught.value.hint == "its head() should name one of: 1"


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_a_precision_that_was_asked_for_is_kept(wanted: str) -> None:
    assert choose_precision(wanted, torch.device("cpu")) == wanted


@pytest.mark.parametrize(
    ("seconds", "format_"),
    [
        ({"float32": 4.0}, "float32"),
        ({"float32": 4.0, "bfloat16": 3.5, "float16": 3.4}, "float32"),
        ({"float32": 4.0, "bfloat16": 1.0, "float16": 0.9}, "bfloat16"),
        ({"float32": 4.0, "bfloat16": 2.0, "float16": 1.0}, "float16"),
        ({"float32": 4.0, "float16": 1.0}, "float16"),
    ],
)
def test_the_fastest_format_is_taken_and_of_two_alike_the_more_robust(seconds: dict[str, float], format_: str) -> None:
    assert fastest(seconds) == format_


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_a_gpu_is_asked_how_fast_part_of_a_step_is(kind: torch.dtype) -> None:
    """Here on the CPU: that the step runs in every format, and leaves finite gradients, those of one step."""
    step = part_of_a_step(torch.device("cpu"), kind, batch=2)
    closed = inspect.getclosurevars(step).nonlocals
    changed = [closed["images"], *closed["layers"].parameters()]
    step()
    once = [tensor.grad for tensor in changed]
    step()
    assert all(bool(tensor.grad.isfinite().all()) for tensor in changed)
    assert all(torch.equal(tensor.grad, first) for tensor, first in zip(changed, once, strict=True))


@pytest.mark.parametrize(("bfloat16", "names"), [(True, ["bfloat16", "float16"]), (False, ["float16"])])
def test_on_a_gpu_auto_chooses_among_two_byte_formats(
    monkeypatch: pytest.MonkeyPatch, bfloat16: bool, names: list[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    assert candidates(torch.device("cuda", 0)) == names
    assert precisions(torch.device("cuda", 0)) == ["float32", *names]
    assert candidates(torch.device("cpu")) == precisions(torch.device("cpu"))


@pytest.mark.parametrize("deterministic", [True, False])
def test_deterministic_algorithms_are_chosen_on_a_gpu(monkeypatch: pytest.MonkeyPatch, deterministic: bool) -> None:
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    try:
        choose_algorithms(torch.device("cuda", 0), deterministic=deterministic)
        assert torch.are_deterministic_algorithms_enabled() is deterministic
        assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (
            deterministic,
            not deterministic,
        )
        assert os.environ.pop("CUBLAS_WORKSPACE_CONFIG", "") == (":4096:8" if deterministic else "")
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before


def test_auto_takes_bfloat16_where_the_processor_is_faster_with_it() -> None:
    """Some have the instructions and multiply half as fast with them; measured here with larger matrices."""
    ones = {kind: torch.randn(1024, 1024).to(kind) for kind in (torch.float32, torch.bfloat16)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    turns = [{kind: timeit.timeit(lambda one=one: one @ one, number=1) for kind, one in ones.items()} for _ in range(8)]
    torch.set_num_threads(threads)
    gain = min(turn[torch.float32] for turn in turns) / min(turn[torch.bfloat16] for turn in turns)
    if 0.8 < gain < 1.6:
        pytest.skip(f"neither is clearly faster here ({gain:.2f} times)")
    assert choose_precision("auto", torch.device("cpu")) == ("bfloat16" if gain > 1 else "float32")
