"""The example reports: one of every shipped audit, whole, on rendered faces, of the audit as it is now."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from auditkit.engine.prepare import Settings, prepare
from auditkit.report import archive

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(file.stem for file in (ROOT / "audits").glob("*.toml"))
LARGEST = 1_500_000
"""Bytes that a page for a browser may have."""


def example(name: str) -> Path:
    return ROOT / "reports" / "examples" / f"{name}-stand-in"


@pytest.mark.parametrize("name", NAMES)
def test_every_audit_has_one_and_the_readme_leads_there(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"(reports/examples/{name}-stand-in/report.md)" in readme
    page = (example(name) / "report.html").read_text(encoding="utf-8")
    assert "SYNTHETIC DATA" in page and len(page.encode()) < LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_its_pictures_are_there_and_no_others(name: str) -> None:
    text = (example(name) / "report.md").read_text(encoding="utf-8")
    shown = {Path(path).name for path in re.findall(r"\]\((charts/[^)]+\.svg)\)", text)}
    assert shown == {path.name for path in (example(name) / "charts").iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_of_the_audit_as_it_is_now(name: str, tmp_path: Path) -> None:
    results = archive.load(json.loads((example(name) / "findings.json").read_text(encoding="utf-8")))
    plan = prepare(Settings(ROOT / "audits" / f"{name}.toml", store=tmp_path)).plan
    assert {(f.task, f.arm) for f in results.findings} == {(unit.task.label, unit.arm.name) for unit in plan.units}
    seeds = {len(f.per_seed) for f in results.findings if f.quantity == "value" and f.per_seed}
    assert seeds == {len(unit.arm.seeds) for unit in plan.units}
