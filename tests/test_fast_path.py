"""The fast path against a slow reference: decoded by PIL, float32, eager, nothing fused."""

from __future__ import annotations

import ctypes
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from training_toys import Events, Photos, encoded, recipe, unit_work

from auditkit import streams
from auditkit.engine.executors import Local
from auditkit.engine.registry import Registry
from auditkit.engine.store import Store
from auditkit.engine.unit import run_unit
from auditkit.engine.work import ComponentRef, ImageCacheRef
from auditkit.training.batches import order
from auditkit.training.images import fill
from auditkit.training.network import build_network
from auditkit.training.pixels import MEAN, STD

COUNT, SIDE, SIZE, BATCH, EPOCHS = 96, 110, 64, 48, 2
RESNET = ComponentRef("model", "resnet18", {})


@pytest.fixture(scope="module")
def photos() -> Photos:
    """Smooth images whose upper half is a little brighter where the truth is 1."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(110, 40, (COUNT, 11, 11, 3))
    coarse[:, :5] += 15 * truth()[:, None, None, None]
    small = coarse.clip(0, 255).astype(np.uint8)
    return Photos(
        tuple(encoded(np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BICUBIC))) for one in small)
    )


def truth() -> np.ndarray[Any, Any]:
    return (np.arange(COUNT) % 2).astype(np.int8)


@pytest.fixture(scope="module")
def cache(photos: Photos, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("cache") / "pixels.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(COUNT, SIZE, SIZE, 3)).flush()
    assert fill(photos, np.arange(COUNT), 100, SIZE, path) == []
    return path


def slowly_decoded(data: bytes) -> np.ndarray[Any, Any]:
    edge = (SIDE - 100) // 2
    with Image.open(io.BytesIO(data)) as image:
        square = image.convert("RGB").crop((edge, edge, edge + 100, edge + 100))
        return np.asarray(square.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def slow_losses(read: Callable[[int], np.ndarray[Any, Any]]) -> Iterator[float]:
    network = build_network(Registry.load().build_ref(RESNET), 0)
    model = torch.nn.Sequential(network.body, network.head).to(memory_format=torch.contiguous_format)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.__class__ = torch.nn.Conv2d
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, foreach=False)
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    for epoch in range(EPOCHS):
        mirrored = streams.generator(0, "flip", epoch).random(COUNT) < 0.5
        losses = []
        for index in order(0, epoch, COUNT, BATCH):
            images = [torch.from_numpy(read(row).copy()).permute(2, 0, 1) for row in index.tolist()]
            x = torch.stack([(image / 255 - mean) / std for image in images])
            x = torch.stack([one.flip(2) if mirrored[row] else one for one, row in zip(x, index.tolist(), strict=True)])
            loss = torch.nn.functional.cross_entropy(model(x), torch.from_numpy(truth()[index.numpy()]).long())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
        yield float(np.mean(losses))


@pytest.mark.parametrize(
    ("precision", "same_pixels", "tolerance"),
    [("float32", True, 0.001), ("float32", False, 0.005), ("bfloat16", False, 0.02), ("float16", False, 0.02)],
)
def test_the_loss_curve_is_that_of_the_slow_reference(
    photos: Photos, cache: Path, tmp_path: Path, precision: str, same_pixels: bool, tolerance: float
) -> None:
    """Of large batches: with small ones, whose maps of one pixel hardly vary, a ten-millionth of the weights moves the
    second epoch by 1 %."""
    epochs = 1 if precision == "float16" else EPOCHS  # a CPU takes twenty seconds for one in float16
    run_unit(resnet_work(tmp_path, cache, precision, epochs), Registry.load().build_ref, Events())
    found = [epoch["loss"] for epoch in Store(tmp_path / "store").history("d1")]
    pixels = np.load(cache)
    slow = slow_losses(pixels.__getitem__ if same_pixels else lambda row: slowly_decoded(photos.data[row]))
    np.testing.assert_allclose(found, [*islice(slow, epochs)], rtol=tolerance)


def resnet_work(folder: Path, cache: Path, precision: str, epochs: int = EPOCHS, **changes: Any) -> Any:
    from_one = recipe(
        optimizer={"use": "sgd", "lr": 0.001, "momentum": 0.9}, schedule={"use": "constant"},
        budget={"epochs": epochs}, batch_size=BATCH, flip=True, precision=precision,
    )  # fmt: skip
    every = np.arange(COUNT)
    splits = {name: type(d)(every) for name, d in unit_work(folder).splits.items() if name != "valid"}
    plain = {
        "model": RESNET, "recipe": from_one, "images": ImageCacheRef(str(cache), SIZE, COUNT), "truth": truth(),
        "identity": None, "strata": None, "stratum_counts": (COUNT,), "splits": splits, "predict": ("test",),
    }  # fmt: skip
    return unit_work(folder, **(plain | changes))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_memory_that_tensors_leave_is_taken_again_without_page_faults() -> None:
    script = """
import resource, torch
from auditkit.training.device import Compute
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
torch.set_num_threads(1)
print(min(faults() for _ in range(12)) > 10_000)
Compute(torch.device("cpu"), "float32", 1).set_up()
print([faults() for _ in range(12)][-1] < 100)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize(
    "where", [{}, pytest.param({"device": "cuda", "deterministic": True}, marks=pytest.mark.gpu)], ids=["cpu", "gpu"]
)
def test_units_side_by_side_predict_to_the_bit_what_each_does_alone(
    cache: Path, tmp_path: Path, where: dict[str, Any]
) -> None:
    for name in ("together", "alone"):
        (tmp_path / name).mkdir()
    with Local(2, 1, Events()) as pool:
        work = [resnet_work(tmp_path / "together", cache, "bfloat16", digest=f"d{s}", seed=s, **where) for s in (1, 2)]
        for future in [pool.submit("auditkit.engine.worker:work", item) for item in work]:
            future.result()
        pool.shrink(1)
        for seed in (2, 1):
            item = resnet_work(tmp_path / "alone", cache, "bfloat16", digest=f"d{seed}", seed=seed, **where)
            pool.submit("auditkit.engine.worker:work", item).result()
    both = [Store(tmp_path / name / "store") for name in ("together", "alone")]
    for digest in ("d1", "d2"):
        first, second = (store.predictions(digest).margin for store in both)
        np.testing.assert_array_equal(first, second)
    assert both[0].predictions("d1").margin.tolist() != both[0].predictions("d2").margin.tolist()
