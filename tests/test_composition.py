"""What an arm trains on, and which test rows it has met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_cohorts import attributes, cohort, draw, real, toy

from auditkit.cohort import Draw
from auditkit.evidence.composition import composition, effective, leaks
from auditkit.evidence.results import CellCount, Composition, Leak, Marginal

TABLE = attributes(Male=[1, 1, 0, 0, 1], Bald=[1, 0, 0, 0, -1])
PEOPLE = np.array([7, 7, 8, 9, 9])


def rows(*numbers: int) -> Draw:
    return Draw(np.array(numbers, dtype=np.int64))


def described(drawn: Draw, before: Draw) -> Composition:
    return composition(drawn, before, TABLE, PEOPLE, [("Male",), ("Male", "Bald")], task="Male", arm="a")


def test_a_small_draw_by_hand() -> None:
    found = described(Draw(np.array([0, 0, 0, 1, 2, 3]), np.array([0, 1, 2, 0, 0, 0])), rows(0, 1, 2, 3))
    assert (found.rows, found.originals, found.copies) == (6, 4, 2)
    assert (found.distinct_images, found.distinct_identities, found.most_copies_of_one) == (4, 3, 3)
    assert found.effective_images == pytest.approx(36 / 12)
    assert found.effective_identities == pytest.approx(36 / 18)
    assert found.cells == (
        CellCount((("Male", 0),), 2, 2),
        CellCount((("Male", 1),), 2, 4),
        CellCount((("Male", 0), ("Bald", 0)), 2, 2),
        CellCount((("Male", 0), ("Bald", 1)), 0, 0),
        CellCount((("Male", 1), ("Bald", 0)), 1, 1),
        CellCount((("Male", 1), ("Bald", 1)), 1, 3),
    )
    assert found.marginals == (
        Marginal("Male", 0, 0.5, pytest.approx(1 / 3)),
        Marginal("Male", 1, 0.5, pytest.approx(2 / 3)),
        Marginal("Bald", 0, 0.75, pytest.approx(0.5)),
        Marginal("Bald", 1, 0.25, pytest.approx(0.5)),
    )


def test_missing_values_count_in_no_cell_and_no_share() -> None:
    found = described(rows(0, 4), rows(4))
    assert CellCount((("Male", 1), ("Bald", 1)), 0, 1) in found.cells
    assert [m for m in found.marginals if m.attribute == "Bald"] == [], "before, no row has a value"


def test_identities_may_be_unknown() -> None:
    found = composition(rows(0, 1), rows(0, 1), TABLE, None, [], task="Male", arm="a")
    assert found.distinct_identities is None and found.effective_identities is None


@given(st.integers(1, 50), st.integers(1, 50))
def test_the_effective_number_of_equals_is_their_number(units: int, times: int) -> None:
    assert effective(np.full(units, times)) == pytest.approx(units)


def test_shares_agree_with_a_plain_count() -> None:
    data = toy()
    of = cohort(data)
    drawn = draw("oversample", of, where={"Bald": 1}, until="balanced")
    found = composition(drawn, Draw(of.rows), data.attributes, data.identities, [("Male", "Young")], task="t", arm="a")
    for marginal in found.marginals:
        column = data.attributes.column(marginal.attribute)
        assert marginal.after == pytest.approx(np.mean(column[drawn.rows] == marginal.level))
        assert marginal.before == pytest.approx(np.mean(column[of.rows] == marginal.level))
    for cell in found.cells:
        mask = np.all([data.attributes.column(name)[drawn.rows] == level for name, level in cell.at], axis=0)
        assert cell.after == mask.sum()


# ------------------------------------------------------------------------------------------------------------ leaks


def touched(train: Draw, test: Draw, people: np.ndarray | None, sums: np.ndarray | None = None) -> dict[str, int]:  # type: ignore[type-arg]
    return {leak.what: leak.touched for leak in leaks(train, test, people, sums, task="t", arm="a")}


def test_planted_leaks_are_found() -> None:
    train, test = rows(0, 1, 1), Draw(np.array([1, 1, 2, 3]), np.array([0, 5, 0, 0]))
    assert leaks(train, test, PEOPLE, task="t", arm="a", name="resampled") == (
        Leak("t", "a", "resampled", "image", 2, 4),
        Leak("t", "a", "resampled", "identity", 2, 4),
    )
    people = np.array([7, 8, 9, 7, 1])
    sums = np.array([100, 101, 100, 103, 104])
    assert touched(train, test, people, sums) == {"image": 2, "identity": 3, "identical file": 1}


def test_two_images_of_people_unknown_are_no_leak() -> None:
    unknown = np.array([-1, -1, 7, 7, -1])
    assert touched(rows(0, 2), rows(1, 3, 4), unknown) == {"image": 0, "identity": 1}
    assert touched(rows(0), rows(0, 1), unknown) == {"image": 1, "identity": 1}


def test_whoever_is_unknown_counts_as_a_person_of_their_own() -> None:
    found = composition(rows(0, 0, 1, 2, 3), rows(0), TABLE, np.array([-1, -1, 7, 7, -1]), [], task="t", arm="a")
    assert found.distinct_identities == 3
    assert found.effective_identities == pytest.approx(25 / 9)


def test_clean_splits_have_no_leaks() -> None:
    data = toy()
    assert touched(Draw(cohort(data).rows), Draw(cohort(data, "test").rows), data.identities) == {
        "image": 0,
        "identity": 0,
    }


def test_nothing_is_said_about_what_is_unknown() -> None:
    assert touched(rows(0), rows(0), None) == {"image": 1}


# --------------------------------------------------------------------------------------------------- the real tables


def test_oversampling_bald_turns_a_42_percent_male_set_into_a_70_percent_one(shared: Path) -> None:
    data = real(shared)
    everyone = np.arange(len(data))
    assert data.identities is not None
    of = type(cohort(data))(everyone, data.attributes, data.identities)
    drawn = draw("oversample", of, where={"Bald": 1}, until="balanced")
    found = composition(drawn, Draw(everyone), data.attributes, data.identities, [("Bald", "Male")], task="t", arm="a")
    moved = {(m.attribute, m.level): (m.before, m.after) for m in found.marginals}
    assert moved["Male", 1] == (pytest.approx(0.4168, abs=5e-5), pytest.approx(0.6999, abs=5e-3))
    assert moved["Young", 1] == (pytest.approx(0.7736, abs=5e-5), pytest.approx(0.5140, abs=1e-2))
    cells = {cell.at: (cell.before, cell.after) for cell in found.cells}
    assert cells[("Bald", 0), ("Male", 0)] == (118_148, 118_148)
    assert cells[("Bald", 1), ("Male", 0)][0] == 17
    assert found.distinct_images == 202_599 and found.distinct_identities == 10_177
    assert found.effective_images == pytest.approx(2 * 9_000, rel=0.1)
