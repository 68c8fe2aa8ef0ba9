"""Ctrl-C held back from a process while it starts: Python prints a traceback for one that comes before any handler."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker


@contextlib.contextmanager
def interrupts_masked() -> Iterator[None]:
    """Let what is started here begin with SIGINT blocked, until it unblocks it; on Linux only.

    The resource tracker is started first, since starting it unblocks the signal.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
