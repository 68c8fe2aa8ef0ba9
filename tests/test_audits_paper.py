"""The paper's own figures in the shipped audits: none is missing, and shares are those of the tables."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from shipped_audits import NAMES, read, whole

from auditkit.contracts import Condition
from auditkit.spec.model import Published

TABLES = {
    "bald_as_published": {
        "Table 1": [0.02281, 0.99757, 0.00243],
        "Experiment 1": [10_000, 219, 9781, 97, 3, 9636, 19_636, 49, 51, 15_709, 1964, 1963, 0.9651],
        "Figure 1": [99.97, 0.03],
        "Figure 2": [0.7272, 0.0024, 0.3717, 0.0126],
        "Figure 3": [0.7248, 0.3591],
        "Result 1": [4547, 4530],
    },
    "young": {
        "Table 1": [0.22106, 0.68965, 0.31035],
        "Table 2": [6000, 2000, 2000, 6000, 6000, 4000, 4000, 6000, 1500, 500, 500, 1500, 1500, 1500, 1500, 1500],
        "Figure 4": [-0.01, 0.0],
        "Figure 5": [-0.19, -0.01],
        "Result 2": [0.964, 0.751],
    },
    "big_nose": {
        "Table 1": [0.23555, 0.75078, 0.24922],
        "Table 3": [0.02068, 0.00487, 0.01758, 0.25343, 0.02224, 0.01564, 0.2488, 0.01742, 0.01699],
        "Table 4": [0.9759, 0.9776, 0.9779, 0.9776, 0.9762, 0.9776, 0.9773, 0.9776],
        "Table 5": [0.9759, 0.9838, 0.9633, 0.0205, 0.9779, 0.9835, 0.9692, 0.0143, 0.9776, 0.9844, 0.9667, 0.0177],
        "Table 6": [.3814, .6186, .2372, 37, 60, .4235, .5765, .1530, 36, 49, .3696, .6304, .2608, 34, 58],
        "Experiment 3": [69.758],
        "Result 3": [0.9778, -0.0019, -0.0003],
    },
}  # fmt: skip


@pytest.mark.parametrize(("name", "where"), [(name, where) for name, tables in TABLES.items() for where in tables])
def test_no_figure_of_the_paper_is_missing(name: str, where: str) -> None:
    values = [figure.value for figure in read(name).published if where in figure.where]
    missing = [value for value in TABLES[name][where] if value not in values]
    assert not missing
    assert len(values) >= len(TABLES[name][where])


def agrees(figure: Published, exact: float) -> bool:
    """Whether a printed figure is the exact one, cut off after five decimals where it says so."""
    if figure.precision == "truncated":
        return math.isclose(math.floor(exact * 1e5) / 1e5, figure.value, abs_tol=1e-9)
    return abs(exact - figure.value) < 2e-5


def test_published_shares_are_those_of_the_tables(shared: Path, tmp_path: Path) -> None:
    """Tables 1 and 3: the shares, from the annotations themselves."""
    dataset = whole("bald", shared, tmp_path).dataset
    assert dataset.splits is not None
    figures = [figure for name in NAMES for figure in read(name).published]
    checked = 0
    for attribute, minor in (("Bald", 1), ("Young", 0), ("Big_Nose", 1)):
        inside = dataset.attributes.matches(Condition({attribute: minor}))
        men = dataset.attributes.matches(Condition({"Male": 1}))
        train, valid = dataset.splits == 0, dataset.splits == 1
        exact = {
            f"share of {attribute} = {minor} in the training set": inside[train].mean(),
            f"share of {attribute} = {minor} in the validation set": inside[valid].mean(),
            f"share of men among {attribute} = {minor}": men[train & inside].mean(),
            f"share of women among {attribute} = {minor}": 1 - men[train & inside].mean(),
        }
        for figure in figures:
            if figure.label in exact:
                assert agrees(figure, float(exact[figure.label])), (figure.where, figure.label)
                checked += 1
    assert checked == 15
