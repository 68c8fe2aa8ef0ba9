"""What a process says once of how it trains on a GPU: what is slower there than it could be."""

from __future__ import annotations

import torch

from auditkit.events import Notice, Send
from auditkit.training.network import why_no_kernels
from auditkit.training.pixels import Pixels

_told: set[object] = set()


def tell_place(pixels: Pixels, send: Send) -> None:
    """Say that the device has no room for the images."""
    if pixels.place == "host" and _is_new(pixels.path):
        size = f"{pixels.bytes_on_device / 2**30:.1f} GiB"
        send(Notice(f"the images ({size}) do not fit on the GPU: each batch travels there from the host", "warning"))


def tell_kernels(device: torch.device, send: Send) -> None:
    """Say that layers have no kernels of their own."""
    if device.type == "cuda" and _is_new(device) and (why := why_no_kernels(device)):
        first = next(iter(why.splitlines()), "")
        send(Notice(f"Triton can make no kernels here, so ResNets are slower: {first}", "warning"))


def _is_new(what: object) -> bool:
    new = what not in _told
    _told.add(what)
    return new
