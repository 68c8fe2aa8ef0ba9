"""Batches, augmentation and normalisation: the same for the same keys, and what they say they are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torchvision.transforms.v2 import functional
from training_toys import learnable

from auditkit.cohort import Draw
from auditkit.events import Notice
from auditkit.spec.model import Augment
from auditkit.training.augment import parameters, render
from auditkit.training.batches import ImageBatches, Labels, Pictures, mirror, order
from auditkit.training.pixels import MEAN, STD, Normalise, Pixels
from auditkit.training.predict import positions
from auditkit.training.telling import tell_place

CPU = torch.device("cpu")
STILL = Augment(flip=False, rotate=0.0, scale=0.0, brightness=0.0, contrast=0.0, saturation=0.0)


@pytest.fixture
def pixels(tmp_path: Path) -> Pixels:
    np.save(tmp_path / "pixels.npy", learnable()[0])
    return Pixels(tmp_path / "pixels.npy", CPU)


def rows(n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.arange(n, dtype=np.int64)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (5, [5]), (16, [16]), (17, [9, 8]), (32, [16, 16]), (33, [16, 9, 8]), (100, [16] * 5 + [10, 10])],
)
def test_an_epoch_visits_every_row_once_in_full_batches_of_which_the_last_two_share_the_rest(
    count: int, sizes: list[int]
) -> None:
    parts = order(0, 3, count, 16)
    assert sorted(torch.cat(parts).tolist()) == list(range(count))
    assert [len(part) for part in parts] == sizes


def test_the_order_is_pinned() -> None:
    """The golden order of a stateless stream: were it to change, stored units could not be made again."""
    digest = hashlib.sha256(torch.cat(order(7, 2, 1000, 64)).numpy().tobytes()).hexdigest()
    assert digest[:16] == "9cadf340d419b090"
    assert not torch.equal(order(7, 2, 50, 50)[0], order(7, 3, 50, 50)[0])


@pytest.mark.parametrize("fits", [True, False])
def test_images_on_another_device_or_fetched_batch_by_batch_are_the_same(
    tmp_path: Path, pixels: Pixels, fits: bool
) -> None:
    """As on a GPU with room for the images and without, on the CPU: only the tensor they are gathered from differs."""
    other = Pixels(tmp_path / "pixels.npy", CPU, most=7, room=7 * pixels.size**2 * 3 - (not fits))
    assert other.place == ("device" if fits else "host")
    index = torch.tensor([7, 3, 3, 60, 0])
    other.hold(np.array([7, 3]))
    other.hold(np.array([60, 0, 3, 60]))
    other.hold(np.array([], dtype=np.int64))
    assert torch.equal(other.gather(index), pixels.gather(index))
    draw = Draw(np.array([5, 9, 9, 2]), np.array([0, 0, 1, 0]))
    for found in (other, pixels):
        found.hold(draw.rows)
    both = [Pictures(found, draw, Augment(), seed=4).gather(torch.arange(4)) for found in (other, pixels)]
    assert torch.equal(*both)


def test_no_more_images_are_held_than_were_announced(tmp_path: Path, pixels: Pixels) -> None:
    few = Pixels(pixels.path, CPU, most=2, room=10**6)
    few.hold(np.array([7, 3, 7]))
    with pytest.raises(ValueError, match="3 rows to be held, where 2 were announced"):
        few.hold(np.array([3, 5]))
    assert torch.equal(few.gather(torch.tensor([3, 7])), pixels.gather(torch.tensor([3, 7])))


def test_images_that_have_no_room_on_the_device_are_told_once(tmp_path: Path, pixels: Pixels) -> None:
    told: list[Any] = []
    without = Pixels(tmp_path / "pixels.npy", CPU, room=0)
    for found in (pixels, without, without):
        tell_place(found, told.append)
    assert told == [
        Notice("the images (0.0 GiB) do not fit on the GPU: each batch travels there from the host", "warning")
    ]


@pytest.mark.parametrize(("count", "batches"), [(0, [0]), (1, [4]), (3, [4]), (4, [4]), (5, [4, 4]), (9, [4, 4, 4])])
def test_full_batches_look_at_the_first_images_again(count: int, batches: list[int]) -> None:
    full, short = (positions(count, 4, full=full) for full in (True, False))
    if count:
        assert [len(part) for part in full] == batches
    assert torch.cat(short).tolist() == list(range(count))
    assert torch.cat(full)[:count].tolist() == list(range(count))
    assert all(0 <= at < max(count, 1) for at in torch.cat(full).tolist())


def test_normalising_is_that_of_torchvision() -> None:
    images = torch.randint(0, 256, (3, 9, 9, 3), dtype=torch.uint8)
    expected = functional.normalize(images.permute(0, 3, 1, 2) / 255, list(MEAN), list(STD))
    found = Normalise()(images)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_batches_carry_pixels_truth_and_stratum_of_one_row(pixels: Pixels) -> None:
    images, truth = learnable()
    draw = Draw(np.array([5, 9, 9, 40, 41, 42], dtype=np.int64))
    labels = Labels.of(draw, truth, rows(len(truth)) * 10, CPU)
    batches = ImageBatches(Pictures(pixels, draw, STILL, 0), labels, 4, seed=1, flip=False)
    seen = []
    for inputs, targets, strata in batches.epoch(0):
        for image, target, stratum in zip(inputs, targets, strata, strict=True):
            row = int(stratum) // 10
            assert torch.equal(image, torch.from_numpy(images[row]))
            assert float(target) == truth[row]
            seen.append(row)
    assert sorted(seen) == sorted(draw.rows.tolist())


def test_flips_change_from_epoch_to_epoch_and_nothing_else(pixels: Pixels) -> None:
    images, truth = learnable()
    draw = Draw(rows(64))
    labels = Labels.of(draw, truth, rows(len(truth)), CPU)
    batches = ImageBatches(Pictures(pixels, draw, STILL, 0), labels, 64, seed=1, flip=True)
    flipped = []
    for epoch in range(2):
        inputs, _, strata = next(iter(batches.epoch(epoch)))
        plain = torch.from_numpy(images[strata.numpy()])
        same = (inputs == plain).flatten(1).all(dim=1)
        assert (same | (inputs == plain.flip(2)).flatten(1).all(dim=1)).all()
        flipped.append({int(s) for s in strata[~same]})
    assert 20 < len(flipped[0]) < 44
    assert flipped[0] != flipped[1]


@pytest.mark.parametrize("kept_bytes", [2**30, 0], ids=["kept", "rendered again"])
def test_a_copy_looks_the_same_in_every_batch_and_a_photo_is_never_touched(pixels: Pixels, kept_bytes: int) -> None:
    kept = Pictures(pixels, Draw(np.array([8]), np.array([1])), Augment(), seed=4).gather(torch.arange(1))
    draw = Draw(np.array([3, 3, 3, 8, 8], dtype=np.int64), np.array([0, 1, 2, 0, 1], dtype=np.int64))
    pictures = Pictures(pixels, draw, Augment(), seed=4, kept_bytes=kept_bytes)
    together = pictures.gather(torch.arange(5))
    alone = torch.cat([pictures.gather(torch.tensor([k])) for k in (4, 3, 2, 1, 0)]).flip(0)
    assert torch.equal(together, alone)
    assert torch.equal(together[0], pixels.host[3])
    assert torch.equal(together[4], kept[0])
    assert not torch.equal(together[1], together[2])
    assert torch.equal(Pictures(pixels, draw, Augment(), seed=4).gather(torch.arange(5)), together)
    assert not torch.equal(Pictures(pixels, draw, Augment(), seed=5).gather(torch.arange(5))[1], together[1])


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_a_copy_rendered_again_looks_the_same_where_a_network_runs_in_half_precision(
    pixels: Pixels, kind: torch.dtype
) -> None:
    """As in evaluation, which gathers images within autocast, and in training, which does not."""
    pictures = Pictures(pixels, Draw(rows(32), rows(32) % 3), Augment(rotate=30.0), seed=4, kept_bytes=0)
    plain = pictures.gather(torch.arange(32))
    with torch.autocast("cpu", kind):
        assert torch.equal(pictures.gather(torch.arange(32)), plain)
    assert not torch.equal(plain, pixels.gather(torch.arange(32)))


def test_mirroring_leaves_the_others_as_they_are_and_never_writes_into_what_it_was_given() -> None:
    images = torch.randint(0, 256, (5, 4, 4, 3), dtype=torch.uint8)
    before = images.clone()
    for which in ([True, False, True, True, False], [False] * 5, [True] * 5):
        found = mirror(images, torch.tensor(which))
        assert torch.equal(images, before)
        for one, was, mirrored in zip(found, before, which, strict=True):
            assert torch.equal(one, was.flip(1) if mirrored else was)


def test_parameters_stay_in_their_ranges_and_depend_on_row_and_copy_alone() -> None:
    many, copies = rows(5000), np.ones(5000, dtype=np.int64)
    drawn = parameters(Augment(), 0, many, copies)
    side = np.hypot(drawn[:, 1], drawn[:, 4])
    assert 0.9 <= side.min() < 0.901
    assert 0.999 < side.max() <= 1.0001
    angle = np.rad2deg(np.arctan2(-drawn[:, 1], drawn[:, 4]))
    assert 9.9 < angle.max() <= 10.001
    assert -10.001 <= angle.min() < -9.9
    assert 0.45 < (drawn[:, 0] < 0).mean() < 0.55
    assert (np.abs(drawn[:, [2, 5]]) <= (1 - side)[:, None] + 1e-6).all()
    assert (np.abs(drawn[:, 6:] - 1) <= 0.2).all()
    np.testing.assert_array_equal(parameters(Augment(), 0, many[7:9], copies[7:9]), drawn[7:9])


def test_the_identity_changes_nothing_and_a_flip_mirrors() -> None:
    images = torch.randint(0, 256, (2, 12, 12, 3), dtype=torch.uint8)
    drawn = torch.from_numpy(parameters(STILL, 0, rows(2), rows(2) + 1))
    assert torch.equal(render(images, drawn), images)
    drawn[:, 0] = -1
    assert torch.equal(render(images, drawn), images.flip(2))


def test_rendering_agrees_with_an_independent_reference() -> None:
    """Bilinear sampling by SciPy with its own reflection, and colours by torchvision, image by image."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (6, 3, 5, 5))).float()
    images = torch.nn.functional.interpolate(coarse, size=24, mode="bilinear").byte().permute(0, 2, 3, 1).contiguous()
    wide = Augment(rotate=30.0, scale=0.3, brightness=0.3, contrast=0.3, saturation=0.3)
    drawn = parameters(wide, 3, rows(6), rows(6) + 1)
    found = render(images, torch.from_numpy(drawn)).numpy().astype(int)
    for image, numbers, rendered in zip(images.numpy(), drawn, found, strict=True):
        expected = reference(image, numbers)
        assert np.abs(rendered - expected).max() <= 1


