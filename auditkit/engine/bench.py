"""What this machine can do, and what auditkit does on it: the parent's side, which imports no torch.

Each process at work measures at the same time as the others, as units do in a run; their rates are added up. As in a
run, all processes decode, and then those train that share the device.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from auditkit.cohort import ImageSource, Rows
from auditkit.engine.data import build
from auditkit.engine.executors import Local, cores
from auditkit.engine.registry import Registry
from auditkit.engine.work import DESCRIBE_MACHINE, ComponentRef, DeviceWork, FillWork, Machine
from auditkit.events import Send

IMAGES = 256
CROP = 178
"""Side of the square that is cut out of an image, as in audits of CelebA."""
_QUALITY = 75
"""Rendered images then take 7.2 KB, as CelebA's do: 1.44 GB / 202,599. A decoder's time grows with the bytes."""
_DECODE, _MEASURE, _EPOCH = (f"auditkit.engine.worker:{name}" for name in ("bench_decode", "bench", "bench_epoch"))
_FILL = "auditkit.engine.worker:fill"
_RATES = ("step_synthetic", "step_resident", "evaluate")
_BATCH = {"cpu": 128, "cuda": 1024, "mps": 256}
_BATCHES = 8
"""That a process trains on; an epoch that is timed as a whole has fewer where they would take longer than a rate."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Images in memory, again and again: reading them costs nothing that is measured."""

    data: tuple[bytes, ...] = field(repr=False)

    def read(self, index: int) -> bytes:
        """The encoded bytes of an image."""
        return self.data[index % len(self.data)]


@dataclass(frozen=True, slots=True, eq=False)
class BenchWork:
    """What one process measures: `seconds` for each of its rates, with the images `rows` (n,) int64 of the array at
    `path`, of `size` pixels.
    """

    model: ComponentRef
    jpegs: ImageSource
    path: str
    rows: Rows = field(repr=False)
    device: str
    size: int
    batch: int
    threads: int
    seconds: float
    precision: str
    deterministic: bool
    graph: bool

    @property
    def images(self) -> tuple[Rows, Path]:
        """Which, and where."""
        return self.rows, Path(self.path)


@dataclass(frozen=True, slots=True)
class Asked:
    """How is measured: images' sides, device, workers (None: one per core, one on a GPU), threads of each, seconds for
    each rate, number format ("auto": as in a run), whether only algorithms that always give the same bits are used,
    images per step (None: as many as the device wants), and whether a GPU does without captured steps.
    """

    sizes: Sequence[int]
    device: str
    workers: int | None
    threads: int
    seconds: float
    precision: str = "auto"
    deterministic: bool = False
    batch: int | None = None
    no_graph: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution of ResNet-18: channels in and out, kernel, stride, side of its input; how often it occurs."""

    into: int
    out: int
    kernel: int
    stride: int
    side: int
    times: int = 1


def layers(size: int) -> list[Layer]:
    """ResNet-18's convolutions at `size` pixels. Source: He et al. 2016, Table 1; torchvision's resnet18."""
    side = -(-size // 4)
    found = [Layer(3, 64, 7, 2, size), Layer(64, 64, 3, 1, side, 4)]
    for width in (128, 256, 512):
        found.append(Layer(width // 2, width, 3, 2, side))
        found.append(Layer(width // 2, width, 1, 2, side))
        side = -(-side // 2)
        found.append(Layer(width, width, 3, 1, side, 3))
    return found


def training_flop(size: int) -> float:
    """Floating-point operations per image: forward, and both backward products but for the stem's inputs."""
    return sum(layer.times * _kernels(layer) * _flop(layer) for layer in layers(size))


def serial_roofline(size: int, flop_rate: float, byte_rate: float) -> float:
    """Images per second at which a training step in two-byte numbers, fused by a compiler, could run at best.

    Kernels run one after another: each convolution takes the longer of its arithmetic (at `flop_rate` a second) and of
    reading its input and writing its output (at `byte_rate` bytes a second); what is between them (normalisation,
    ReLU, sums) moves 18.7 bytes per element of the convolutions' outputs: forward, a read and a write of two bytes for
    the normalisation's statistics, its application and the sum; backward, those of the mask and of both gradients.
    """
    convolutions = sum(
        layer.times * _kernels(layer) * max(_flop(layer) / flop_rate, _bytes(layer) / byte_rate)
        for layer in layers(size)
    )
    elements = sum(layer.times * _outputs(layer) for layer in layers(size))
    return 1 / (convolutions + 18.7 * elements / byte_rate)


def _kernels(layer: Layer) -> int:
    return 2 if layer.into == 3 else 3


