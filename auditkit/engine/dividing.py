"""How a run divides a machine between the units that are at work at once."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from auditkit.engine.cache import machine_file, remember
from auditkit.engine.executors import Executor
from auditkit.engine.locking import locked
from auditkit.engine.plan import digest_of
from auditkit.engine.prepare import Settings
from auditkit.engine.work import Machine, SpeedWork
from auditkit.events import Send, silent

SPEED = "auditkit.engine.worker:speed"
"""Takes a SpeedWork; gives how many times a second a process does part of a training step."""
SMALL_UNIT = 1_000_000
"""Images that a unit visits, up to which it is small for a GPU: seconds of work, in more seconds of all the rest."""
SIDE_BY_SIDE = 3
"""Small units at work on a GPU at once, at most; more only take turns."""
PROCESS_BYTES = 12 * 2**30
"""Memory of a GPU that a process may need beside the images: its context, weights, and the activations of a batch."""
SHARE_OF_FREE_MEMORY = 0.8
WORTH_SHARING = 1.1
"""Two threads a process must be this many times as fast as a process per core: less is a shared machine's noise."""
_TURNS, _SECONDS = 3, 0.3


@dataclass(frozen=True, slots=True)
class Load:
    """What is left to do: units, images that the largest visits (before oversampling), bytes of the images."""

    units: int
    visits: int
    image_bytes: int


def division(settings: Settings, machine: Machine, load: Load, count: int, each: int = 1) -> tuple[int, int]:
    """Units at work at once, and threads for each, on `count` cores; what the settings tell goes before.

    A unit on a CPU has `each` cores, or more where units are fewer. A GPU has one unit, so that what is compiled and
    resident serves them all; but while a small unit is evaluated and stored, or its kernels do not fill the device,
    that is idle: of those there are as many side by side as have room, three at most.
    """
    most = _side_by_side(machine, load) if machine.device.startswith("cuda") else 1
    room = max(1, count // (settings.threads or each)) if machine.device == "cpu" else most
    workers = settings.workers or max(1, min(count, load.units, room))
    return workers, settings.threads or max(1, count // workers)


def _side_by_side(machine: Machine, load: Load) -> int:
    if load.visits > SMALL_UNIT:
        return 1
    return min(SIDE_BY_SIDE, int(machine.free_bytes * SHARE_OF_FREE_MEMORY) // (PROCESS_BYTES + load.image_bytes))


def threads_of_each(
    settings: Settings, machine: Machine, load: Load, count: int, pool: Executor, send: Send = silent
) -> int:
    """1 or 2: with how many threads a process, all cores busy, units on this CPU go faster.

    Measured once, in seconds, in the number format that "auto" is here, and remembered in the cache, so that runs
    agree: the last bits depend on it. Nothing is measured where it would not be asked: on a GPU, with fewer units than
    cores or an odd number of them, or where the settings tell.
    """
    told = settings.workers is not None or settings.threads is not None
    if told or machine.device != "cpu" or count % 2 or load.units < count:
        return 1
    file = machine_file(digest_of(asdict(machine) | {"name": platform.node()}))
    if (known := _remembered(file)) is not None:  # also where the cache can only be read
        return int(known["threads"])
    with locked(file.with_suffix(".lock"), "another process is measuring this machine; waiting for it", send):
        found = _remembered(file)
        if found is None:
            found = _measured(machine, count, pool)
            remember(file, json.dumps(found, indent=1) + "\n")
    threads: int = found["threads"]
    return threads


def _remembered(file: Path) -> dict[str, Any] | None:
    """What was measured; None where nothing was, or what is there cannot be read."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found if found["threads"] in (1, 2) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _measured(machine: Machine, count: int, pool: Executor) -> dict[str, Any]:
    """The splits take turns, and the best turn of each counts, so that other work on the machine hardly does."""
    rates = dict.fromkeys((1, 2), 0.0)
    for _ in range(_TURNS):
        for threads, best in rates.items():
            work = SpeedWork(machine.precision, threads, _SECONDS)
            started = [pool.submit(SPEED, work) for _ in range(count // threads)]
            rates[threads] = max(best, sum(one.result() for one in started))
    fastest = 2 if rates[2] > WORTH_SHARING * rates[1] else 1
    return {"machine": asdict(machine), "rates": rates, "threads": fastest}
