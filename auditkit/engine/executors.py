"""Run functions, named "module:function", over plain work items, in worker processes.

The function is called with the item and a `send` for events. Its result, its exception or its process's death ends
only its own future. The parent of the workers never imports what they run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol, Self

from auditkit.engine.masking import interrupts_masked
from auditkit.errors import AuditError, DataError, Interrupted, RunFailed
from auditkit.events import Event, Send

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SECONDS_TO_DIE = 10.0
_PRELOADED = ["auditkit.engine.fork_server", "auditkit.engine.worker"]
"""What workers are forked with: torch and torchvision take three CPU seconds to import, once instead of per worker."""
_MEMORY_ERRORS = ("OutOfMemoryError", "MemoryError")
_MEMORY_HINT = "lower recipe.batch_size, or run fewer units at once with --workers"
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
_TRAVELS = (AuditError, DataError, RunFailed, Interrupted)


class Executor(Protocol):
    """Maps a function over work items; `processes` says how many at a time."""

    processes: int

    def submit(self, function: str, item: Any) -> Future[Any]:
        """Run function(item, send) somewhere; the future has its result or its exception."""


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resolve(function: str) -> Any:
    """The function that "module:function" names."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True, slots=True)
class _Task:
    function: str
    item: Any
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    """An exception on its way between processes: what an AuditError says, or the text of any other."""

    kind: str
    message: str
    where: str
    hint: str
    trace: str

    def error(self) -> AuditError:
        """The exception again; what was no AuditError has become a RunFailed with its traceback as a note."""
        kinds = {kind.__name__: kind for kind in _TRAVELS}
        error = kinds.get(self.kind, RunFailed)(self.message, where=self.where, hint=self.hint)
        if self.trace:
            error.add_note(self.trace)
        return error


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any


class Local:
    """Worker processes on this machine: long-lived, each with its number of threads and one task at a time.

    Used as a context manager. Leaving it in peace lets the workers finish what they do; leaving it by an exception,
    such as KeyboardInterrupt, ends them at once. Events arrive one after another, from threads of this process.
    """

    def __init__(self, processes: int, threads: int, send: Send) -> None:
        self.processes = processes
        self._send, self._one_at_a_time = send, threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._workers = [_Worker(threads) for _ in range(processes)]
        self._idle = self._workers[::-1]
        self._changing = threading.Lock()
        self._keepers = [threading.Thread(target=self._keep, args=(w,), daemon=True) for w in self._workers]

    def submit(self, function: str, item: Any) -> Future[Any]:
        """Queue function(item, send) for a free worker: that which worked last, so that no other is started for it."""
        future: Future[Any] = Future()
        with self._changing:
            task = _Task(function, item, future)
            if self._idle:
                self._idle.pop().inbox.put(task)
            else:
                self._waiting.append(task)
        return future

    def shrink(self, processes: int) -> None:
        """Keep at most so many workers, those that worked last; only while nothing is running."""
        with self._changing:
            self.processes = min(self.processes, processes)
            for worker in self._idle[: -self.processes]:
                worker.inbox.put(None)
            self._idle = self._idle[-self.processes :]

    def __enter__(self) -> Self:
        for keeper in self._keepers:
            keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if kind is not None:
            self._abandon()
        for worker in self._workers:
            worker.inbox.put(None)
        for keeper in self._keepers:
            keeper.join()

    def _abandon(self) -> None:
        with self._changing:
            while self._waiting:
                self._waiting.popleft().future.cancel()
        for worker in self._workers:
            worker.terminate()

    def _keep(self, worker: _Worker) -> None:
        task = worker.inbox.get()
        while task is not None:
            settle = worker.run(task, self._forward) if task.future.set_running_or_notify_cancel() else _nothing
            following = self._next(worker)
            settle()
            task = following or worker.inbox.get()
        worker.stop()

    def _next(self, worker: _Worker) -> _Task | None:
        """A waiting task; or none, and the worker is free: before whoever waits for its last result submits more."""
        with self._changing:
            if self._waiting:
                return self._waiting.popleft()
            self._idle.append(worker)
            return None

    def _forward(self, event: Event) -> None:
        with self._one_at_a_time:
            self._send(event)