def _outputs(layer: Layer) -> float:
    return layer.out * (-(-layer.side // layer.stride)) ** 2


def _flop(layer: Layer) -> float:
    return 2 * _outputs(layer) * layer.into * layer.kernel**2


def _bytes(layer: Layer) -> float:
    return 2 * (layer.into * layer.side**2 + _outputs(layer))


def _of_official_size(jpeg: bytes) -> bytes:
    found = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(found, "JPEG", quality=_QUALITY)
    return found.getvalue()


def bench(asked: Asked, send: Send) -> dict[str, Any]:
    """Measure in all processes at once; a JSON document. Raises AuditError for an absent device."""
    registry = Registry.load()
    images = build(registry, "faces", {"images": IMAGES}).open(None).images
    jpegs = Encoded(tuple(_of_official_size(images.read(number)) for number in range(IMAGES)))
    with Local(max(cores(), asked.workers or 1), 1, send) as decoders, tempfile.TemporaryDirectory() as folder:
        work = DeviceWork(asked.device, asked.deterministic)
        machine: Machine = decoders.submit(DESCRIBE_MACHINE, work).result()
        if asked.precision != "auto":
            machine = replace(machine, precision=asked.precision)
        one = _work(asked, machine, jpegs)
        with Local(asked.workers or (cores() if machine.device == "cpu" else 1), asked.threads, send) as pool:
            rows = [_measured(replace(one, size=size), Path(folder), decoders, pool) for size in asked.sizes]
            return {"machine": _machine(machine, decoders.processes, pool.processes, asked), "cases": rows}


def _work(asked: Asked, machine: Machine, jpegs: Encoded) -> BenchWork:
    """Of every process; size and images are left open."""
    return BenchWork(
        model=ComponentRef("model", "resnet18", {}),
        jpegs=jpegs,
        path="",
        rows=np.arange(0),
        device=machine.device,
        size=0,
        batch=asked.batch or _BATCH[machine.device.partition(":")[0]],
        threads=asked.threads,
        seconds=asked.seconds,
        precision=machine.precision,
        deterministic=asked.deterministic,
        graph=not asked.no_graph,
    )


def _measured(work: BenchWork, folder: Path, decoders: Local, pool: Local) -> dict[str, Any]:
    """All that is measured at one size."""
    rows = np.arange(pool.processes * _BATCHES * work.batch)
    work = replace(work, path=_empty_array(folder / f"{work.size}.npy", len(rows), work.size))
    decoded = sum(_together(decoders, _DECODE, _parts(work, rows, decoders.processes)))
    found = _together(pool, _MEASURE, _parts(work, rows, pool.processes))
    rate = min(one["step_resident"] for one in found)
    batches = max(2, min(_BATCHES, round(work.seconds * rate / work.batch)))
    whole = replace(work, path=_empty_array(folder / f"{work.size}-whole.npy", len(rows), work.size))
    total = {"decode": decoded, "end_to_end": _end_to_end(whole, pool.processes * batches * work.batch, decoders, pool)}
    return _row(work.size, found, total)


def _end_to_end(work: BenchWork, images: int, decoders: Local, pool: Local) -> float:
    """Images per second: all decoded, then an epoch of them and an evaluation of them, by the clock.

    Building networks is left out: a run does so once for many epochs.
    """
    rows = np.arange(images)
    fill = [FillWork(one.jpegs, one.rows, CROP, one.size, one.path) for one in _parts(work, rows, decoders.processes)]
    started = time.perf_counter()
    _together(decoders, _FILL, fill)
    decoded = time.perf_counter() - started
    trained: float = max(_together(pool, _EPOCH, _parts(work, rows, pool.processes)))
    return images / (decoded + trained)


def _parts(work: BenchWork, rows: Rows, processes: int) -> list[BenchWork]:
    """The work of each process: equal parts of the images."""
    return [replace(work, rows=part) for part in np.array_split(rows, processes)]


def _together(pool: Local, function: str, work: Sequence[Any]) -> list[Any]:
    return [future.result() for future in [pool.submit(function, one) for one in work]]


def _empty_array(path: Path, images: int, size: int) -> str:
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(images, size, size, 3)).flush()
    return str(path)


def _machine(machine: Machine, decoders: int, processes: int, asked: Asked) -> dict[str, Any]:
    return {
        "device": machine.device_name,
        "cores": machine.cores,
        "decoders": decoders,
        "processes": processes,
        "threads": asked.threads,
        "torch": machine.torch,
        "torchvision": machine.torchvision,
        "precision": machine.precision,
        "deterministic": asked.deterministic,
    }


def _row(size: int, found: Sequence[Mapping[str, Any]], total: Mapping[str, float]) -> dict[str, Any]:
    """Rates of all processes together, and what follows from them; `total` are those that are no sums."""
    total = {**total} | {name: sum(one[name] for one in found) for name in (*_RATES, "copy")}
    gemm = {kind: sum(one["gemm"][kind] for one in found) for kind in found[0]["gemm"]}
    best = gemm[found[0]["precision"]]
    roofline = serial_roofline(size, best, total["copy"])
    return {
        "size": size,
        "batch": found[0]["batch"],
        "gemm_flop_per_second": gemm,
        "copy_bytes_per_second": total["copy"],
        **{f"{name}_images_per_second": total[name] for name in ("decode", *_RATES, "end_to_end")},
        "resident_over_synthetic": total["step_resident"] / total["step_synthetic"],
        "train_flop_per_second": total["step_resident"] * training_flop(size),
        "serial_roofline_images_per_second": roofline,
        "share_of_serial_roofline": total["step_resident"] / roofline,
        "share_of_cpu": sum(one["share_of_cpu"] for one in found) / len(found),
        "steps": found[0]["steps"],
        "seconds_until_first_step": max(one["seconds_until_first_step"] for one in found),
        "peak_host_bytes": sum(one["peak_host_bytes"] for one in found),
        "peak_device_bytes": sum(one["peak_device_bytes"] for one in found),
    }
