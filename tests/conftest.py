"""What every test can ask for."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest
from celeba_toys import official  # noqa: F401 - a fixture for every test, as are the next ones
from installed_plugins import install  # noqa: F401
from report_toys import built, page  # noqa: F401
from valid_audits import file  # noqa: F401


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked as needing a GPU where there is none."""
    if item.get_closest_marker("gpu") and not importlib.import_module("torch").cuda.is_available():
        pytest.skip("no CUDA device")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with celeba-mini/ and celeba-annotations/: real data that may not be passed on, so not in the project."""
    named = os.environ.get("AUDITKIT_TEST_DATA")
    place = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (place / "celeba-annotations").is_dir():
        pytest.skip(
            "no real CelebA data: set AUDITKIT_TEST_DATA to a folder that holds celeba-annotations/ and celeba-mini/"
        )
    return place


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache, nor sees the user's data."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("AUDITKIT_DATA", raising=False)
