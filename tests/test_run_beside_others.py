"""Runs that share a store, and runs whose output nobody reads any more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from run_toys import QUICK, TOY

from auditkit.testing import audit_project


def started(folder: Path, *arguments: str, out: int = subprocess.PIPE) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "auditkit", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, text=True)


def test_of_two_runs_in_one_store_one_waits_and_trains_nothing_again() -> None:
    project = audit_project({"toy.toml": TOY})
    both = [started(project.folder, "run", "toy.toml", *QUICK) for _ in range(2)]
    printed = sorted((one.communicate(timeout=300)[0] for one in both), key=len)
    assert [one.returncode for one in both] == [0, 0], printed
    assert sum("another run is training in this store; waiting for it" in text for text in printed) == 1
    assert sum(text.count("Male · original · seed 0: accuracy") for text in printed) == 1
    units = [json.loads(path.read_text()) for path in project.folder.glob(".auditkit/units/*/unit.json")]
    assert len(units) == 4


@pytest.mark.parametrize("arguments", [("plugins", "list"), ("run", "toy.toml", *QUICK)], ids=["list", "run"])
def test_output_that_nobody_reads_any_more_ends_nothing(arguments: tuple[str, ...]) -> None:
    project = audit_project({"toy.toml": TOY})
    read, write = os.pipe()
    os.close(read)
    one = started(project.folder, *arguments, out=write)
    os.close(write)
    assert one.wait(timeout=300) == 0
    if arguments[0] == "run":
        assert (project.folder / "reports" / "toy" / "report.html").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [("plan", "toy.toml"), ("plan", "toy.toml", "--json"), ("validate", "toy.toml"), ("--help",), ("run", "toy.toml")],
    ids=" ".join,
)
def test_output_that_cannot_be_written_is_told_in_one_line(arguments: tuple[str, ...], unbuffered: str) -> None:
    project = audit_project({"toy.toml": TOY})
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "auditkit", *arguments]
        environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        one = subprocess.run(
            command, cwd=project.folder, stdout=full, stderr=subprocess.PIPE, env=environment, text=True, check=False
        )
    said = "standard output: cannot write: No space left on device; make room, or send it elsewhere\n"
    assert (one.returncode, one.stderr) == (2, said)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_that_nobody_reads_any_more_is_no_failure(unbuffered: str) -> None:
    read, write = os.pipe()
    os.close(read)
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "auditkit", "--help"]
    one = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=environment, text=True, check=False)
    os.close(write)
    assert (one.returncode, one.stderr) == (0, "")
