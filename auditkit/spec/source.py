"""The audit as raw values that know where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from auditkit.errors import KeyPath, Problem
from auditkit.spec.merge import Origin, Override, origin_of
from auditkit.spec.overrides import FLAG
from auditkit.spec.positions import Extent, Span, positions

FILE = ""
"""Begins a path of the file as it was written, whatever has been laid over it or moved."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place to point at: `line` and `column` count from 1, and are 0 where only the source is known."""

    source: str
    line: int = 0
    column: int = 0
    length: int = 1
    text: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, eq=False)
class Source:
    """An audit file after profile and overrides.

    `values` are the merged raw values; `origins` says where those came from that do not stand at their own path;
    `problems` are what was wrong with profile and overrides.
    """

    path: Path
    text: str
    values: Mapping[str, Any]
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    stand_in: bool = False
    problems: tuple[Problem, ...] = ()

    @cached_property
    def spans(self) -> Mapping[KeyPath, Span]:
        """Where keys and values stand in the text; empty when that could not be found out."""
        return positions(self.text) or {}

    def locate(self, path: KeyPath, *, at_key: bool = False, whole: bool = False) -> Place:
        """The place of a value (or of its key), or of the nearest thing around it.

        Of a table that is wrong as a `whole`, the place of what was laid over it last.
        """
        over = [known for known in self.origins if known[: len(path)] == path] if whole else []
        origin = self._origin(over[-1] if over else path)
        if isinstance(origin, Override):
            return self._in_override(origin)
        for length in range(len(origin), 0, -1):
            span = self.spans.get(origin[:length])
            if span is not None:
                return self._at(_extent(span, at_key=at_key, exact=length == len(origin), text=self.text))
        return Place(str(self.path))

    def _origin(self, path: KeyPath) -> Origin:
        if path[:1] == (FLAG,):
            return Override(int(path[1]))
        if path[:1] == (FILE,):
            return path[1:]
        return origin_of(self.origins, path)

    def _in_override(self, override: Override) -> Place:
        text = self.sets[override.number - 1]
        return Place(f"{FLAG} #{override.number}", length=len(text), text=text)

    def _at(self, extent: Extent) -> Place:
        start, end = extent
        line_start = self.text.rfind("\n", 0, start) + 1
        line_end = self.text.find("\n", start)
        line = self.text[line_start : line_end if line_end >= 0 else len(self.text)].rstrip("\r")
        return Place(
            str(self.path),
            line=self.text.count("\n", 0, start) + 1,
            column=start - line_start + 1,
            length=max(1, min(end, line_start + len(line)) - start),
            text=line,
        )


def _extent(span: Span, *, at_key: bool, exact: bool, text: str) -> Extent:
    """The key where it is meant, and where only something around the value was found; else the value."""
    if span.value is None or (at_key and span.key is not None and exact):
        return span.key or (0, 0)
    around = not exact and text[span.value[0]] in "[{"
    return span.key if around and span.key is not None else span.value
