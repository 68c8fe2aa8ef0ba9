"""What only one process may do at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from auditkit.events import Notice, Send


@contextmanager
def locked(path: Path, waiting: str, send: Send) -> Iterator[None]:
    """Hold the lock at `path`, after a notice where that has to be waited for.

    The lock ends with the process that holds it, however that ends.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        send(Notice(waiting))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