def reference(image: Any, numbers: Any) -> Any:
    size = image.shape[0]
    place = (2 * np.arange(size) + 1) / size - 1
    y, x = np.meshgrid(place, place, indexing="ij")
    a, b, c, d, e, f = numbers[:6].astype(float)
    to_pixel = [((v + 1) * size - 1) / 2 for v in (d * x + e * y + f, a * x + b * y + c)]
    moved = np.stack(
        [map_coordinates(image[..., k].astype(float), to_pixel, order=1, mode="reflect") for k in range(3)]
    )
    brightness, contrast, saturation = map(float, numbers[6:])
    bright = moved * brightness
    luma = np.array([0.299, 0.587, 0.114])
    mean = np.tensordot(luma, bright, 1).mean()
    stretched = (bright - mean) * contrast + mean
    grey = np.tensordot(luma, stretched, 1)
    return np.clip((stretched - grey) * saturation + grey, 0, 255).transpose(1, 2, 0)


@pytest.mark.gpu
def test_a_gpu_renders_the_same_copies(tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", learnable()[0])
    draw = Draw(np.array([3, 3, 8], dtype=np.int64), np.array([0, 1, 1], dtype=np.int64))
    here, there = (
        Pictures(Pixels(tmp_path / "pixels.npy", torch.device(name)), draw, Augment(), 4).gather(torch.arange(3)).cpu()
        for name in ("cpu", "cuda")
    )
    assert (here.int() - there.int()).abs().max() <= 1
    assert torch.equal(here[0], there[0])
