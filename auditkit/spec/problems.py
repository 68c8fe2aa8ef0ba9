"""Problems placed, sorted and told."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import east_asian_width

from auditkit.errors import Problem
from auditkit.spec.source import Place, Source


def report(problems: Iterable[Problem], source: Source) -> str:
    """Every problem with its place, source line and caret, in the order of the file; then their number."""
    placed = {
        (source.locate(problem.path, at_key=problem.at_key), problem.message, problem.hint) for problem in problems
    }
    told = sorted(placed, key=lambda entry: (entry[0].line == 0, entry[0].line, entry[0].column, *map(str, entry)))
    count = f"{len(told)} mistake{'s' * (len(told) != 1)}, nothing was run"
    return "\n".join([*(excerpt(place, message, hint) for place, message, hint in told), count])


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
