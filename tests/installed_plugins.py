"""Distributions of tests/plugins, installed where Python looks for as long as a test lasts."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "plugins"
Install = Callable[..., Path]


def unpack(name: str, site: Path) -> None:
    """What `pip install` does to a pure Python distribution: its packages, and a dist-info with its entry points."""
    project = tomllib.loads((FOLDER / name / "pyproject.toml").read_text())
    for package in project["tool"]["setuptools"]["packages"]:
        shutil.copytree(FOLDER / name / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    register(project["project"], site)


def register(about: dict[str, Any], site: Path) -> None:
    """Write the dist-info of a distribution from its [project]."""
    info = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    points = about["entry-points"]["auditkit"]
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[auditkit]\n{lines}")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A function that installs distributions of tests/plugins by folder, or written there by the test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    before = set(sys.modules)

    def installed(*names: str) -> Path:
        for name in names:
            unpack(name, site)
        return site

    yield installed
    for name in set(sys.modules) - before:
        if name.startswith("auditkit_") and not name.startswith("auditkit_plugins"):
            del sys.modules[name]


def write_plugin(site: Path, code: str, *, name: str = "bad", point: str = "bad") -> None:
    info = site / f"auditkit_{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: auditkit-{name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[auditkit]\n{point} = auditkit_{name}\n")
    (site / f"auditkit_{name}.py").write_text(code)
