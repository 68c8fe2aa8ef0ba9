"""auditkit against the plain PyTorch loop, as ratios within one run on one machine.

    python benchmarks/run.py            an hour on two cores; half of it with --repeats 1
    python benchmarks/run.py --full     more images, more repeats: three hours
    python benchmarks/run.py --bench    `auditkit bench` alone, all that is asked of a GPU: some minutes there

Both do the same audit: three arms, two seeds, three epochs, the same numbers of rendered images of CelebA's size,
ResNet-18, test images predicted. Both are run on a few images first, so that neither reads its libraries from a disk
that is slower than memory; then they take turns; of each the median of the repeats counts. Wall time is what ratios
are made of; CPU time stands beside it, since a shared machine disturbs it less. The results go to
benchmarks/results/<machine>.json and .md; the name is that of the processor, with its cores, and of the GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from celeba_size import memory
from run_page import UNMEASURED, gpu_of, markdown, title
from watch import HERE, watched

EPOCHS, SEEDS = 3, 2
AUDIT = """\
[audit]
title = "Benchmark"
[data]
dataset = "celeba"
train = {{ from = ["train"], draw = {rows} }}
test = {{ from = ["test"], draw = {test} }}
image = {{ size = {size} }}
[[task]]
target = "Male"
[recipe]
model = {{ use = "resnet18" }}
init = "none"
optimizer = {{ use = "sgd", lr = 0.01, momentum = 0.9 }}
budget = {{ epochs = 3 }}
batch_size = 128
flip = true
seeds = [0, 1]
[[arm]]
name = "plain"
[[arm]]
name = "reweighted"
objective = {{ use = "reweight", strata = ["Male"] }}
[[arm]]
name = "focal"
objective = {{ use = "focal" }}
[evidence]
reference = "plain"
groups = [["Male"]]
"""


def audit(folder: Path, data: Path, size: int, rows: int, test: int) -> dict[str, Any]:
    """auditkit, with nothing decoded and nothing stored."""
    file = folder / "benchmark.toml"
    file.write_text(AUDIT.format(rows=rows, test=test, size=size))
    place = tempfile.mkdtemp(dir=folder)
    machines, cache = folder / "machines", Path(place, "cache")
    machines.mkdir(exist_ok=True)
    cache.mkdir()
    (cache / "machines").symlink_to(machines)  # how the cores are divided is measured once on a machine
    command = [sys.executable, "-m", "auditkit", "run", str(file), "--data", str(data), "--quiet", "--progress", "none"]
    found = watched(
        [*command, "--store", f"{place}/store", "--reports", f"{place}/reports"],
        {**os.environ, "AUDITKIT_CACHE": str(cache)},
    )
    units = [json.loads(path.read_text()) for path in Path(place).glob("store/units/*/unit.json")]
    if len(units) != 3 * SEEDS or {unit["visits"] for unit in units} != {rows * EPOCHS}:
        raise SystemExit("auditkit trained on other rows than the plain loop")
    together = statistics.mean(unit["images_per_second"] for unit in units) * units[0]["processes"]
    (findings,) = Path(place).glob("reports/*/findings.json")
    return found | {
        "images_per_second": together,
        "threads": units[0]["threads"],
        "processes": units[0]["processes"],
        "accuracy": accuracies(json.loads(findings.read_text())["findings"]),
    }


def accuracies(findings: list[dict[str, Any]]) -> list[float]:
    """Of every network, on all test images."""
    wanted = {"quantity": "value", "metric": "accuracy", "over": []}
    whole = [one for one in findings if all(one[key] == value for key, value in wanted.items())]
    return [value for one in whole for value in one["per_seed"]]


def plain(data: Path, size: int, rows: int, test: int) -> dict[str, Any]:
    """The plain loop."""
    command = [sys.executable, str(HERE / "plain_loop.py"), str(data), "--size", str(size), "--rows", str(rows)]
    found = watched([*command, "--test", str(test), "--json"], dict(os.environ))
    printed = json.loads(found["printed"])
    return found | {key: printed[key] for key in ("images_per_second", "accuracy")}


def compared(folder: Path, data: Path, size: int, rows: int, test: int, repeats: int) -> dict[str, Any]:
    """Both in turn; medians, and every repeat."""
    ours, theirs, loads = [], [], []
    for number in range(repeats):
        loads.append(os.getloadavg()[0])
        ours.append(audit(folder, data, size, rows, test))
        theirs.append(plain(data, size, rows, test))
        print(f"{size} px, repeat {number + 1} of {repeats}: {_told(ours[-1])}; plain {_told(theirs[-1])}", flush=True)
    keys = ("seconds", "cpu_seconds", "peak_bytes", "images_per_second")
    middle = {
        name: {key: statistics.median(one[key] for one in runs) for key in keys}
        for name, runs in (("auditkit", ours), ("plain", theirs))
    }
    return {
        "size": size, "rows": rows, "test": test, "load_before": loads, **middle,
        "split": f"{ours[0]['processes']} x {ours[0]['threads']}",
        "training": middle["auditkit"]["images_per_second"] / middle["plain"]["images_per_second"],
        "whole": middle["plain"]["seconds"] / middle["auditkit"]["seconds"],
        "whole_by_cpu": middle["plain"]["cpu_seconds"] / middle["auditkit"]["cpu_seconds"],
        "accuracy": {name: [value for run in runs for value in run["accuracy"]]
                     for name, runs in (("auditkit", ours), ("plain", theirs))},
        "repeats": [
            {name: {key: round(one[key], 2) for key in keys} for name, one in (("auditkit", a), ("plain", b))}
            for a, b in zip(ours, theirs, strict=True)
        ],
    }  # fmt: skip


def _told(one: dict[str, Any]) -> str:
    return f"{one['images_per_second']:.0f} images/s, {one['seconds']:.0f} s, {one['cpu_seconds']:.0f} CPU s"


def bench(seconds: float, *options: str) -> dict[str, Any]:
    """`auditkit bench`."""
    command = [sys.executable, "-m", "auditkit", "bench", "--json", "--seconds", str(seconds), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with {done.returncode}\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def machine() -> dict[str, Any]:
    """What the results depend on; nothing that names the machine."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.+)", info)
    flags = [flag for flag in ("avx512_bf16", "amx_bf16", "avx512f") if re.search(rf"\b{flag}\b", info)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "processor": model[1].strip() if model else platform.processor(),
        "cores": cores,
        "instructions": flags,
        "python": platform.python_version(),
        "system": platform.system(),
    }


