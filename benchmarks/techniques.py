"""What each technique of the fast path gains on this machine's CPU: images/s with all of them, and with one taken away.

    python benchmarks/techniques.py [--seconds 1] [--turns 7] [--out benchmarks/results]

Six minutes. A ResNet-18 is trained on a batch of 64 by one thread, by turns in every variant, so that other work on
the machine touches all alike; of each the median of the turns counts. Four more are measured as a whole: images
decoded once or in every epoch, copies rendered once or in every epoch, two processes of one thread or one of two, and
processes that keep the memory of a step for the next one or do not. Beside them stands what was tried and left out.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from run import machine
from torch import nn

from auditkit.cohort import Draw
from auditkit.engine.bench import Encoded
from auditkit.engine.data import build
from auditkit.engine.registry import Registry
from auditkit.spec.model import SGD, AdamW, Augment
from auditkit.training import batches, images
from auditkit.training.bench import Loss
from auditkit.training.checkpoint import Progress
from auditkit.training.convolutions import ProductConv2d
from auditkit.training.device import Compute, choose_precision, keep_memory
from auditkit.training.network import build_network
from auditkit.training.optimization import make_optimizer
from auditkit.training.pixels import Pixels
from auditkit.training.steps import Eager
from auditkit_plugins.models.resnet import ResNet18

BATCH, RATE = 64, 0.01
CPU = torch.device("cpu")
WINOGRAD, SMALL_MAPS = "Winograd's products", "small maps as matrix products"
ALL = ("bfloat16", "channels last", WINOGRAD, SMALL_MAPS, "fused AdamW")
ADAMW = "AdamW"
LEFT_OUT = ("fused SGD",)


class Contiguous(nn.Module):
    """Channels first, whatever comes."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The same numbers."""
        return images.contiguous()


class WithoutSmallMaps(ProductConv2d):
    """A convolution whose small maps are no products, but for Winograd's."""

    def _taps(self, maps: torch.Tensor) -> torch.Tensor | None:
        return None


def steps_of(variant: str, size: int, threads: int = 1) -> Callable[[], object]:
    """A training step with all techniques (""), with all but one, with AdamW, or with one that was left out."""
    network = build_network(ResNet18(ResNet18.Options()), 0).train()
    pictures = torch.randint(0, 256, (BATCH, size, size, 3), dtype=torch.uint8)
    for module in network.modules():
        if isinstance(module, ProductConv2d):
            module.winograd &= variant != WINOGRAD
            module.__class__ = WithoutSmallMaps if variant == SMALL_MAPS else ProductConv2d
    if variant == "channels last":
        network = network.to(memory_format=torch.contiguous_format)
        network.set_submodule("normalise", nn.Sequential(network.normalise, Contiguous()))
    optimizer = _optimizer(variant, network)
    precision = "float32" if variant == "bfloat16" else choose_precision("auto", CPU)
    compute = Compute(CPU, precision, threads)
    steps = Eager(Progress(network, Loss(), optimizer, compute.scaler()), compute)
    batch = pictures, (torch.arange(BATCH) % 2).float(), torch.zeros(BATCH, dtype=torch.int64)
    return lambda: steps.step(batch, RATE)


def _optimizer(variant: str, network: nn.Module) -> torch.optim.Optimizer:
    if variant == "fused SGD":
        return torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9, fused=True)
    if variant == "fused AdamW":
        return torch.optim.AdamW(network.parameters(), lr=RATE, fused=False)
    spec = AdamW(use="adamw", lr=RATE) if variant == ADAMW else SGD(use="sgd", lr=RATE, momentum=0.9)
    return make_optimizer(spec, network.parameters())


