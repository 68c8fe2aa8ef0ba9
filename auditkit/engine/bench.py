"""What this machine can do, and what auditkit does on it: the parent's side, which imports no torch.

Each process at work measures at the same time as the others, as units do in a run; their rates are added up.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from auditkit.cohort import ImageSource
from auditkit.engine.data import build
from auditkit.engine.executors import Local, cores
from auditkit.engine.registry import Registry
from auditkit.engine.work import DESCRIBE_MACHINE, ComponentRef, Machine
from auditkit.events import Send

PHOTOS = 256
_QUALITY = 75
"""Rendered images then take 7.2 KB, as CelebA's do: 1.44 GB / 202,599. A decoder's time grows with the bytes."""
_MEASURE = "auditkit.engine.worker:bench"
_RATES = ("decode", "step_synthetic", "step_resident", "evaluate", "end_to_end")
_BATCH = {"cpu": 128, "cuda": 1024, "mps": 256}


@dataclass(frozen=True, slots=True)
class Encoded:
    """Images in memory, again and again: reading them costs nothing that is measured."""

    data: tuple[bytes, ...] = field(repr=False)

    def read(self, index: int) -> bytes:
        """The encoded bytes of an image."""
        return self.data[index % len(self.data)]


@dataclass(frozen=True, slots=True)
class BenchWork:
    """What one process measures: `seconds` for each of its rates, in `folder`, with images of `size` pixels."""

    model: ComponentRef
    photos: ImageSource
    folder: str
    device: str
    size: int
    batch: int
    threads: int
    seconds: float
    precision: str
    deterministic: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """How is measured: images' sides, device, workers (None: one per core, one on a GPU), threads of each, seconds for
    each rate, number format ("auto": the fastest), and whether only algorithms that always give the same bits are used.
    """

    sizes: Sequence[int]
    device: str
    workers: int | None
    threads: int
    seconds: float
    precision: str = "auto"
    deterministic: bool = False


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


def _of_official_size(photo: bytes) -> bytes:
    found = io.BytesIO()
    Image.open(io.BytesIO(photo)).save(found, "JPEG", quality=_QUALITY)
    return found.getvalue()


def bench(asked: Asked, send: Send) -> dict[str, Any]:
    """Measure in all processes at once; a JSON document. Raises AuditError for an absent device."""
    registry = Registry.load()
    images = build(registry, "faces", {"images": PHOTOS}).open(None).images
    photos = Encoded(tuple(_of_official_size(images.read(number)) for number in range(PHOTOS)))
    with Local(asked.workers or cores(), asked.threads, send) as pool, tempfile.TemporaryDirectory() as folder:
        machine: Machine = pool.submit(DESCRIBE_MACHINE, asked.device).result()
        if machine.device != "cpu":
            pool.shrink(asked.workers or 1)
        if asked.precision != "auto":
            machine = replace(machine, precision=asked.precision)
        rows = [_measured(size, asked, machine, photos, Path(folder), pool) for size in asked.sizes]
        return {"machine": _machine(machine, pool.processes, asked), "cases": rows}


def _measured(size: int, asked: Asked, machine: Machine, photos: Encoded, folder: Path, pool: Local) -> dict[str, Any]:
    work = [
        BenchWork(
            model=ComponentRef("model", "resnet18", {}),
            photos=photos,
            folder=str(folder / f"{size}-{number}"),
            device=machine.device,
            size=size,
            batch=_BATCH[machine.device.partition(":")[0]],
            threads=asked.threads,
            seconds=asked.seconds,
            precision=machine.precision,
            deterministic=asked.deterministic,
        )
        for number in range(pool.processes)
    ]
    return _row(size, [future.result() for future in [pool.submit(_MEASURE, one) for one in work]])


def _machine(machine: Machine, processes: int, asked: Asked) -> dict[str, Any]:
    return {
        "device": machine.device_name,
        "cores": machine.cores,
        "processes": processes,
        "threads": asked.threads,
        "torch": machine.torch,
        "torchvision": machine.torchvision,
        "precision": machine.precision,
        "deterministic": asked.deterministic,
    }


def _row(size: int, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rates of all processes together, and what follows from them."""
    total = {name: sum(one[name] for one in found) for name in (*_RATES, "copy")}
    gemm = {kind: sum(one["gemm"][kind] for one in found) for kind in found[0]["gemm"]}
    best = gemm[found[0]["precision"]]
    roofline = serial_roofline(size, best, total["copy"])
    return {
        "size": size,
        "batch": found[0]["batch"],
        "gemm_flop_per_second": gemm,
        "copy_bytes_per_second": total["copy"],
        **{f"{name}_images_per_second": total[name] for name in _RATES},
        "resident_over_synthetic": total["step_resident"] / total["step_synthetic"],
        "train_flop_per_second": total["step_resident"] * training_flop(size),
        "serial_roofline_images_per_second": roofline,
        "share_of_serial_roofline": total["step_resident"] / roofline,
        "share_of_cpu": sum(one["share_of_cpu"] for one in found) / len(found),
        "captured": found[0]["captured"],
        "seconds_until_first_step": max(one["seconds_until_first_step"] for one in found),
        "peak_host_bytes": sum(one["peak_host_bytes"] for one in found),
        "peak_device_bytes": sum(one["peak_device_bytes"] for one in found),
    }
