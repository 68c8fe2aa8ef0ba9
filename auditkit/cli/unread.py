"""Output that nobody reads any more, as after `| head`: what is under way is worth keeping, so commands go on."""

from __future__ import annotations

import os
import sys


def write_to_nowhere() -> None:
    """Let whatever is still written to stdout go nowhere, what Python flushes at its end included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
