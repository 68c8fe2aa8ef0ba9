"""Gates as tests: ``pytest audits/`` reads the store and makes every gate of every audit file a test.

A TOML file is collected when pytest is given it, or the folder it lies in, on the command line; with ``--auditkit``
wherever pytest looks. It must have the tables of an audit. A gate passes, fails, or is skipped where the evidence is
insufficient (``--auditkit-strict`` makes that a failure). Units that are not in the store are errors that name the
command which trains them; ``--auditkit-run`` trains them.

This module is loaded by every pytest of its environment, so it imports nothing else of auditkit until it collects.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from auditkit.testing.gates import Judged

MOST_BYTES = 1_000_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of their own group; none of them changes anything where no audit is collected."""
    group = parser.getgroup("auditkit", "auditkit: gates of audits as tests")
    group.addoption("--auditkit", action="store_true", help="Collect audit files wherever tests are looked for.")
    group.addoption("--auditkit-run", action="store_true", help="Train units that are not in the store.")
    group.addoption("--auditkit-strict", action="store_true", help="Insufficient evidence fails, it does not skip.")
    group.addoption("--auditkit-store", metavar="PATH", help="Where units are kept [.auditkit, or AUDITKIT_STORE].")
    group.addoption("--auditkit-data", metavar="PATH", help="Folder or file of the data (or AUDITKIT_DATA).")
    group.addoption("--auditkit-profile", metavar="NAME", help="Apply [profile.NAME] of every audit file.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> AuditFile | None:
    """Collect an audit file that was asked for."""
    if file_path.suffix != ".toml" or not _asked_for(file_path, parent.config) or not _is_audit(file_path):
        return None
    collector: AuditFile = AuditFile.from_parent(parent, path=file_path)
    return collector


def _asked_for(path: Path, config: pytest.Config) -> bool:
    """Whether the file, or its very folder, was named on the command line; folders of the ini file name none."""
    if config.getoption("auditkit"):
        return True
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    named = {(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args}
    return path.resolve() in named or path.parent.resolve() in named


def _is_audit(path: Path) -> bool:
    """Whether a TOML file has the tables of an audit, whatever else may be wrong with it."""
    try:
        text = path.read_bytes()[:MOST_BYTES]
        values = tomllib.loads(text.decode("utf-8-sig")) if b"[audit]" in text else {}
    except (OSError, ValueError):
        return False
    return isinstance(values.get("audit"), dict) and all(isinstance(values.get(name), list) for name in ("task", "arm"))


class AuditFile(pytest.File):
    """An audit file; its gates are judged once, when the first of them is run."""

    judged: Judged

    def collect(self) -> Iterable[GateItem]:
        """One item per gate. Mistakes in the file, or data that is not there, are errors of collection."""
        gates = import_module("auditkit.testing.gates")
        try:
            self.judged = gates.Judged.of(self.path, self.config.invocation_params.dir, _options(self.config))
            for index, (name, line) in enumerate(self.judged.gates):
                yield GateItem.from_parent(self, name=name, index=index, line=line)
        except gates.MISTAKES as error:
            raise self.CollectError(str(error)) from error


def _options(config: pytest.Config) -> dict[str, Any]:
    names = ("store", "data", "profile")
    given = {name: config.getoption(f"auditkit_{name}") for name in names}
    return {name: value for name, value in given.items() if value is not None}


class GateItem(pytest.Item):
    """A gate."""

    def __init__(self, *, index: int, line: int, **more: Any) -> None:
        super().__init__(**more)
        self.index = index
        self.line = line

    def setup(self) -> None:
        """See that there is something to judge; train it where that was asked for."""
        mistake = self._mistake()
        if mistake:
            pytest.fail(mistake, pytrace=False)

    def _mistake(self) -> str:
        """Why there is nothing to judge, "" where there is; told outside of its handler, else pytest tells it twice."""
        mistakes = import_module("auditkit.testing.gates").MISTAKES
        try:
            self._file.judged.ready(train=self.config.getoption("auditkit_run"))
        except mistakes as error:
            return str(error)
        return ""

    def runtest(self) -> None:
        """Pass, fail or skip, by the gate's interval."""
        row = self._file.judged.rows[self.index]
        said = self._file.judged.told[self.index]
        self.user_properties.append(("gate", said))
        if row.outcome == "fail" or (row.outcome != "pass" and self.config.getoption("auditkit_strict")):
            pytest.fail(f"{row.outcome}: {said}", pytrace=False)
        if row.outcome != "pass":
            pytest.skip(f"{row.outcome}: {said}")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the gate stands in its file; pytest takes every dot of a bare name for a step into a class."""
        return self.path, self.line - 1, f"gate {self.name!r}"

    @property
    def _file(self) -> AuditFile:
        if not isinstance(self.parent, AuditFile):
            raise TypeError(f"{self.parent!r} is no audit file")
        return self.parent
