"""Commands run in sessions of their own, with the CPU time and the memory that they and their children take."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Watch:
    """CPU seconds and peak memory of a session of processes, looked at while they run. Linux only.

    Memory is each process's own plus its share of what is shared; pages of memory-mapped files, which the system may
    take back at any time, are left out. Looking at it costs, so it is done every third second.
    """

    def __init__(self, session: int) -> None:
        self.cpu = 0.0
        self.peak = 0
        self._session, self._done = session, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        for turn in itertools.count():
            if self._done.wait(0.5):
                return
            members = list(filter(None, map(self._member, Path("/proc").glob("[0-9]*"))))
            self.cpu = max(self.cpu, sum(seconds for _, seconds in members))
            if turn % 6 == 0:
                self.peak = max(self.peak, sum(own_memory(place) for place, _ in members))

    def _member(self, place: Path) -> tuple[Path, float] | None:
        """A process of the session with its CPU seconds, those of its ended children included."""
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        ticks = sum(map(int, fields[11:15]))
        return (place, ticks / os.sysconf("SC_CLK_TCK")) if int(fields[3]) == self._session else None


def own_memory(place: Path) -> int:
    """Bytes of a process that are in no file; 0 when it has ended."""
    try:
        found = re.search(r"Pss_Anon:\s+(\d+)", (place / "smaps_rollup").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def watched(command: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run a command in a session of its own; wall and CPU seconds, peak bytes, and what it printed."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=HERE.parent
    )
    with Watch(process.pid) as watch:
        printed = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "cpu_seconds": watch.cpu, "peak_bytes": watch.peak, "printed": printed}
