"""Rendered faces: the same every time, with the statistics of CelebA, and something to see."""

from __future__ import annotations

import json
import pickle
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from auditkit import Condition, DataError, OpenDataset
from auditkit_plugins.datasets import faces_people
from auditkit_plugins.datasets.annotations import read_annotations
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES
from auditkit_plugins.datasets.celeba_places import locate
from auditkit_plugins.datasets.faces import Faces
from auditkit_plugins.datasets.faces_people import BALD_SHARE, BALD_WOMEN, OLD_SHARE, cell_shares, population
from auditkit_plugins.datasets.records import FacesOptions

JOINT = json.loads((Path(faces_people.__file__).with_name("faces_joint.json")).read_text())


def opened(**options: object) -> OpenDataset:
    return Faces(FacesOptions.model_validate(options)).open(None)


def pixels(data: OpenDataset, rows: np.ndarray, side: int = 32) -> np.ndarray:
    """(rows, side * side * 3) float64 in [0, 1]: the centre square, small."""
    pictures = []
    for row in rows.tolist():
        with Image.open(BytesIO(data.images.read(row))) as image:
            pictures.append(np.asarray(image.crop((0, 20, 178, 198)).resize((side, side)), dtype=np.float64).ravel())
    return np.stack(pictures) / 255


def test_photos_are_the_same_in_every_process_and_order() -> None:
    data, again = opened(images=60), opened(images=60)
    travelled = pickle.loads(pickle.dumps(data.images))
    assert [data.images.read(i) for i in (5, 3, 3)] == [travelled.read(i) for i in (5, 3, 3)]
    assert data.images.read(59) == again.images.read(59)
    assert data.fingerprint == again.fingerprint


def test_every_option_gives_other_data() -> None:
    prints = [
        opened(images=60, **more).fingerprint
        for more in ({}, {"seed": 1}, {"enrich": False}, {"remove_cue": {"Bald": 1}})
    ]
    assert len(set(prints)) == 4
    assert opened(images=60).images.read(0) != opened(images=60, seed=1).images.read(0)


def test_photos_are_jpeg_in_celebas_format() -> None:
    with Image.open(BytesIO(opened(images=50).images.read(7))) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (178, 218), "RGB")


def test_the_data_says_that_it_is_synthetic_and_enriched() -> None:
    data = opened(images=50)
    assert (data.synthetic, data.kind) == (True, "synthetic")
    assert data.notes == (
        "rendered faces: the images show nobody, and numbers made from them say nothing about people",
        "by design, bald heads show gender less: its cues have 30% of their strength there",
        "enriched: 14% of the people are bald (CelebA: 2 % of the images), 25% of those are women (CelebA: 0.4 %); "
        "40% of the others are not young (CelebA: 22 %)",
    )
    planted = opened(images=50, enrich=False, remove_cue={"Bald": 1}).notes
    assert planted[-1] == "planted effect: images with Bald=1 are drawn halfway between women and men"
    assert not any("enriched" in note for note in planted)


def test_people_have_several_photos_and_stay_in_one_split() -> None:
    data = opened(images=2000)
    assert data.identities is not None and data.splits is not None
    counts = np.unique(data.identities, return_counts=True)[1]
    assert 380 <= len(counts) <= 420
    assert (counts[:-1] >= 3).all() and counts.max() <= 7
    for person in np.unique(data.identities):
        assert len(np.unique(data.splits[data.identities == person])) == 1
    shares = np.bincount(data.splits, minlength=3) / 2000
    np.testing.assert_allclose(shares, (0.6, 0.1, 0.3), atol=0.02)


def test_groups_of_gender_and_age_are_supported_in_test() -> None:
    data = opened(images=2000)
    assert data.identities is not None
    for male in (0, 1):
        for young in (0, 1):
            rows = data.attributes.matches(Condition({"Male": male, "Young": young})) & (data.splits == 2)
            assert rows.sum() >= 30
            assert len(np.unique(data.identities[rows])) >= 10


def test_the_shares_are_celebas_without_enrichment() -> None:
    drawn = population(30_000, 3, enrich=False).drawn
    cells = np.array(JOINT["cells"]) / JOINT["images"]
    core = [ATTRIBUTES.index(name) for name in JOINT["core"]]
    known = cells @ ((np.arange(256)[:, None] >> np.arange(8)[::-1]) & 1)
    np.testing.assert_allclose(drawn[:, core].mean(axis=0), known, atol=0.02)
    found = np.bincount(drawn[:, core].astype(int) @ (1 << np.arange(8)[::-1]), minlength=256) / len(drawn)
    assert np.abs(found - cells).sum() / 2 < 0.06


