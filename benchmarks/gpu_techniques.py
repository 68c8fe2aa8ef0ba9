"""What each technique gains on a GPU: steps of a ResNet-18 on one batch, with and without it, in one process.

    python benchmarks/gpu_techniques.py            some minutes, most of them a compiler's

Writes benchmarks/results/<GPU>-techniques.json and .md. Every row is the median of windows.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from auditkit.engine.registry import Registry
from auditkit.engine.work import ComponentRef
from auditkit.spec.model import SGD
from auditkit.training import graph
from auditkit.training.batches import Batch
from auditkit.training.bench import Loss
from auditkit.training.checkpoint import Progress
from auditkit.training.device import BFLOAT16, FLOAT16, FLOAT32, Compute, choose_algorithms, times_a_second, wait_for
from auditkit.training.network import build_network
from auditkit.training.optimization import make_optimizer
from auditkit.training.steps import Eager

RESULTS = Path(__file__).parent / "results"
DEVICE = torch.device("cuda", 0)
SPEC = SGD(use="sgd", lr=0.001, momentum=0.9)
_WINDOWS, _SECONDS = 5, 0.2


@dataclass(frozen=True)
class Variant:
    """How steps are taken; `kernels`: by layers with kernels of their own."""

    what: str
    steps: str = "captured"
    precision: str = BFLOAT16
    kernels: bool = True
    deterministic: bool = False


VARIANTS = (
    Variant("plain: eager, torch's layers, float32", "eager", FLOAT32, kernels=False),
    Variant("bfloat16", "eager", kernels=False),
    Variant("float16", "eager", FLOAT16, kernels=False),
    Variant("bfloat16, captured", kernels=False),
    Variant("float16, captured", precision=FLOAT16, kernels=False),
    Variant("bfloat16, compiled", "compiled", kernels=False),
    Variant("bfloat16, own kernels", "eager"),
    Variant("bfloat16, compiled, own kernels", "compiled"),
    Variant("bfloat16, captured, own kernels"),
    Variant("float16, captured, own kernels", precision=FLOAT16),
    Variant("bfloat16, captured, own kernels, deterministic", deterministic=True),
)
CASES = ((128, 1024), (128, 128), (64, 1024), (64, 128))


def measured(variant: Variant, size: int, batch: int) -> dict[str, Any]:
    """Images per second, and the seconds until the first step was taken."""
    graph.forget()
    torch.cuda.empty_cache()
    choose_algorithms(DEVICE, deterministic=variant.deterministic)
    started = time.perf_counter()
    steps, given = _steps(variant), _batch(size, batch)
    step = partial(steps.step, given, SPEC.lr)
    steps.begin()
    step()
    wait_for(DEVICE)
    until = time.perf_counter() - started
    times_a_second(step, _SECONDS, DEVICE)
    rate = batch * statistics.median(times_a_second(step, _SECONDS, DEVICE) for _ in range(_WINDOWS))
    return asdict(variant) | {
        "size": size,
        "batch": batch,
        "images_per_second": rate,
        "seconds_until_first_step": until,
    }


def _steps(variant: Variant) -> graph.Steps:
    compute = Compute(DEVICE, variant.precision, 1)
    model = Registry.load().build_ref(ComponentRef("model", "resnet18", {}))
    network = build_network(model, 0, DEVICE if variant.kernels else torch.device("cpu")).to(DEVICE).train()
    progress = Progress(network, Loss(), make_optimizer(SPEC, network.parameters()), compute.scaler())
    if variant.steps == "eager":
        return Eager(progress, compute)
    return graph.Graphed(graph.Twins(progress, SPEC, compute, compiled=variant.steps == "compiled"), progress)


def _batch(size: int, batch: int) -> Batch:
    noise = torch.Generator(DEVICE).manual_seed(0)
    images = torch.randint(0, 256, (batch, size, size, 3), dtype=torch.uint8, device=DEVICE, generator=noise)
    rows = torch.arange(batch, device=DEVICE)
    return images, (rows % 2).float(), torch.zeros_like(rows)


def markdown(rows: list[dict[str, Any]], title: str) -> str:
    """A row for every variant, a column for every case."""
    heads = " | ".join(f"{size} px, {batch} images" for size, batch in CASES)
    lines = [f"# {title}", "", "Images per second of training steps on one batch.", ""]
    lines += [f"| | {heads} |", f"|---|{'---|' * len(CASES)}"]
    for variant in VARIANTS:
        found = {(row["size"], row["batch"]): row["images_per_second"] for row in rows if row["what"] == variant.what}
        rates = [f"{found[case]:,.0f}" if case in found else "" for case in CASES]
        lines.append(f"| {variant.what} | {' | '.join(rates)} |")
    return "\n".join([*lines, ""])


def write(rows: list[dict[str, Any]]) -> str:
    """What has been measured so far; the page."""
    name = torch.cuda.get_device_name(DEVICE)
    title = f"What each technique gains: {name}, torch {torch.__version__}"
    stem = re.sub(r"\W+", "-", name).strip("-").lower()
    RESULTS.mkdir(exist_ok=True)
    page = markdown(rows, title)
    (RESULTS / f"{stem}-techniques.json").write_text(json.dumps({"title": title, "rows": rows}, indent=1) + "\n")
    (RESULTS / f"{stem}-techniques.md").write_text(page)
    return page


def main() -> None:
    """Measure, write after every row, and print."""
    rows: list[dict[str, Any]] = []
    for case in CASES:
        for variant in reversed(VARIANTS):
            rows.append(measured(variant, *case))
            page = write(rows)
            print(f"{variant.what}, {case[0]} px, {case[1]} images: {rows[-1]['images_per_second']:,.0f}/s", flush=True)
    print(page)


if __name__ == "__main__":
    main()
