"""The scan of attributes, and the images that flip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_toys import evidence, toy_panel, with_column, with_margin

from auditkit.cohort import Attributes
from auditkit.evidence.flips import flips
from auditkit.evidence.scan import ScannedPools, scan

PANEL = toy_panel(effect=2.0)


def test_the_scan_of_attributes() -> None:
    panel = with_column(PANEL, "Shape", np.arange(1500) % 10 // 4, ("oval", "round", "long"))
    names = ("Male", "Bald", "Young", "Smiling", "Shape")
    table = Attributes(
        names, ((0, 1),) * 4 + (("oval", "round", "long"),), np.stack([panel.attributes[n] for n in names], axis=1)
    )
    rows, family = scan(
        panel,
        evidence(groups=(("Male", "Young"),)),
        ScannedPools(table, np.arange(1000), np.arange(1000, 1500)),
        split="valid",
    )
    assert {row.split for row in rows} == {"valid"}
    assert [(row.attribute, row.minority) for row in rows][:3] == [("Male", 1), ("Bald", 1), ("Young", 0)]
    assert (rows[4].attribute, rows[4].minority) == ("Shape", "long")
    assert family == {"scan of Smiling": 5}
    bald, train = panel.attributes["Bald"] == 1, np.arange(1500) < 1000
    assert rows[1].share_train == pytest.approx(bald[train].mean())
    assert rows[1].share_valid == pytest.approx(bald[~train].mean())
    assert dict(rows[1].share_by) == pytest.approx(
        {"Male=1": 1.0, "Young=1": panel.attributes["Young"][bald & train].mean()}
    )
    wrong = ((panel.arms[0].margin > 0) != (panel.truth == 1)).mean(axis=0)
    assert rows[1].error_inside.estimate == pytest.approx(wrong[bald].mean())
    assert (rows[1].error_inside.at, rows[1].error_outside.at) == ((("Bald", 1),), (("Bald", 0),))
    assert rows[1].difference is not None
    assert rows[1].difference.estimate == pytest.approx(wrong[bald].mean() - wrong[~bald].mean())
    assert rows[1].difference.simultaneous is not None
    assert {finding.arm for row in rows for finding in (row.error_inside, row.error_outside)} == {"arm0"}


def test_a_scan_leaves_out_what_has_no_value() -> None:
    names, nothing = ("Male", "Bald", "Hat"), np.full(1500, -1, dtype=np.int8)
    panel = with_column(PANEL, "Hat", nothing, ())
    table = Attributes(
        names, ((0, 1), (0, 1), ()), np.stack([panel.attributes[name] for name in names], axis=1).astype(np.int8)
    )
    rows, _ = scan(panel, evidence(groups=(("Male", "Hat"),)), ScannedPools(table, np.arange(1000)))
    assert [(row.attribute, [name for name, _ in row.share_by]) for row in rows] == [("Male", []), ("Bald", ["Male=1"])]


def test_a_scan_without_its_reference_is_empty() -> None:
    nothing = Attributes((), (), np.zeros((1500, 0), dtype=np.int8))
    assert scan(PANEL, evidence(reference="nobody"), ScannedPools(nothing, np.arange(10))) == ((), {})


def test_flips_by_majority_over_seeds() -> None:
    sign = 2.0 * PANEL.truth - 1
    before = np.stack([sign, sign, sign])
    after = before.copy()
    after[:, 3] *= -1
    after[:2, 5] *= -1
    after[0, 7] *= -1
    before[:, 9] *= -1
    panel = with_margin(with_margin(PANEL, 0, before), 1, after)
    panel = replace(panel, arms=panel.arms[:2])
    found, counts = flips(panel, evidence(groups=(("Male",),)), {row: f"{row}.jpg" for row in panel.row.tolist()})
    assert [(f.row, f.direction, f.seeds) for f in found] == [
        (13, "turned wrong", 3), (19, "turned right", 3), (15, "turned wrong", 2),
    ]  # fmt: skip
    assert found[0].file_name == "13.jpg"
    assert found[0].at == (("Male", int(PANEL.attributes["Male"][3])),)
    assert (counts[0].at, counts[0].turned_right, counts[0].turned_wrong) == ((), 1, 2)
    assert sum(c.turned_wrong for c in counts[1:]) == 2


def test_flips_are_of_the_arms_that_changes_are_of() -> None:
    _, counts = flips(PANEL, evidence(groups=(), placebo="arm2"), {row: str(row) for row in PANEL.row.tolist()})
    assert [(c.arm, c.against) for c in counts] == [("arm1", "arm0"), ("arm2", "arm0"), ("arm1", "arm2")]


def test_seeds_that_are_split_evenly_flip_nothing() -> None:
    sign = 2.0 * PANEL.truth - 1
    after = np.stack([sign, sign])
    after[0] *= -1
    panel = with_margin(with_margin(PANEL, 0, np.stack([sign, sign])), 1, after)
    found, _ = flips(replace(panel, arms=panel.arms[:2]), evidence(), [""] * 2000)
    assert found == ()