def test_the_enrichment_is_what_is_declared() -> None:
    shares = cell_shares(True)
    bits = {name: (np.arange(256) >> (7 - at)) & 1 for at, name in enumerate(JOINT["core"])}
    bald = bits["Bald"] == 1
    assert shares.sum() == pytest.approx(1)
    assert shares[bald].sum() == pytest.approx(BALD_SHARE)
    assert shares[bald & (bits["Male"] == 0)].sum() == pytest.approx(BALD_SHARE * BALD_WOMEN)
    assert shares[~bald & (bits["Young"] == 0)].sum() == pytest.approx((1 - BALD_SHARE) * OLD_SHARE)


def test_impossible_combinations_stay_rare() -> None:
    drawn = population(20_000, 0, enrich=True).drawn
    column = {name: drawn[:, at] == 1 for at, name in enumerate(ATTRIBUTES)}
    assert (column["Goatee"] & ~column["Male"]).mean() < 0.002
    assert (column["Black_Hair"] & column["Blond_Hair"]).mean() < 0.01
    assert (column["Mustache"] & ~column["Male"]).mean() < 0.002


def test_a_few_labels_are_wrong_and_no_photo_becomes_bald_by_mistake() -> None:
    people = population(20_000, 0, enrich=True)
    wrong = (people.drawn != people.labels).mean(axis=0)
    assert 0.003 < wrong[ATTRIBUTES.index("Male")] < 0.008
    assert wrong[ATTRIBUTES.index("Smiling")] == 0
    bald = ATTRIBUTES.index("Bald")
    assert not (people.labels[:, bald] > people.drawn[:, bald]).any()


@pytest.fixture(scope="module")
def small() -> tuple[OpenDataset, np.ndarray]:
    data = opened(images=700, seed=2)
    return data, pixels(data, np.arange(700), 20)


@pytest.mark.parametrize(("attribute", "least"), [("Male", 0.75), ("Young", 0.62), ("Bald", 0.62), ("Smiling", 0.6)])
def test_a_linear_probe_sees_the_attribute(small: tuple[OpenDataset, np.ndarray], attribute: str, least: float) -> None:
    """Ridge regression on small pixels, balanced accuracy on people it has not met."""
    data, x = small
    train, test = np.flatnonzero(data.splits < 2), np.flatnonzero(data.splits == 2)
    y = data.attributes.column(attribute).astype(float)
    mean = x[train].mean(axis=0)
    kernel = (x[train] - mean) @ (x[train] - mean).T
    weight = np.linalg.solve(kernel + 60.0 * np.eye(len(train)), y[train] - y[train].mean())
    score = (x[test] - mean) @ (x[train] - mean).T @ weight + y[train].mean()
    cut = np.quantile(score, 1 - y[train].mean())
    recalls = [((score > cut) == bool(level))[y[test] == level].mean() for level in (0, 1)]
    assert np.mean(recalls) > least


def test_a_removed_cue_leaves_nothing_of_gender_in_the_picture() -> None:
    """A woman and a man with the same random numbers and otherwise the same attributes are the same picture."""
    data = opened(images=80, remove_cue={"Male": (0, 1)})
    normal = opened(images=80)
    source, usual = data.images, normal.images
    flipped = pickle.loads(pickle.dumps(source))
    flipped.drawn[:, ATTRIBUTES.index("Male")] ^= 1
    seen = pickle.loads(pickle.dumps(usual))
    seen.drawn[:, ATTRIBUTES.index("Male")] ^= 1
    assert [source.read(i) == flipped.read(i) for i in range(10)] == [True] * 10
    assert [usual.read(i) == seen.read(i) for i in range(10)] == [False] * 10


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 50"):
        FacesOptions(images=10)
    with pytest.raises(DataError) as error:
        opened(images=50, remove_cue={"Blad": 1})
    assert str(error.value) == "unknown attribute 'Blad' in remove_cue\n  it has CelebA's 40 attributes"


def test_the_joint_statistics_are_those_of_the_official_tables(shared: Path) -> None:
    codes = read_annotations(locate(shared / "celeba-annotations")).codes.astype(np.int64)

    def index(names: list[str]) -> np.ndarray:
        return codes[:, [ATTRIBUTES.index(name) for name in names]] @ (1 << np.arange(len(names))[::-1])

    assert np.bincount(index(JOINT["core"]), minlength=256).tolist() == JOINT["cells"]
    for link in JOINT["chain"]:
        parents, child = index(link["parents"]), codes[:, ATTRIBUTES.index(link["attribute"])]
        size = np.bincount(parents, minlength=32)
        rates = np.bincount(parents, weights=child, minlength=32) / np.maximum(size, 1)
        known = np.array([np.nan if rate is None else rate for rate in link["rates"]])
        np.testing.assert_allclose(known[size > 0], rates[size > 0], atol=6e-5)
        assert np.isnan(known[size == 0]).all()
