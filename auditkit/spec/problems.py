"""Problems placed, sorted and told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from unicodedata import east_asian_width

from auditkit.errors import Problem
from auditkit.spec.overrides import FLAG
from auditkit.spec.source import Place, Source
from auditkit.spec.words import plural


class Placed(NamedTuple):
    """A problem and the place it points at; `remark` says under which circumstances it is one."""

    place: Place
    message: str
    hint: str
    remark: str = ""


def report(problems: Iterable[Problem], source: Source) -> str:
    """Every problem with its place, source line and caret, in the order of the file; then their number."""
    return told(placed(problems, source))


def placed(problems: Iterable[Problem], source: Source, remark: str = "") -> list[Placed]:
    """The problems with their places, each once."""
    found = (Placed(source.locate(p.path, at_key=p.at_key, whole=p.whole), p.message, p.hint, remark) for p in problems)
    return list(dict.fromkeys(found))


def told(found: Iterable[Placed]) -> str:
    """Placed problems as text; one that was found under several circumstances is told once, as first met."""
    first: dict[tuple[Place, str], Placed] = {}
    for problem in found:
        first.setdefault((problem.place, problem.message), problem)
    ordered = sorted(first.values(), key=_order)
    count = f"{plural(len(ordered), 'mistake')}, nothing was run"
    return "\n".join([*(excerpt(p.place, p.message + p.remark, p.hint) for p in ordered), count])


def _order(problem: Placed) -> tuple[bool, int, int, str]:
    """The file from top to bottom, then overrides by number; at one place, as the problems were found."""
    place = problem.place
    return place.source.startswith(FLAG), place.line, place.column, place.source


def excerpt(place: Place, message: str, hint: str = "") -> str:
    """One problem: its place and message, the source line, and a caret with the hint."""
    head = f"{place}: {message}"
    if not place.text:
        return f"{head}\n       {hint}" if hint else head
    start = max(place.column - 1, 0)
    number = f"{place.line or '':>5}"
    marked = place.text[start : start + place.length]
    pointer = f"{_blank(place.text[:start])}{'^' * max(1, _width(marked))} {hint}".rstrip()
    return f"{head}\n{number} | {place.text}\n{'':>5} | {pointer}"


def _width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _blank(text: str) -> str:
    return "".join("\t" if letter == "\t" else " " * _width(letter) for letter in text)
