"""Commands run by someone who may not read everything, which root may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run_as_anyone(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """``auditkit ARGUMENTS`` in a process of its own, by someone without privileges, in a folder."""
    command = [sys.executable, "-m", "auditkit", *arguments]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything, and there is no setpriv to give that up")
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
