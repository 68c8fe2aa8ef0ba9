"""Which device computes, and in which precision."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import torch

from auditkit.errors import AuditError

FLOAT32, BFLOAT16, FLOAT16 = "float32", "bfloat16", "float16"
DTYPES = {FLOAT32: torch.float32, BFLOAT16: torch.bfloat16, FLOAT16: torch.float16}
_WORTH_IT = 1.2
"""A less exact format must be this many times as fast."""
_SIDE, _TURNS = 512, 12
_PROBED_BATCH, _PROBED_STEPS = 1024, 8
"""On a GPU: a gigabyte, and some 8 ms of a large one, whose host launches the kernels in a quarter of the time."""
_AHEAD = 64
"""How much work a host may have handed to a GPU that is being measured."""
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Numbers of glibc's mallopt()."""


@dataclass(frozen=True, slots=True)
class Compute:
    """A device, a precision (a key of DTYPES, by autocast) and a number of CPU threads."""

    device: torch.device
    precision: str
    threads: int

    def autocast(self) -> torch.autocast:
        """The context in which a network runs forward."""
        return torch.autocast(self.device.type, DTYPES[self.precision], enabled=self.precision != FLOAT32)

    def scaler(self) -> torch.amp.GradScaler:
        """What keeps gradients within the range of float16; it does nothing in other formats."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == FLOAT16)

    def set_up(self) -> None:
        """Let torch use as many CPU threads as this says: the order of sums, hence the last bits, depends on it."""
        torch.set_num_threads(self.threads)
        if self.device.type == "cpu":
            keep_memory()


def keep_memory() -> None:
    """Let this process keep the memory that tensors leave behind, where the C library is glibc; elsewhere do nothing.

    glibc hands large buffers back to the system and asks for new ones in every training step, and every 4 KiB of them
    cost a page fault: a seventh of a ResNet-18's step on images of 128 pixels, a thirteenth at 64.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_TOP_PAD, 64 * 2**20)


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" is a CUDA device, else Apple's, else the CPU. Raises AuditError when absent."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise AuditError(f"unknown device {name!r}", hint="use auto, cpu, cuda, cuda:1 or mps") from error
    there = {"cpu": True, "cuda": _has_cuda(device), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise AuditError(f"this machine has no device {name!r}", hint="use --device auto, or --device cpu")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def _has_cuda(device: torch.device) -> bool:
    return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()


def device_name(device: torch.device) -> str:
    """What a person calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else f"CPU ({torch.backends.cpu.get_cpu_capability()})"


def free_bytes(device: torch.device) -> int:
    """Memory of a CUDA device that nobody uses; 0 for any other device."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def precisions(device: torch.device) -> list[str]:
    """Precisions that the device has instructions for and that pay there, the most exact first."""
    if device.type == "cuda":
        halves = {BFLOAT16: torch.cuda.is_bf16_supported(including_emulation=False), FLOAT16: True}
    else:
        bfloat16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        halves = {BFLOAT16: device.type == "cpu" and bfloat16}
    return [FLOAT32, *(name for name, there in halves.items() if there)]


def choose_precision(wanted: str, device: torch.device) -> str:
    """The precision asked for; "auto" is the one that measures fastest, after `choose_algorithms`.

    The instructions alone do not tell: an EPYC with AVX512-BF16 trains nearly twice as fast with it as in float32, a
    Xeon whose AMX is masked more slowly. So it is measured, once per process; the answers seen on CPUs (products half
    as fast, or four times as fast) lie far from the limit.
    """
    return fastest(_seconds(device)) if wanted == "auto" else wanted


def candidates(device: torch.device) -> list[str]:
    """What "auto" chooses from: on a CUDA device those of two bytes only, which halve what every kernel moves."""
    return [name for name in precisions(device) if device.type != "cuda" or name != FLOAT32]


def fastest(seconds: Mapping[str, float]) -> str:
    """The format with the fewest seconds; of two that are about as fast the first: bfloat16 needs no scaled losses."""
    best, *others = seconds
    for other in others:
        if seconds[other] * _WORTH_IT < seconds[best]:
            best = other
    return best


@cache
def _seconds(device: torch.device) -> dict[str, float]:
    """Of a piece of work in each of `candidates`, on a CPU with one thread; takes some 60 ms there.

    They take turns and the shortest counts, so that other work on the machine hardly does.
    """
    works = {name: _work(device, DTYPES[name]) for name in candidates(device)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        turns = [{name: _seconds_of(work, device) for name, work in works.items()} for _ in range(_TURNS)]
    finally:
        torch.set_num_threads(threads)
    del works
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return {name: min(turn[name] for turn in turns) for name in turns[0]}


def _work(device: torch.device, kind: torch.dtype) -> Callable[[], object]:
    """A product of matrices on a CPU, where it is nearly all that a step is made of; part of some steps elsewhere.

    Many, and large, between one wait for a GPU and the next: else its host's launches would be what is measured.
    """
    if device.type == "cpu":
        ones = torch.ones(_SIDE, _SIDE, dtype=kind, device=device)
        return lambda: ones @ ones
    step = part_of_a_step(device, kind, batch=_PROBED_BATCH)
    return lambda: [step() for _ in range(_PROBED_STEPS)]


def part_of_a_step(device: torch.device, kind: torch.dtype, *, batch: int) -> Callable[[], object]:
    """Forward and backward through a convolution, batch norm and ReLU, as in the middle of a ResNet-18.

    Backward to the images, too, as where other layers come before. On a GPU float16 and bfloat16 multiply equally fast,
    but only float16 has cuDNN's batch norm.
    """
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(128, 128, 3, padding=1, bias=False), torch.nn.BatchNorm2d(128), torch.nn.ReLU()
    )
    layers = layers.to(device).to(memory_format=torch.channels_last)
    images = torch.ones(batch, 128, 16, 16, device=device).to(memory_format=torch.channels_last).requires_grad_()

    def step() -> None:
        layers.zero_grad(set_to_none=True)
        images.grad = None
        with torch.autocast(device.type, kind, enabled=kind != torch.float32):
            loss = layers(images).float().mean()
        loss.backward()

    return step


def times_a_second(work: Callable[[], object], seconds: float, device: torch.device) -> float:
    """How often a device does some work in a second; it works for so many seconds or longer.

    A GPU is waited for at the end, and now and then: a host that is far ahead of it would measure itself, or go on for
    long after the time is up. What takes longer the first time should have been done before.
    """
    started, count, next_wait = time.perf_counter(), 0, 1
    while time.perf_counter() - started < seconds:
        work()
        count += 1
        if count == next_wait:
            wait_for(device)
            next_wait += min(count, _AHEAD)
    wait_for(device)
    return count / (time.perf_counter() - started)


def _seconds_of(work: Callable[[], object], device: torch.device) -> float:
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; a CPU has done so already."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def choose_algorithms(device: torch.device, *, deterministic: bool) -> None:
    """On a CUDA device: the fastest algorithms found by trying, or only those that give the same bits every time.

    A CPU gives the same bits anyway, for equal threads. An operation without such an algorithm warns. The device
    becomes the current one: a graph is captured on a stream of the current device, whatever its tensors lie on.
    """
    if device.type != "cuda":
        return
    torch.cuda.set_device(device)
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.deterministic = deterministic
    torch.use_deterministic_algorithms(deterministic, warn_only=True)
    # Else deterministic mode writes every activation once more.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010
