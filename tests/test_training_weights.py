"""Weights: safetensors in and out, and the one conversion of a published checkpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from auditkit import PretrainedFile
from auditkit.errors import AuditError, DataError
from auditkit.training import weights


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))


@pytest.fixture
def published(tmp_path: Path) -> PretrainedFile:
    """A checkpoint on a server: here, a file address."""
    torch.save(
        {"fc.weight": torch.arange(6.0).view(2, 3), "denselayer12.norm.1.bias": torch.ones(1)}, tmp_path / "made.pth"
    )
    digest = hashlib.sha256((tmp_path / "made.pth").read_bytes()).hexdigest()
    place = (tmp_path / "made.pth").rename(tmp_path / f"net-{digest[:8]}.pth")
    return PretrainedFile(place.as_uri(), digest[:8])


def test_tensors_and_record_survive(tmp_path: Path) -> None:
    tensors = {"a": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last), "n": torch.tensor(3)}
    weights.save(tensors, tmp_path / "w.safetensors", {"epoch": 2})
    found, record = weights.read(tmp_path / "w.safetensors")
    assert record == {"epoch": 2}
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert [p.name for p in tmp_path.glob("w*")] == ["w.safetensors"]


def test_a_published_checkpoint_is_fetched_checked_and_converted_once(
    published: PretrainedFile, tmp_path: Path
) -> None:
    assert weights.pretrained(published)["fc.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    for path in tmp_path.rglob("net-*.pth"):
        path.unlink()
    assert set(weights.pretrained(published)) == {"fc.weight", "denselayer12.norm1.bias"}


def test_torch_hubs_folder_is_looked_at_first(published: PretrainedFile, tmp_path: Path) -> None:
    name = published.url.rsplit("/", 1)[-1]
    hub = tmp_path / "hub" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (tmp_path / name).rename(hub / name)
    assert "fc.weight" in weights.pretrained(published)
    assert not (tmp_path / "cache" / "weights" / name).exists()


def test_a_wrong_file_is_refused(published: PretrainedFile, tmp_path: Path) -> None:
    place = tmp_path / "cache" / "weights" / published.url.rsplit("/", 1)[-1]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"an HTML page")
    with pytest.raises(DataError) as caught:
        weights.pretrained(published)
    digest = hashlib.sha256(b"an HTML page").hexdigest()
    expected = f"not the published file: its SHA-256 begins with {digest[:12]}, not {published.sha256_prefix}"
    assert caught.value.message == expected
    assert caught.value.where == str(place)
    assert caught.value.hint == f"remove it, and fetch {published.url} again"


def test_without_a_network_the_message_says_which_file_to_put_where(tmp_path: Path) -> None:
    file = PretrainedFile((tmp_path / "resnet18-f37072fd.pth").as_uri(), "f37072fd")
    with pytest.raises(AuditError) as caught:
        weights.pretrained(file)
    assert caught.value.message.startswith(f"ImageNet weights cannot be downloaded from {file.url} (")
    place = tmp_path / "cache" / "weights" / "resnet18-f37072fd.pth"
    assert caught.value.hint == (
        f"put that file, whose SHA-256 begins with f37072fd, at {place}; "
        "or train from scratch: --profile small where the audit has one, or --set recipe.init='\"none\"'"
    )
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_a_cache_that_cannot_be_locked_says_where_and_what_to_do(published: PretrainedFile, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "weights"
    (folder / f"{published.url.rsplit('/', 1)[-1]}.lock").mkdir(parents=True)
    with pytest.raises(AuditError) as caught:
        weights.pretrained(published)
    assert str(caught.value) == (
        f"{folder}: cannot write to the cache: Is a directory\n  name another folder with the variable AUDITKIT_CACHE"
    )
