"""Audits in folders of their own, in which commands are run and looked at."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from auditkit.cli import exit_code
from auditkit.testing.rules import demand


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: its exit code, and what it wrote."""

    arguments: tuple[str, ...]
    folder: Path
    code: int
    out: str
    err: str

    def assert_success(self) -> Outcome:
        """Fail, showing everything, unless the exit code is 0."""
        return self.assert_code(0)

    def assert_code(self, code: int) -> Outcome:
        """Fail, showing everything, unless the command ended with this exit code."""
        demand(self.code == code, f"expected exit code {code}\n{self}")
        return self

    def __str__(self) -> str:
        parts = [f"exit code {self.code}", f"command   auditkit {' '.join(self.arguments)}", f"folder    {self.folder}"]
        parts += [f"---- {name}\n{text.rstrip()}" for name, text in (("out", self.out), ("err", self.err)) if text]
        return "\n".join(parts)

    __repr__ = __str__


@dataclass(frozen=True, eq=False)
class AuditProject:
    """A folder with audit files, in which commands can be run; it goes when the project does."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Outcome:
        """Run `auditkit ARGUMENTS` in the folder, in this process. What is no AuditError keeps its traceback."""
        out, err = StringIO(), StringIO()
        with chdir(self.folder), _environment(self.environment), redirect_stdout(out), redirect_stderr(err):
            code = exit_code(list(arguments))
        return Outcome(arguments, self.folder, code, out.getvalue(), err.getvalue())

    def write(self, files: Mapping[str, str | bytes]) -> AuditProject:
        """Write more files; folders in their names are made."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def read(self, name: str) -> str:
        """The text of a file."""
        return (self.folder / name).read_text(encoding="utf-8")


def audit_project(files: Mapping[str, str | bytes], environment: Mapping[str, str] | None = None) -> AuditProject:
    """Make a project in a folder of its own, with its own store, reports and caches, 100 columns wide, no colour.

    Variables of the surrounding environment that begin with AUDITKIT_ are not seen, except those given here.
    """
    folder = Path(tempfile.mkdtemp(prefix="auditkit-project-")).resolve()
    settings = {"COLUMNS": "100", "NO_COLOR": "1", "XDG_CACHE_HOME": str(folder / ".cache"), **(environment or {})}
    project = AuditProject(folder, settings).write(files)
    weakref.finalize(project, shutil.rmtree, folder, ignore_errors=True)
    return project


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    saved = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AUDITKIT_")]:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)
