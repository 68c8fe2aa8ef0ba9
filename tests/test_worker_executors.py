"""Executors: results, events, errors and deaths end up with the item that caused them, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from training_toys import Events

from auditkit.engine.executors import Local
from auditkit.errors import DataError, Interrupted, RunFailed
from auditkit.events import Notice

TASKS = "executor_tasks"


@pytest.fixture(scope="module")
def events() -> Events:
    return Events()


@pytest.fixture(scope="module")
def pool(events: Events) -> Iterator[Local]:
    with Local(2, 3, events) as made:
        yield made


def test_results_and_events_come_back(pool: Local, events: Events) -> None:
    futures = [pool.submit(f"{TASKS}:double", k) for k in range(6)]
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8, 10]
    assert {event.text for event in events.of(Notice)} == {f"doubling {k}" for k in range(6)}


def test_workers_are_few_ignore_ctrl_c_and_have_their_threads(pool: Local) -> None:
    found = [pool.submit(f"{TASKS}:where", None).result() for _ in range(5)]
    assert len({place["process"] for place in found}) <= 2
    assert os.getpid() not in {place["process"] for place in found}
    assert all(place["interrupt"] and place["threads"] == "3" for place in found)


def test_a_mistake_of_the_user_stays_what_it_is(pool: Local) -> None:
    error = pool.submit(f"{TASKS}:refuse", None).exception()
    assert isinstance(error, DataError)
    assert (error.message, error.where, error.hint) == ("no such thing", "a.toml", "look again")


def test_a_bug_is_a_failure_of_that_item_with_its_place_and_traceback(pool: Local) -> None:
    error = pool.submit(f"{TASKS}:stumble", None).exception()
    assert isinstance(error, RunFailed)
    assert error.message == "ZeroDivisionError: by nought"
    assert "executor_tasks.py:" in error.where
    assert "Traceback" in error.__notes__[0]


def test_a_full_gpu_is_told_with_its_remedy(pool: Local) -> None:
    error = pool.submit(f"{TASKS}:overflow", None).exception()
    assert isinstance(error, RunFailed)
    assert error.message == "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    assert error.hint == "lower recipe.batch_size, or run fewer units at once with --workers"


def test_after_a_bug_another_process_goes_on_and_after_a_mistake_the_same() -> None:
    with Local(1, 1, Events()) as pool:
        places = []
        for task in ("refuse", "stumble", "where"):
            places.append(pool.submit(f"{TASKS}:where", None).result()["process"])
            pool.submit(f"{TASKS}:{task}", None).exception()
    assert places[0] == places[1] != places[2]


@pytest.mark.parametrize(
    ("task", "message", "hint"),
    [
        ("die", "the worker process died (SIGKILL)", "out of memory?"),
        ("leave", "the worker process died (exit code 3)", ""),
    ],
)
def test_a_death_is_a_failure_of_that_item_alone(pool: Local, task: str, message: str, hint: str) -> None:
    futures = [pool.submit(f"{TASKS}:{name}", 4) for name in ("double", task, "double", "double")]
    error = futures[1].exception()
    assert isinstance(error, RunFailed)
    assert (error.message, error.hint) == (message, hint)
    assert [futures[k].result() for k in (0, 2, 3)] == [8, 8, 8]


def test_what_cannot_travel_fails_its_item_alone(pool: Local) -> None:
    assert pool.submit(f"{TASKS}:double", lambda: None).exception() is not None
    assert pool.submit(f"{TASKS}:double", 1).result() == 2


def test_one_after_another_is_done_by_one_worker_and_the_last_to_work_is_kept() -> None:
    with Local(3, 1, Events()) as pool:
        places = [pool.submit(f"{TASKS}:where", None).result()["process"] for _ in range(4)]
        pool.shrink(1)
        both = [pool.submit(f"{TASKS}:where", None) for _ in range(2)]
        places += [future.result()["process"] for future in both]
    assert len(set(places)) == 1


def test_workers_see_the_environment_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("one", "two"):
        monkeypatch.setenv("AUDITKIT_EXAMPLE", value)
        with Local(1, 1, Events()) as pool:
            assert pool.submit(f"{TASKS}:variable", "AUDITKIT_EXAMPLE").result() == value


def test_an_unknown_function_fails_its_item(pool: Local) -> None:
    error = pool.submit(f"{TASKS}:nothing", 1).exception()
    assert str(error).endswith("module 'executor_tasks' has no attribute 'nothing'")


def test_leaving_by_an_exception_ends_the_workers_at_once(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Local(1, 1, Events()) as pool:
        running = pool.submit(f"{TASKS}:chatter", str(told))
        waiting = pool.submit(f"{TASKS}:double", 1)
        until(lambda: told.exists() and bool(told.read_text()))
        raise KeyboardInterrupt
    assert time.monotonic() - started < 40
    stopped = running.exception()
    assert isinstance(stopped, Interrupted)
    assert str(stopped) == "the run was stopped"
    assert waiting.cancelled()
    until(lambda: not alive(int(told.read_text())))


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = (
        "from auditkit.engine.executors import Local\n"
        f"with Local(1, 1, lambda event: None) as pool: pool.submit('{TASKS}:chatter', {str(told)!r}).result()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    until(lambda: told.exists() and bool(told.read_text()))
    worker = int(told.read_text())
    assert alive(worker)
    parent.kill()
    parent.wait()
    until(lambda: not alive(worker))


def test_the_parent_never_imports_torch() -> None:
    code = (
        "import sys; from auditkit.engine.executors import Local; import auditkit.engine.cache\n"
        f"with Local(1, 1, print) as pool: pool.submit('{TASKS}:where', None).result()\n"
        "assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def until(holds: object, seconds: float = 60.0) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(process: int) -> bool:
    try:
        os.kill(process, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True
