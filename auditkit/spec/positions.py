"""Where keys and values stand in a TOML text.

The standard parser gives no positions, so this rides on tomlkit's parser, which is not public API: the dependency is
pinned, `positions` answers None whenever the parser disagrees, and a test compares its paths with tomllib's values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tomlkit.exceptions import TOMLKitError
from tomlkit.parser import Parser

from auditkit.errors import KeyPath

Extent = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """Character offsets [start, end) of a key and of its value; None where there is none, as for a table's value."""

    key: Extent | None = None
    value: Extent | None = None


def positions(text: str) -> dict[KeyPath, Span] | None:
    """Key path of every key, table and array element -> its span; None when the text could not be followed."""
    parser = _Recorder(text)
    try:
        parser.parse()
    except (TOMLKitError, AttributeError, TypeError, ValueError, RecursionError):
        return None
    return parser.spans


@dataclass(slots=True)
class _Frame:
    """An open table, or an open array with the number of elements read so far."""

    path: KeyPath
    elements: int | None = None


@dataclass(slots=True)
class _Fragment:
    name: str
    extent: Extent


@dataclass(slots=True)
class _Trail:
    """The key read last, in its dotted fragments, and the number of tables in each array of tables."""

    fragments: list[_Fragment] = field(default_factory=list)
    tables: dict[KeyPath, int] = field(default_factory=dict)


class _Recorder(Parser):  # type: ignore[misc, unused-ignore]
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.spans: dict[KeyPath, Span] = {}
        self._frames = [_Frame(())]
        self._trail = _Trail()

    def _parse_key(self) -> Any:
        self._trail.fragments = []
        return super()._parse_key()

    def _parse_simple_key(self) -> Any:
        start = self._idx
        key = super()._parse_simple_key()
        written = self._src[start : self._idx]
        start += len(written) - len(written.lstrip())
        self._trail.fragments.append(_Fragment(key.key, (start, start + len(written.strip()))))
        return key

    def _parse_table(self, *arguments: Any) -> Any:
        is_array, _ = self._peek_table()
        self._frames = [_Frame(self._enter(is_array))]
        return super()._parse_table(*arguments)

    def _enter(self, is_array: bool) -> KeyPath:
        """Note the key of a table header; return the path of the table it opens."""
        path: KeyPath = ()
        for fragment in self._trail.fragments:
            path = (*path, fragment.name)
            last = fragment is self._trail.fragments[-1]
            if last and is_array:
                self._trail.tables[path] = self._trail.tables.get(path, 0) + 1
            self._note_key(path, fragment.extent)
            if path in self._trail.tables:
                path = (*path, self._trail.tables[path] - 1)
                self._note_key(path, fragment.extent)
        return path

    def _parse_value(self) -> Any:
        frame, path = self._frames[-1], self._next_path()
        start = self._idx
        item = self._parse_framed(path)
        self.spans[path] = Span(self.spans.get(path, Span()).key, (start, self._idx))
        if frame.elements is not None:
            frame.elements += 1
        return item

    def _next_path(self) -> KeyPath:
        frame = self._frames[-1]
        if frame.elements is not None:
            return (*frame.path, frame.elements)
        path = frame.path
        for fragment in self._trail.fragments:
            path = (*path, fragment.name)
            self._note_key(path, fragment.extent)
        return path

    def _parse_framed(self, path: KeyPath) -> Any:
        opening = {"[": 0, "{": None}
        if self._current not in opening:
            return super()._parse_value()
        self._frames.append(_Frame(path, opening[self._current]))
        item = super()._parse_value()
        self._frames.pop()
        return item

    def _note_key(self, path: KeyPath, extent: Extent) -> None:
        self.spans.setdefault(path, Span(key=extent))
