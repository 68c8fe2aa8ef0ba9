"""What a dataset plugin hands over is checked where it is made, not where it would first show."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from installed_plugins import Install, register

from auditkit import Attributes, AuditError, OpenDataset
from auditkit.testing import audit_project, toy_cohort

CODES = np.array([[0, 1], [1, -1], [0, 2]], dtype=np.int8)
ATTRIBUTES = Attributes(("Bald", "hair"), ((0, 1), ("a", "b", "c")), CODES)


class Nothing:
    def read(self, index: int) -> bytes:
        return b""


def opened() -> OpenDataset:
    people, splits = np.array([0, -1, 4], dtype=np.int64), np.array([0, 1, 2], dtype=np.int8)
    return OpenDataset(("x", "y", "z"), ATTRIBUTES, people, splits, Nothing(), "print", "kind")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file_names": ("x", "y")}, "codes of shape (3, 2), 2 names and 2 levels of attributes for 2 images"),
        (
            {"attributes": replace(ATTRIBUTES, names=("Bald",))},
            "codes of shape (3, 2), 1 names and 2 levels of attributes for 3 images",
        ),
        (
            {"attributes": replace(ATTRIBUTES, codes=CODES + 1)},
            "attribute 'Bald' has 2 levels, and code 2 in row 1",
        ),
        ({"identities": np.array([0, 1])}, "identities of shape (2,) for 3 images"),
        ({"splits": np.array([[0, 1, 2]])}, "splits of shape (1, 3) for 3 images"),
        ({"splits": np.array([0, -1, 2])}, "splits are indices into ('train', 'valid', 'test'), found -1"),
        ({"splits": np.array([0, 7, 2])}, "splits are indices into ('train', 'valid', 'test'), found 7"),
        ({"checksums": np.zeros(4)}, "checksums of shape (4,) for 3 images"),
    ],
)
def test_parts_that_do_not_belong_together(changes: dict[str, object], said: str) -> None:
    assert len(replace(opened(), identities=None, splits=None)) == 3
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        replace(opened(), **changes)  # type: ignore[arg-type]


def test_an_attribute_that_is_not_there() -> None:
    with pytest.raises(AuditError) as caught:
        toy_cohort().column("Hat")
    names = ", ".join(toy_cohort().attributes.names)
    assert str(caught.value) == f"there is no attribute 'Hat'\n  there are {names}"


BROKEN = """\
import auditkit


class Broken(auditkit.Dataset):
    @classmethod
    def attribute_levels(cls, options, place):
        return LEVELS

    def open(self, place):
        return {}["images"]


@auditkit.hookimpl
def auditkit_datasets():
    return [auditkit.component("broken", "auditkit_broken_data:Broken", summary="fails")]
"""
AUDIT = """\
[audit]
title = "x"
[data]
dataset = "broken"
[[task]]
target = "Male"
[recipe]
init = "none"
[[arm]]
name = "a"
"""


@pytest.mark.parametrize(
    ("command", "levels", "said"),
    [
        ("plan", "None", "cannot be opened: KeyError: 'images'"),
        ("run", "None", "cannot be opened: KeyError: 'images'"),
        ("plan", "1 / 0", "cannot tell its attributes: ZeroDivisionError: division by zero"),
        ("validate", "1 / 0", "cannot tell its attributes: ZeroDivisionError: division by zero"),
    ],
)
def test_a_dataset_that_fails_is_named(install: Install, command: str, levels: str, said: str) -> None:
    site = install()
    (site / "auditkit_broken_data.py").write_text(BROKEN.replace("LEVELS", levels))
    points = {"broken": "auditkit_broken_data"}
    register({"name": "auditkit-broken-data", "version": "0.1", "entry-points": {"auditkit": points}}, site)
    project = audit_project({"a.toml": AUDIT}, {"PYTHONPATH": str(site)})
    assert project.run(command, "a.toml").assert_code(3).err == (
        f"dataset 'broken' of auditkit-broken-data 0.1 {said}\n"
    )