def beside_the_plain_loop(options: argparse.Namespace) -> dict[str, Any]:
    """The audit by both, and the memory of one as large as CelebA."""
    rows, test, repeats = (4000, 800, 3) if options.full else (2000, 400, 2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "faces"
        subprocess.run(
            [sys.executable, "-m", "auditkit", "data", "make-faces", str(data), "--n", str(5 * rows // 2), "--plain"],
            check=True,
        )
        audit(folder, data, 64, 128, 64)
        plain(data, 64, 128, 64)
        return {
            "compared": [
                compared(folder, data, size, rows, test, options.repeats or repeats)
                for size in options.sizes or (64, 128)
            ],
            "memory": memory(folder, data),
        }


def write(found: dict[str, Any], folder: Path) -> str:
    """The results as JSON and as a page, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "-", title(found)).strip("-").lower()
    (folder / f"{stem}.json").write_text(json.dumps(found, indent=1) + "\n")
    text = markdown(found)
    (folder / f"{stem}.md").write_text(text)
    return text


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--bench", action="store_true")
    parser.add_argument("--seconds", type=float, help="for each rate of `auditkit bench` [3; 10 with --full]")
    parser.add_argument("--size", type=int, action="append", dest="sizes")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    if options.bench and (options.sizes or options.repeats):
        parser.error("--bench compares nothing, so it takes neither --size nor --repeats")
    seconds = options.seconds or (10 if options.full else 3)
    parts = {"compared": [], "memory": None} if options.bench else beside_the_plain_loop(options)
    found = {"machine": machine(), **parts, "bench": bench(seconds)}
    found["gpu"] = gpu_of(found) or UNMEASURED
    text = write(found, options.out)
    if gpu_of(found):
        found["bench_deterministic"] = bench(seconds, "--size", "128", "--deterministic")
        text = write(found, options.out)
    print(text)


if __name__ == "__main__":
    main()
