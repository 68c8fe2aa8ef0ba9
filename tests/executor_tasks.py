"""Functions that the tests of the executors run in worker processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from auditkit.errors import DataError
from auditkit.events import Notice, Send


def double(item: int, send: Send) -> int:
    send(Notice(f"doubling {item}"))
    return 2 * item


def where(item: Any, send: Send) -> dict[str, Any]:
    return {
        "process": os.getpid(),
        "threads": os.environ["OMP_NUM_THREADS"],
        "interrupt": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "torch": "torch" in sys.modules,
    }


def refuse(item: Any, send: Send) -> None:
    raise DataError("no such thing", where="a.toml", hint="look again")


def stumble(item: Any, send: Send) -> None:
    raise ZeroDivisionError("by nought")


def overflow(item: Any, send: Send) -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def die(item: Any, send: Send) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(item: Any, send: Send) -> None:
    os._exit(3)


def chatter(item: str, send: Send) -> None:
    """Send events for a minute, and leave a file with this process's id."""
    Path(item).write_text(str(os.getpid()))
    for second in range(600):
        send(Notice(str(second)))
        time.sleep(0.1)


def variable(name: str, send: Send) -> str | None:
    """What the worker's environment says."""
    return os.environ.get(name)
