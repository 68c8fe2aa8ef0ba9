"""CelebA from its publisher, by torchvision's own downloader."""

from __future__ import annotations

from pathlib import Path

from torchvision.datasets import CelebA

from auditkit import DataError

BY_HAND = "fetch it by hand from http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and name its folder with --data"


def download(place: Path) -> None:
    """Fetch the official files into `place` (torchvision insists on a folder of the name celeba in it)."""
    root = place.parent if place.name == CelebA.base_folder else place
    try:
        root.mkdir(parents=True, exist_ok=True)
        CelebA(str(root), download=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise DataError(f"CelebA could not be downloaded: {reason}", where=str(place), hint=BY_HAND) from error
    except Exception as error:  # gdown's errors come from a package that need not be installed
        if not type(error).__module__.startswith("gdown"):
            raise
        raise DataError(f"CelebA could not be downloaded: {error}", where=str(place), hint=BY_HAND) from error
