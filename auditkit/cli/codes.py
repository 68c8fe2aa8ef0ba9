"""What the command line ends with."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """An exit code; none is ever given a second meaning."""

    DONE = 0
    GATE_FAILED = 1
    BAD_INPUT = 2
    RUN_FAILED = 3
    INSUFFICIENT = 4
    """Too little evidence for a gate, and none failed."""
    INTERRUPTED = 130
    """128 and the number of SIGINT, as shells have it."""
