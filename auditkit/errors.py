"""Mistakes a user can make and failures a run can meet; everything else is a bug and keeps its traceback."""

from __future__ import annotations

from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""The way to a value in an audit file, by keys and numbers of elements from 0: ("arm", 1, "sampler")."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, found by the reader, the registry or a check of the data.

    `path` leads to the value in the audit file: ("arm", 1, "sampler", "where", "Blad"). The empty path is the file.
    `at_key` says that the key itself is wrong, not its value; `whole` that the parts of a table contradict each other.
    `refers_to` leads to what the value should name: a mistake there may be the only one, as in ("task",) or
    ("evidence", "groups").
    """

    path: KeyPath
    message: str
    hint: str = ""
    at_key: bool = False
    whole: bool = False
    refers_to: KeyPath = ()


class AuditError(Exception):
    """Something the user can mend: what happened, where, and a hint how to mend it. Exit code 2."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.message}{remedy}"


class InvalidAudit(AuditError):
    """The audit file has mistakes; `report` is their text, already placed and sorted."""

    def __init__(self, problems: tuple[Problem, ...], report: str) -> None:
        super().__init__(report)
        self.problems = problems


class DataError(AuditError):
    """The data is missing, malformed or not what the audit file says."""


class RunFailed(AuditError):
    """A unit or a plugin failed while it ran; what was finished is kept. Exit code 3."""


class Interrupted(AuditError):
    """The user stopped the run; the same command continues it. Exit code 130."""


class ImpossibleRequest(AuditError):
    """The audit asks for images that the data does not have; `problem` leads to the place in the audit file."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message, where=".".join(map(str, problem.path)), hint=problem.hint)
        self.problem = problem
