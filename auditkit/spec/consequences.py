"""Problems that only follow from others: what refers to a name that is itself mistaken."""

from __future__ import annotations

from collections.abc import Iterable

from auditkit.errors import KeyPath, Problem
from auditkit.spec.merge import Override
from auditkit.spec.source import Source

NAMES: dict[str, tuple[str, ...]] = {"task": ("target", "name"), "arm": ("name",)}
"""Keys that say what an element of an array is called."""
_WORDS: dict[KeyPath, str] = {
    ("task",): "a task",
    ("arm",): "an arm",
    ("evidence", "groups"): "a group",
    ("evidence", "metrics"): "a metric",
}


def distilled(problems: Iterable[Problem], source: Source) -> list[Problem]:
    """The problems without those that only follow from others.

    Those that refer to something in which another problem was found are left out; once that is mended, what is left of
    them is told. Those that an override alone brought about are told as one, at the override.
    """
    found = list(problems)
    direct = [problem.path for problem in found if not problem.refers_to]
    kept = [problem for problem in found if not problem.refers_to or not _follows(problem, direct)]
    for referred in _WORDS:
        kept = _folded(kept, referred, source)
    return kept


def _folded(problems: list[Problem], referred: KeyPath, source: Source) -> list[Problem]:
    """One problem instead of several that refer to names which an override has changed."""
    following = [problem for problem in problems if problem.refers_to == referred]
    changed = [
        path
        for path, origin in source.origins.items()
        if isinstance(origin, Override) and (_mistaken(referred, path) or path == referred[: len(path)])
    ]
    if len(following) < 2 or not changed:
        return problems
    said = f"figures, gates or other places name {_WORDS[referred]} that this leaves out"
    hint = f"{len(following)} do, the first: {following[0].message}; keep the names, or override those too"
    return [*(one for one in problems if one.refers_to != referred), Problem(changed[-1], said, hint)]


def _follows(problem: Problem, direct: list[KeyPath]) -> bool:
    """Whether a direct problem is in what this one refers to, or in the very words that refer."""
    inside = any(path[: len(problem.path)] == problem.path for path in direct)
    return inside or any(_mistaken(problem.refers_to, path) for path in direct)


def _mistaken(referred: KeyPath, path: KeyPath) -> bool:
    """Whether a problem at a path puts the names of what is referred to in doubt."""
    if path[: len(referred)] != referred:
        return False
    keys = NAMES.get(str(referred[-1]))
    return keys is None or len(path) <= 2 or path[2] in keys
