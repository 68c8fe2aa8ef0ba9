"""Weights as safetensors, and the one place where a downloaded torchvision checkpoint becomes safetensors."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from auditkit.contracts import Model, PretrainedFile
from auditkit.errors import AuditError, DataError
from auditkit.replacing import replacing
from auditkit.training.places import cache_folder, make_folder, unwritable

Tensors = dict[str, torch.Tensor]
_RECORD = "auditkit"
_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])")  # published when module names could hold a dot


def save(tensors: Mapping[str, torch.Tensor], path: Path, record: Mapping[str, Any] | None = None) -> None:
    """Write tensors and a JSON record; a reader meets the old file or the new one."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as aside:
        save_file(plain, aside, metadata={_RECORD: json.dumps(dict(record or {}), allow_nan=False)})


def load(path: Path) -> Tensors:
    """Read tensors from a safetensors file onto the CPU. Raises DataError when it is none."""
    return read(path)[0]


def read(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read what `save` wrote: the tensors, and the record ({} in a file from elsewhere)."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            return tensors, json.loads((file.metadata() or {}).get(_RECORD, "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        hint = "weights are read from safetensors files only"
        raise DataError(f"cannot read weights: {error}", where=str(path), hint=hint) from error


def imagenet(model: Model, name: str) -> Tensors:
    """A model's published weights. Raises AuditError when it has none, or when they cannot be had."""
    file = model.imagenet()
    if file is None:
        raise AuditError(f"the model {name!r} has no ImageNet weights", hint='set recipe.init = "none"')
    return pretrained(file)


def pretrained(file: PretrainedFile) -> Tensors:
    """Weights of a published checkpoint: from the user's cache, torch hub's folder, or the web; converted once."""
    name = file.url.rsplit("/", 1)[-1]
    folder = cache_folder("weights")
    converted = folder / f"{Path(name).stem}.safetensors"
    if not converted.exists():
        make_folder(folder)
        with _locked(folder / f"{name}.lock"):
            if not converted.exists():
                _convert(_obtain(file, name, folder), file, converted)
    return load(converted)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock at `path`. Raises AuditError where it cannot be had."""
    lock = FileLock(path)
    try:
        lock.acquire()
    except OSError as error:
        raise unwritable(error, path.parent) from error
    try:
        yield
    finally:
        lock.release()


def _obtain(file: PretrainedFile, name: str, folder: Path) -> Path:
    """The checkpoint as it was published, downloaded into the cache where it is nowhere yet."""
    hub = Path(torch.hub.get_dir()) / "checkpoints" / name
    found = next((place for place in (folder / name, hub) if place.is_file()), None)
    if found is not None:
        return found
    place = folder / name
    try:
        with replacing(place) as aside:
            _download(file.url, aside)
    except OSError as error:
        raise AuditError(_no_download(file, error), hint=_remedy(file, place)) from error
    return place


def _download(url: str, path: Path) -> None:
    with urllib.request.urlopen(url, timeout=30) as answer, path.open("wb") as out:  # noqa: S310
        shutil.copyfileobj(answer, out, 1 << 20)


def _no_download(file: PretrainedFile, error: OSError) -> str:
    return f"ImageNet weights cannot be downloaded from {file.url} ({getattr(error, 'reason', error)})"


def _remedy(file: PretrainedFile, place: Path) -> str:
    return (
        f"put that file, whose SHA-256 begins with {file.sha256_prefix}, at {place}; "
        "or train from scratch: --profile small where the audit has one, or --set recipe.init='\"none\"'"
    )


def _convert(checkpoint: Path, file: PretrainedFile, target: Path) -> None:
    with checkpoint.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not digest.startswith(file.sha256_prefix):
        raise DataError(
            f"not the published file: its SHA-256 begins with {digest[:12]}, not {file.sha256_prefix}",
            where=str(checkpoint),
            hint=f"remove it, and fetch {file.url} again",
        )
    tensors = torch.load(checkpoint, map_location="cpu", weights_only=True)
    save({_DENSENET.sub(r"\1\2", name): t for name, t in tensors.items()}, target, {"source": file.url})
