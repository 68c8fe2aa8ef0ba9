"""The image cache as a network wants it: rows gathered on the device; there normalised, channels last."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from auditkit.cohort import Rows
from auditkit.training.device import free_bytes

# Mean and standard deviation of ImageNet's channels: what torchvision's weights were trained with.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
_SHARE_OF_FREE_MEMORY = 0.6
_UPLOAD = 4096


class Pixels:
    """A memory-mapped cache, whose rows are kept on the device as well when that is a GPU with room for them.

    `place` says where rows are gathered: "device", or "host": then each batch is read from the file and travels through
    pinned memory. `most` is how many of the file's rows will be held; None for all of them. `room` is how many bytes
    the device has for them; None for what is free there, and for a CPU, which needs none beside the file.
    """

    def __init__(self, path: Path, device: torch.device, most: int | None = None, room: int | None = None) -> None:
        self.path = path
        # Copy-on-write: torch accepts only writable arrays, and the file must never change.
        self.host = torch.from_numpy(np.load(path, mmap_mode="c"))
        self.device = device
        self.size = self.host.shape[1]
        self._most = len(self.host) if most is None else most
        self._resident = self._in(room)
        self._held = 0
        in_place = self._resident is self.host
        self._slot_of = torch.arange(len(self.host)) if in_place else torch.full((len(self.host),), -1)

    @property
    def bytes_on_device(self) -> int:
        """That the rows take there, or would take."""
        return self._most * self.size**2 * 3

    @property
    def place(self) -> str:
        """Where rows are gathered."""
        return "host" if self._resident is None else "device"

    def hold(self, rows: Rows) -> None:
        """Bring the rows onto the device, unless they are there or it has no room.

        Raises ValueError for more than were announced.
        """
        if self._resident is None:
            return
        asked = torch.from_numpy(np.unique(rows))
        missing = asked[self._slot_of[asked] < 0]
        if self._held + len(missing) > self._most:
            raise ValueError(f"{self._held + len(missing)} rows to be held, where {self._most} were announced")
        for start in range(0, len(missing), _UPLOAD):
            part = missing[start : start + _UPLOAD]
            end = self._held + len(part)
            self._resident[self._held : end] = self._fetched(part)
            self._slot_of[part] = torch.arange(self._held, end)
            self._held = end

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, size, size, 3) uint8 on the device; `rows` is (n,) int64 on the CPU."""
        if self._resident is None:
            return self._fetched(rows)
        return self._resident.index_select(0, upload(self._slot_of[rows], self.device))

    def _fetched(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows of the host on the device, by way of pinned memory that is used again, since new pages take long."""
        staged = torch.empty(
            (len(rows), *self.host.shape[1:]), dtype=torch.uint8, pin_memory=self.device.type == "cuda"
        )
        torch.index_select(self.host, 0, rows, out=staged)
        return staged.to(self.device, non_blocking=True)

    def _in(self, room: int | None) -> torch.Tensor | None:
        """Where rows are kept on the device, in the order they came in: nowhere, if they do not fit into its room."""
        if room is None and self.device.type == "cpu":
            return self.host
        if room is None and self.device.type == "cuda":
            room = int(free_bytes(self.device) * _SHARE_OF_FREE_MEMORY)
        fits = room is None or self.bytes_on_device <= room
        return self.host.new_empty(self._most, *self.host.shape[1:], device=self.device) if fits else None


def upload(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A CPU tensor on the device; the host waits for nothing, which it would from memory that is not pinned."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


@lru_cache(maxsize=1)
def open_pixels(path: Path, device: torch.device, most: int) -> Pixels:
    """The cache at a path; the last one stays open, so that the units of a process share it."""
    return Pixels(path, device, most)


class Normalise(nn.Module):
    """(n, height, width, 3) uint8 to (n, 3, height, width) float32, channels last, by ImageNet's mean and deviation.

    The first thing that a network does, so that its step takes bytes and a compiler makes one kernel of this and what
    follows. The constants move with the network, and are no part of its state.
    """

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
        self.register_buffer("scale", 1 / (255 * std), persistent=False)
        self.register_buffer("shift", -mean / std, persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Works on whole pixel rows: broadcasting over a last dimension of three is twenty times slower."""
        n, height, width, _ = images.shape
        scale, shift = self.get_buffer("scale").repeat(width), self.get_buffer("shift").repeat(width)
        flat = torch.addcmul(shift, images.reshape(n * height, width * 3).to(torch.float32), scale)
        return flat.view(n, height, width, 3).permute(0, 3, 1, 2)
