"""The plain PyTorch loop that auditkit is measured against: what one writes without it.

    auditkit data make-faces faces --n 3000
    python benchmarks/plain_loop.py faces --size 64 --rows 1000 --test 300 --epochs 3 --json

Images are decoded by PIL in a DataLoader with two workers, again in every epoch; ResNet-18 is trained in float32 with
SGD, once per arm (cross-entropy, reweighted, focal) and seed; then the test images are predicted. Needs torch,
torchvision, Pillow and NumPy, and nothing of auditkit.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name the field gives it
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import models, transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ARMS = ("cross-entropy", "reweight", "focal")


class Faces(Dataset[tuple[torch.Tensor, float]]):
    """Images in CelebA's layout, and one attribute."""

    def __init__(self, folder: Path, names: list[str], truth: list[int], size: int, *, flip: bool) -> None:
        self.files = [folder / "img_align_celeba" / name for name in names]
        self.truth = truth
        steps = [transforms.CenterCrop(178), transforms.Resize(size, antialias=True)]
        mirrored = [transforms.RandomHorizontalFlip()] if flip else []
        self.transform = transforms.Compose([*steps, *mirrored, transforms.ToTensor(), transforms.Normalize(MEAN, STD)])

    def __len__(self) -> int:
        """Images."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, float]:
        """Decode one."""
        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB")), float(self.truth[index])


def labelled(folder: Path, target: str) -> tuple[list[str], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """File names, truth of the target, and splits (0 train, 1 valid, 2 test)."""
    lines = (folder / "list_attr_celeba.txt").read_text().splitlines()
    column = lines[1].split().index(target) + 1
    rows = [line.split() for line in lines[2:]]
    splits = [int(line.split()[1]) for line in (folder / "list_eval_partition.txt").read_text().splitlines()]
    return [row[0] for row in rows], np.array([row[column] == "1" for row in rows], dtype=int), np.array(splits)


def part(folder: Path, target: str, split: int, count: int, size: int) -> Faces:
    """So many images of a split."""
    names, truth, splits = labelled(folder, target)
    rows = np.flatnonzero(splits == split)[:count]
    return Faces(folder, [names[row] for row in rows], truth[rows].tolist(), size, flip=split == 0)


def loss_of(arm: str, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """What an arm minimises."""
    losses = F.cross_entropy(logits, truth.long(), reduction="none")
    if arm == "reweight":
        losses = losses * torch.where(truth > 0.5, 1.2, 0.8)
    if arm == "focal":
        losses = losses * (1 - torch.exp(-losses)) ** 2
    return losses.mean()


def train(arm: str, seed: int, data: Faces, options: argparse.Namespace, device: torch.device) -> torch.nn.Module:
    """Train one network; prints nothing."""
    torch.manual_seed(seed)
    network: torch.nn.Module = models.resnet18(num_classes=2).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loader = DataLoader(data, options.batch, shuffle=True, num_workers=2)
    for _epoch in range(options.epochs):
        network.train()
        for images, truth in loader:
            loss = loss_of(arm, network(images.to(device)), truth.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def predict(network: torch.nn.Module, data: Faces, options: argparse.Namespace, device: torch.device) -> float:
    """Share of right predictions."""
    network.eval()
    right = 0
    with torch.no_grad():
        for images, truth in DataLoader(data, options.batch, num_workers=2):
            right += int(((network(images.to(device)).argmax(1).cpu() == 1) == (truth > 0.5)).sum())
    return right / len(data)


def main() -> None:
    """Do all units one after another, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--test", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--target", default="Male")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    seen = part(options.data, options.target, 0, options.rows, options.size)
    unseen = part(options.data, options.target, 2, options.test, options.size)
    seconds, accuracies = 0.0, []
    for arm in ARMS:
        for seed in range(options.seeds):
            started = time.perf_counter()
            network = train(arm, seed, seen, options, device)
            seconds += time.perf_counter() - started
            accuracies.append(predict(network, unseen, options, device))
    visits = len(seen) * options.epochs * len(ARMS) * options.seeds
    found = {"images_per_second": visits / seconds, "rows": len(seen), "test": len(unseen), "accuracy": accuracies}
    print(json.dumps(found) if options.json else found)


if __name__ == "__main__":
    main()
