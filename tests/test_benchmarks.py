"""Benchmarks are run seldom: that each still finds what it imports is seen here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "benchmarks"


def test_every_benchmark_finds_what_it_imports() -> None:
    names = [file.stem for file in sorted(FOLDER.glob("*.py"))]
    code = f"import {', '.join(names)}"
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
