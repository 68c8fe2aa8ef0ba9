"""The shipped audits read, resolve and plan, and their rows are right."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from shipped_audits import AUDITS, NAMES, planned, read, whole

from auditkit.cohort import Cohort, Draw
from auditkit.engine.drawing import Drawing
from auditkit.engine.draws import UnitDraws
from auditkit.engine.prepare import Prepared, Settings, prepare
from auditkit.errors import InvalidAudit
from auditkit.evidence.composition import composition, leaks


def draws(prepared: Prepared) -> dict[str, UnitDraws]:
    """Draws of the first seed of every arm of the first task."""
    first = prepared.plan.units[0].task
    units = [unit for unit in prepared.plan.units if unit.position == 0 and unit.task == first]
    drawing = Drawing(prepared)
    return {unit.arm.name: drawing.of(unit) for unit in units}


def cells(drawn: Draw, prepared: Prepared, *names: str) -> list[int]:
    codes, meanings = Cohort(drawn.rows, prepared.dataset.attributes).strata(names)
    return np.bincount(codes, minlength=len(meanings)).tolist()


def test_the_scenarios_are_there() -> None:
    assert NAMES == ["bald", "bald_as_published", "big_nose", "young"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("profile", [None, "small", "faces"])
def test_every_profile_reads_and_keeps_the_reference(name: str, profile: str | None) -> None:
    audit = read(name, profile)
    assert audit.evidence.reference in {arm.name for arm in audit.arm}
    assert audit.audit.title and audit.audit.question and audit.audit.source


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("profile", [None, "small", "faces"])
def test_labels_and_questions_hold_under_every_profile(name: str, profile: str | None) -> None:
    """A profile draws other numbers of images and keeps fewer arms, so neither may be counted in words that stay."""
    audit = read(name, profile)
    said = " ".join([audit.audit.question, *(arm.label for arm in audit.arm)])
    assert not re.search(r"\d,\d{3}|\b(three|four|five|six|seven|eight) (doses|arms)", said)
    numbers = [note for note in audit.audit.notes if re.search(r"\d{2} %", note)]
    assert all("CelebA" in note or "paper" in note for note in numbers), "whose numbers they are"


@pytest.mark.parametrize("name", NAMES)
def test_every_audit_has_a_placebo_and_other_controls(name: str) -> None:
    roles = [arm.role for arm in read(name).arm]
    assert "placebo" in roles and "control" in roles
    assert all(figure.finding or figure.label for figure in read(name).published)


@pytest.mark.parametrize("name", NAMES)
def test_the_stand_in_is_small(name: str, tmp_path: Path) -> None:
    """At some 530 images of 32 pixels a second on two slow cores, 140,000 visits are under five minutes."""
    prepared = planned(name, tmp_path)
    assert prepared.read.stand_in and prepared.dataset.synthetic
    drawing = Drawing(prepared)
    visits = sum(len(drawing.of(unit).train) * (unit.arm.recipe.budget.epochs or 0) for unit in prepared.plan.units)
    assert 30_000 < visits < 140_000 and prepared.read.resolved.audit.data.image.size == 32
    assert all(len(unit.arm.seeds) in (3, 5) for unit in prepared.plan.units)


@pytest.mark.parametrize(
    ("name", "scale", "rows"),
    [("bald", 0.25, 2500), ("bald_as_published", 0.2, 2000), ("big_nose", 0.25, 2500), ("young", 0.05, 800)],
)
def test_a_scale_fits_a_small_copy_of_celeba(name: str, scale: float, rows: int, shared: Path, tmp_path: Path) -> None:
    prepared = planned(name, tmp_path, profile="small", scale=scale, data=shared / "celeba-mini")
    held = len(prepared.pools.valid) if prepared.read.resolved.audit.data.valid is None else 0
    assert len(prepared.pools.train) + held == rows
    assert all(len(drawn.train) for drawn in draws(prepared).values())


# ------------------------------------------------------------------------------------------------ on CelebA's tables


def test_bald(shared: Path, tmp_path: Path) -> None:
    prepared = whole("bald", shared, tmp_path)
    found = draws(prepared)
    pool = prepared.pools
    assert len(pool.train) + len(pool.valid) == 10_000 and len(pool.test) == 19_962
    assert cells(found["original"].test, prepared, "Bald") == [19_539, 423]
    others, bald = cells(found["original"].train, prepared, "Bald")
    assert 150 < bald < 260
    for arm in ("oversampled", "duplicates"):
        assert cells(found[arm].train, prepared, "Bald") == [others, others]
    for arm in ("placebo", "diverse-placebo", "matched-men"):
        assert len(found[arm].train) == 2 * others
    assert len(found["augmented"].train) == others + bald and (found["augmented"].train.copy == 1).all()
    assert np.unique(found["matched-men"].train.rows[found["matched-men"].train.copy > 0]).shape == (bald,)
    women, men = cells(found["oversampled"].train, prepared, "Male")
    assert 0.68 < men / (men + women) < 0.71
    known = prepared.dataset.identities
    for arm, drawn in found.items():
        assert [leak.touched for leak in leaks(drawn.train, drawn.test, known, task="Male", arm=arm)] == [0, 0]


def test_bald_as_published(shared: Path, tmp_path: Path) -> None:
    prepared = whole("bald_as_published", shared, tmp_path)
    found = draws(prepared)
    assert cells(found["original"].sampled, prepared, "Bald") == [9_781, 219]
    drawn = found["oversampled"]
    assert cells(drawn.sampled, prepared, "Bald") == [9_781, 9_855]
    assert [len(part) for part in (drawn.train, drawn.valid, drawn.test)] == [15_709, 1_964, 1_963]
    assert int((drawn.sampled.copy > 0).sum()) == 9_636
    image = leaks(drawn.train, drawn.test, None, task="Bald", arm="oversampled", name="resampled")[0]
    assert 0.48 < image.touched / image.total < 0.53, "every bald test row's image was trained on"
    women, bald_women, men, bald_men = cells(drawn.sampled, prepared, "Male", "Bald")
    assert 0.69 < bald_men / (men + bald_men) < 0.73 and bald_women / (women + bald_women) < 0.02


def test_young(shared: Path, tmp_path: Path) -> None:
    prepared = whole("young", shared, tmp_path)
    found = draws(prepared)

    def old_and_young(drawn: Draw) -> list[int]:
        """Old women, young women, old men, young men."""
        return cells(drawn, prepared, "Male", "Young")

    assert old_and_young(found["original"].train) == [2000, 6000, 6000, 2000]
    assert old_and_young(found["oversampled"].train) == [4000, 6000, 6000, 4000]
    assert old_and_young(found["duplicates"].train) == [4000, 6000, 6000, 4000]
    assert old_and_young(found["balanced"].train) == [6000] * 4
    assert old_and_young(found["undersampled"].train) == [2000] * 4
    assert old_and_young(found["original"].valid) == [500, 1500, 1500, 500]
    assert old_and_young(found["original"].test) == [1500] * 4
    copied = found["oversampled"].train
    assert set(np.unique(copied.copy).tolist()) == {0, 1} and int(copied.copy.sum()) == 4000
    assert len(found["placebo"].train) == 20_000


SHARES = {  # dose -> rows and share of big noses, notes of the data set
    "ratio-0.000": (162_770, 0.2356),
    "ratio-0.050": (170_908, 0.2720),
    "ratio-0.100": (179_047, 0.3050),
    "ratio-0.150": (187_186, 0.3353),
    "ratio-0.200": (195_324, 0.3630),
    "ratio-0.225": (199_393, 0.3760),
    "of-attribute-0.225": (171_397, 0.2740),
    "placebo-0.225": (199_393, 0.2356),
    "matched-men-0.225": (199_393, 0.1923),
}


def test_big_nose(shared: Path, tmp_path: Path) -> None:
    prepared = whole("big_nose", shared, tmp_path)
    found = draws(prepared)
    for arm, (rows, share) in SHARES.items():
        plain, big = cells(found[arm].train, prepared, "Big_Nose")
        assert plain + big == rows
        assert big / rows == pytest.approx(share, abs=1e-3 if arm.startswith("placebo") else 6e-5), arm
    assert all(len(drawn.valid) == 19_867 and len(drawn.test) == 19_962 for drawn in found.values())
    baseline = {unit.digest for unit in prepared.plan.units if unit.arm.name == "baseline"}
    assert all(set(unit.parents) <= baseline for unit in prepared.plan.units)


def test_composing_says_what_moved(shared: Path, tmp_path: Path) -> None:
    prepared = whole("bald", shared, tmp_path)
    found = draws(prepared)
    said = composition(
        found["oversampled"].train,
        found["original"].train,
        prepared.dataset.attributes,
        prepared.dataset.identities,
        prepared.read.resolved.audit.evidence.groups,
        task="Male",
        arm="oversampled",
    )
    assert said.distinct_images == len(prepared.pools.train) and said.effective_images < 700
    images, people = said.effective_images, said.effective_identities
    assert people is not None and people < images, "images of one person are less than so many people"


# ------------------------------------------------------------------------------------- mistakes reach their own place


def test_an_impossible_cell_is_shown_in_the_file(shared: Path, tmp_path: Path) -> None:
    text = (AUDITS / "young.toml").read_text().replace("count = 1_500 },   # of 1,916", "count = 1_950 },   # of 1,916")
    file = tmp_path / "young.toml"
    file.write_text(text)
    with pytest.raises(InvalidAudit) as caught:
        prepare(Settings(file, data=shared / "celeba-annotations", store=tmp_path))
    line = text[: text.index("1_950")].count("\n") + 1
    assert f"young.toml:{line}:" in str(caught.value)
    assert "asked for 1,950 images, but there are 1,916 images with Male=0, Young=0 in test" in str(caught.value)


def test_a_misspelt_attribute_in_an_array_of_conditions_is_found(tmp_path: Path) -> None:
    text = (
        (AUDITS / "young.toml")
        .read_text()
        .replace("{ Male = 0, Young = 0 }], times", "{ Male = 0, Yuong = 0 }], times")
    )
    file = tmp_path / "young.toml"
    file.write_text(text)
    with pytest.raises(InvalidAudit, match="did you mean 'Young'"):
        prepare(Settings(file, store=tmp_path))


def test_too_large_a_dose_is_shown_at_its_sampler(shared: Path, tmp_path: Path) -> None:
    sets = ("arm[ratio-0.225].sampler.extra=0.25",)
    prepared = planned("big_nose", tmp_path, data=shared / "celeba-annotations", sets=sets)
    with pytest.raises(InvalidAudit) as caught:
        draws(prepared)
    assert (
        "arm 'ratio-0.225': extra = 0.25 of the dataset asks for 40,692 copies of different images, "
        "but 38,341 of 162,770 images match Big_Nose=1" in str(caught.value)
    )
