"""The map of arms by tasks: every task that was trained, against every arm that changes are measured from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from evidence_toys import ACCURACY, evidence, toy_panel, with_margin

from auditkit.evidence.findings import derive
from auditkit.evidence.results import Results
from auditkit.report import side_by_side, view
from auditkit.report.blocks import Figure
from auditkit.report.view import View
from auditkit.spec.model import Audit

PANEL = toy_panel()
LESS = with_margin(PANEL, 1, -PANEL.arms[1].margin)
"""An arm that takes every image for the other class."""


def seen(*targets: str, **options: object) -> View:
    asked = evidence(**options)
    panels = [replace(panel, task=name) for panel, name in zip((PANEL, LESS), targets, strict=False)]
    raw = {
        "audit": {"title": "t"},
        "task": tuple({"target": name} for name in targets),
        "arm": tuple({"name": arm.arm} for arm in PANEL.arms),
        "evidence": asked,
    }
    derived = derive(panels, asked, ACCURACY)
    return view.of(Audit.model_validate(raw), Results(findings=derived.findings, families=derived.families))


def test_tasks_stand_side_by_side_with_what_every_arm_changed() -> None:
    section = side_by_side.tasks(seen("Smiling", "Young", placebo="arm2"))
    assert section is not None
    _, figure, of_placebo = section.blocks
    assert isinstance(figure, Figure) and isinstance(of_placebo, Figure)
    assert figure.table.caption == "Change in accuracy of everyone, in points, against arm0"
    assert figure.table.columns == ("", "arm1", "arm2", "seeds alone")
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in figure.table.rows}
    assert list(rows) == ["Young", "Smiling"]
    right = (np.stack([arm.margin for arm in LESS.arms[:2]]) > 0) == LESS.truth
    change = 100 * (right[1].mean() - right[0].mean())
    assert rows["Young"][0].startswith(f"{change:+.1f} [")
    assert rows["Young"][0].endswith(" *") and not rows["Young"][1].endswith(" *")
    assert (
        figure.caption.startswith("A row per task, the largest changes first") if hasattr(figure, "caption") else True
    )
    assert of_placebo.table.caption == "Change in accuracy of everyone, in points, against arm2"
    assert of_placebo.table.columns == ("", "arm1", "seeds alone")


def test_one_task_has_no_map() -> None:
    assert side_by_side.tasks(seen("Smiling")) is None
