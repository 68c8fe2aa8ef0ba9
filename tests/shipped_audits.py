"""The audits that are shipped, read and planned."""

from __future__ import annotations

from pathlib import Path

from valid_audits import load_valid

from auditkit.engine.prepare import Prepared, Settings, prepare
from auditkit.spec.model import Audit

AUDITS = Path(__file__).resolve().parents[1] / "audits"
FILES = sorted(AUDITS.glob("*.toml"))
NAMES = [file.stem for file in FILES]


def read(name: str, profile: str | None = None, *, stand_in: bool = False) -> Audit:
    return load_valid(AUDITS / f"{name}.toml", profile=profile, stand_in=stand_in)[0]


def planned(name: str, tmp_path: Path, **settings: object) -> Prepared:
    return prepare(Settings(AUDITS / f"{name}.toml", store=tmp_path, **settings))  # type: ignore[arg-type]


def whole(name: str, shared: Path, tmp_path: Path) -> Prepared:
    return planned(name, tmp_path, data=shared / "celeba-annotations")
