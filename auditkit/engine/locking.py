"""What only one process may do at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from auditkit.errors import AuditError
from auditkit.events import Notice, Send

HINT = "let yourself write there, or name another place: a store with --store, a cache with AUDITKIT_CACHE"


@contextmanager
def locked(path: Path, waiting: str, send: Send) -> Iterator[None]:
    """Hold the lock at `path`, after a notice where that has to be waited for.

    The lock ends with the process that holds it, however that ends. Raises AuditError where it cannot be had.
    """
    lock = FileLock(path)
    try:
        _acquire(lock, waiting, send)
    except OSError as error:
        raise AuditError(f"cannot write the lock: {error.strerror}", where=str(path), hint=HINT) from error
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock, waiting: str, send: Send) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        send(Notice(waiting))
        lock.acquire()