def rate(step: Callable[[], object], seconds: float) -> float:
    """Images per second over so many seconds."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        step()
        count += 1
    return count * BATCH / (time.perf_counter() - started)


def one_by_one(size: int, seconds: float, turns: int) -> dict[str, float]:
    """images/s of every variant of a step."""
    torch.set_num_threads(1)
    keep_memory()
    variants = {name: steps_of(name, size) for name in ("", ADAMW, *ALL, *LEFT_OUT)}
    found: dict[str, list[float]] = {name: [] for name in variants}
    for step in variants.values():
        step()
    for _ in range(turns):
        for name, step in variants.items():
            found[name].append(rate(step, seconds))
    return {name: statistics.median(rates) for name, rates in found.items()}


def epochs(size: int, step_rate: float, folder: Path) -> dict[str, float]:
    """images/s of an epoch half of whose rows are copies: as it is, with decoding, with rendering in every epoch."""
    rows = 512
    faces = build(Registry.load(), "faces", {"images": rows // 2}).open(None).images
    path = folder / f"{size}.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(rows // 2, size, size, 3)).flush()
    jpegs = Encoded(tuple(faces.read(number) for number in range(rows // 2)))
    decoding = _seconds(lambda: images.fill(jpegs, np.arange(rows // 2), 178, size, path))
    draw = Draw(np.tile(np.arange(rows // 2), 2), np.repeat([0, 1], rows // 2))
    kept = batches.Pictures(Pixels(path, CPU), draw, Augment(), 0)
    again = batches.Pictures(Pixels(path, CPU), draw, Augment(), 0, kept_bytes=0)
    plain, rendering = (_least(lambda one=one: _gather(one, rows)) for one in (kept, again))  # type: ignore[misc]
    step = rows / step_rate
    return {
        "": rows / (step + plain),
        "decoding once": rows / (step + plain + 2 * decoding),
        "rendering copies once": rows / (step + rendering),
    }


def _gather(pictures: batches.Pictures, rows: int) -> None:
    for index in batches.order(0, 0, rows, BATCH):
        pictures.gather(index)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _least(work: Callable[[], object]) -> float:
    """Of some turns, that which other work on the machine disturbed least."""
    return min(_seconds(work) for _ in range(5))


def _alone(size: int, threads: int, keep: bool, seconds: float, together: Any, send: Any) -> None:
    torch.set_num_threads(threads)
    if keep:
        keep_memory()
    step = steps_of("", size, threads)
    step()
    together.wait()
    send.put(rate(step, seconds))


def side_by_side(size: int, processes: int, threads: int, seconds: float, *, keep: bool = True) -> float:
    """images/s of several processes at once."""
    context = multiprocessing.get_context("spawn")
    together, queue = context.Barrier(processes), context.Queue()
    work = size, threads, keep, seconds, together, queue
    workers = [context.Process(target=_alone, args=work) for _ in range(processes)]
    for worker in workers:
        worker.start()
    total = sum(queue.get() for _ in workers)
    for worker in workers:
        worker.join()
    return float(total)


def splits(size: int, seconds: float) -> dict[str, float]:
    """images/s of a process per core, of one with all cores, and of the former with new memory in every step; by turns,
    of which the median counts."""
    cores = machine()["cores"]
    ways = {
        f"{cores} x 1": lambda: side_by_side(size, cores, 1, 4 * seconds),
        f"1 x {cores}": lambda: side_by_side(size, 1, cores, 4 * seconds),
        f"{cores} x 1, memory not kept": lambda: side_by_side(size, cores, 1, 4 * seconds, keep=False),
    }
    turns = [{name: way() for name, way in ways.items()} for _ in range(3)]
    return {name: statistics.median(turn[name] for turn in turns) for name in ways}


def measured(size: int, seconds: float, turns: int) -> dict[str, Any]:
    """Every gain at one size."""
    steps = one_by_one(size, seconds, turns)
    with tempfile.TemporaryDirectory() as folder:
        whole = epochs(size, steps[""], Path(folder))
    split = splits(size, seconds)
    one_each, together, renewed = split.values()
    gains = {name: steps[ADAMW if name == "fused AdamW" else ""] / steps[name] for name in ALL}
    gains |= {name: whole[""] / without for name, without in whole.items() if name}
    gains["a process per core"] = one_each / together
    gains["memory kept"] = one_each / renewed
    return {
        "size": size,
        "images_per_second": steps[""],
        "steps": steps,
        "epoch": whole,
        "split": split,
        "gain": gains,
        "left_out": {name: steps[name] / steps[""] for name in LEFT_OUT},
    }


ON_GPU = "What graphs, compiled steps and float16 gain on a GPU is measured by gpu_techniques.py."


def markdown(found: dict[str, Any]) -> str:
    """The gains as a table."""
    facts = found["machine"]
    sizes = [f"{case['size']} px" for case in found["cases"]]
    lines = [
        f"# What each technique gains: {facts['processor']}, {facts['cores']} cores",
        "",
        f"{', '.join(facts['instructions'])}; torch {found['torch']}, {found['precision']}.",
        "Images/s with everything over images/s without the one technique.",
        "",
        f"| technique | {' | '.join(sizes)} |",
        "|---|" + "---|" * len(sizes),
    ]
    for name in found["cases"][0]["gain"]:
        gains = " | ".join(f"{case['gain'][name]:.2f}x" for case in found["cases"])
        lines += [f"| {name} | {gains} |"]
    for name in LEFT_OUT:
        gains = " | ".join(f"{case['left_out'][name]:.2f}x" for case in found["cases"])
        lines += [f"| left out: {name} | {gains} |"]
    rates = " | ".join(f"{case['images_per_second']:.0f}" for case in found["cases"])
    lines += [f"| images/s of one thread, with everything | {rates} |", "", ON_GPU]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure both sizes and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    found = {
        "machine": machine(),
        "torch": torch.__version__,
        "precision": choose_precision("auto", CPU),
        "cases": [measured(size, options.seconds, options.turns) for size in (64, 128)],
    }
    facts = found["machine"]
    stem = re.sub(r"\W+", "-", f"{facts['processor']} {facts['cores']} cores").strip("-").lower()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{stem}-techniques.json").write_text(json.dumps(found, indent=1) + "\n")
    (options.out / f"{stem}-techniques.md").write_text(markdown(found))
    print(markdown(found))


if __name__ == "__main__":
    main()