class _Worker:
    """One process and the thread that keeps it busy; started when first needed, and again after it died."""

    def __init__(self, threads: int) -> None:
        self.inbox: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads = threads
        self._process: BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._ended = False

    def run(self, task: _Task, forward: Send) -> Callable[[], None]:
        """Have the process do the task, forwarding its events; returns what settles the future."""
        try:
            pipe = self._connected()
            pipe.send((task.function, task.item))
            while isinstance(answer := pipe.recv(), Event):
                forward(answer)
        except (EOFError, OSError) as error:
            return partial(task.future.set_exception, self._death(error))
        except BaseException as error:  # an item or an event handler that is at fault must not silence the thread
            self.terminate(for_good=False)
            return partial(task.future.set_exception, error)
        if isinstance(answer, _Failure):
            if answer.trace:  # what broke may have broken the process: a CUDA kernel's error ends every later call
                self.terminate(for_good=False)
            return partial(task.future.set_exception, answer.error())
        return partial(task.future.set_result, answer.value)

    def terminate(self, *, for_good: bool = True) -> None:
        """End the process at once."""
        self._ended = self._ended or for_good
        process = self._process
        if process is not None and process.is_alive():
            process.kill()
            process.join(_SECONDS_TO_DIE)

    def stop(self) -> None:
        """Let the process end by itself."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.join()

    def _connected(self) -> Connection[Any, Any]:
        if self._ended:
            raise EOFError
        if self._process is None or self._pipe is None or not self._process.is_alive():
            self._pipe, theirs = Pipe()
            self._process = _process(theirs, self._threads)
            theirs.close()
        return self._pipe

    def _death(self, error: Exception) -> Exception:
        """Why the process is gone; or the error itself, when it is not gone but could not be talked to."""
        process, self._process = self._process, None
        if self._ended or process is None:
            return Interrupted("the run was stopped")
        process.join(_SECONDS_TO_DIE)
        if process.exitcode is None:
            process.kill()
            return error
        code = process.exitcode
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        hint = "out of memory?" if cause == "SIGKILL" else ""
        return RunFailed(f"the worker process died ({cause})", hint=hint)


def _nothing() -> None:
    """Settle a future that was cancelled."""


def forks() -> bool:
    """Whether workers are forked here: a driver's state does not survive that, nor do the libraries of macOS."""
    return sys.platform == "linux" and not any(Path(driver).exists() for driver in _DRIVERS)


def _process(pipe: Connection[Any, Any], threads: int) -> BaseProcess:
    """Start a worker: forked from a server that has imported torch, or, where that is unsafe, from nothing."""
    forked = forks()
    context = get_context("forkserver") if forked else get_context("spawn")
    context.set_forkserver_preload(_PRELOADED)
    process: BaseProcess = context.Process(target=_serve, args=(pipe, threads, dict(os.environ)), daemon=True)
    with _single_threaded(), interrupts_masked() if forked else contextlib.nullcontext():
        process.start()
    return process


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Let what is started here begin with one thread: the server forks, which threads do not survive."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection[Any, Any], threads: int, environment: dict[str, str]) -> None:
    """The life of a worker process: answer one task after another until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    os.environ.update(environment)
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    with contextlib.suppress(EOFError, OSError):
        while True:
            function, item = pipe.recv()
            pipe.send(_answer(function, item, pipe.send))


def _answer(function: str, item: Any, send: Send) -> _Result | _Failure:
    try:
        return _Result(resolve(function)(item, send))
    except BrokenPipeError:  # the parent is gone, and with it whoever wanted the answer
        sys.exit(1)
    except _TRAVELS as error:
        return _Failure(type(error).__name__, error.message, error.where, error.hint, "")
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        hint = _MEMORY_HINT if type(error).__name__ in _MEMORY_ERRORS else ""
        return _Failure("RunFailed", message, _last_place(error), hint, traceback.format_exc())


def _last_place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
