"""What only one process may do at a time: waited for, and told where it cannot be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from anyone import run_as_anyone
from table_toys import AUDIT, NO_EVIDENCE, QUICK, project

from auditkit.engine.locking import locked
from auditkit.errors import AuditError
from auditkit.events import Event, Notice, silent

WAITING = "another process is at it; waiting for it"
HINT = "let yourself write there, or name another place: a store with --store, a cache with AUDITKIT_CACHE"
HOLDER = "import sys, time, filelock\nwith filelock.FileLock(sys.argv[1]): print('held', flush=True); time.sleep(0.5)"


def test_a_lock_that_another_process_holds_is_waited_for_after_a_notice(tmp_path: Path) -> None:
    told: list[Event] = []
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE) as theirs:
        assert theirs.stdout is not None and theirs.stdout.readline() == b"held\n"
        with locked(tmp_path / "lock", WAITING, told.append):
            assert told == [Notice(WAITING)]


def test_what_fails_under_a_lock_keeps_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no more"), locked(tmp_path / "lock", WAITING, silent):
        raise OSError("no more")
    with locked(tmp_path / "lock", WAITING, silent):
        pass


def test_a_lock_that_cannot_be_had_says_where_and_what_to_do(tmp_path: Path) -> None:
    place = tmp_path / "lock"
    place.mkdir()
    with pytest.raises(AuditError) as caught, locked(place, WAITING, silent):
        pass
    assert str(caught.value) == f"{place}: cannot write the lock: Is a directory\n  {HINT}"


def test_a_store_whose_lock_is_another_users_is_told_so() -> None:
    toy = project(AUDIT + NO_EVIDENCE).write({"store/lock": ""})
    (toy.folder / "store" / "lock").chmod(0o444)
    done = run_as_anyone("run", "a.toml", *QUICK, "--store", "store", folder=toy.folder)
    assert (done.returncode, done.stderr) == (2, f"store/lock: cannot write the lock: Permission denied\n  {HINT}\n")
