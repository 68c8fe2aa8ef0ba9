"""The processes of a run: how Ctrl-C ends them, and that they need neither open streams nor torch at the start."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from run_toys import QUICK, TOY

from auditkit.engine.executors import forks
from auditkit.testing import AuditProject, audit_project


def test_what_findings_are_made_with_is_imported_while_workers_start() -> None:
    code = "import sys; from auditkit.cli.run import import_ahead; import_ahead().join(); print(*sys.modules)"
    imported = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())
    assert {"fairlearn.metrics", "jinja2", "vl_convert"} <= imported
    assert "torch" not in imported


def test_ctrl_c_stops_cleanly_and_the_same_command_continues() -> None:
    project = audit_project({"toy.toml": TOY.replace("epochs = 2", "epochs = 40")})
    process = started(project)
    wait_for_a_checkpoint(project.folder)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "interrupted; what is finished is kept, and the same command goes on from the last checkpoint\n"
    assert list(project.folder.glob(".auditkit/partial/*/checkpoint.safetensors"))
    out = project.run("plan", "toy.toml").assert_success().out
    assert sum(line.split()[-2:-1] == ["continue"] for line in out.splitlines()) == 1
    assert "4 units: 4 to run (1 to be continued from a checkpoint)" in out


def test_with_all_streams_closed_a_run_ends() -> None:
    """As daemons start jobs: the numbers of closed streams must not become those of a worker's pipes."""
    project = audit_project({"toy.toml": TOY})
    command = f"exec {shlex.join([sys.executable, '-m', 'auditkit', 'run', 'toy.toml', *QUICK])} <&- >&- 2>&-"
    environment = {**os.environ, **project.environment}
    done = subprocess.run(["sh", "-c", command], cwd=project.folder, env=environment, timeout=120, check=False)
    assert done.returncode == 0
    assert (project.folder / "reports" / "toy" / "report.md").is_file()


def test_a_run_never_imports_torch_where_it_was_started() -> None:
    project = audit_project({"toy.toml": TOY})
    code = (
        "import sys; from auditkit.cli import exit_code\n"
        f"assert exit_code({['run', 'toy.toml', *QUICK]}) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, **project.environment}
    found = subprocess.run([sys.executable, "-c", code], cwd=project.folder, env=environment, check=False)
    assert found.returncode == 0


STARTING = {
    "before": lambda servers: True,
    "a server starts": lambda servers: len(servers) == 1,
    "it imports torch": lambda servers: any(b"libtorch" in (server / "maps").read_bytes() for server in servers),
    "it has forked a worker": lambda servers: len(servers) > 1,
}
"""What is seen of the processes that workers are forked from and the workers, which look alike."""


@pytest.mark.skipif(not forks(), reason="workers are not forked here")
@pytest.mark.parametrize("moment", STARTING)
def test_ctrl_c_while_workers_start_says_no_more_than_that(moment: str) -> None:
    project = audit_project({"toy.toml": TOY})
    process = started(project)
    assert process.stdout is not None
    next(line for line in process.stdout if "training visits" in line)
    deadline = time.monotonic() + 60
    while not STARTING[moment](servers_of(process)):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    (line,) = err.strip().splitlines()
    assert line.startswith("interrupted")


def started(project: AuditProject) -> subprocess.Popen[str]:
    """A run as its own group of processes, which Ctrl-C reaches as a whole."""
    return subprocess.Popen(
        [sys.executable, "-m", "auditkit", "run", "toy.toml", *QUICK],
        cwd=project.folder,
        env={**os.environ, **project.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite run in the background ignores it
    )


def servers_of(process: subprocess.Popen[str]) -> list[Path]:
    """The folders in /proc of what workers are forked from, and of the workers, in the group of a run."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if os.getpgid(int(place.name)) == process.pid and b"forkserver" in (place / "cmdline").read_bytes():
                found.append(place)
    return found


def wait_for_a_checkpoint(folder: Path) -> None:
    deadline = time.monotonic() + 90
    while not list(folder.glob(".auditkit/partial/*/checkpoint.safetensors")):
        assert time.monotonic() < deadline, "no checkpoint was written"
        time.sleep(0.05)
