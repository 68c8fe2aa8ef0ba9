"""What differs in the files of two audits, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditkit.spec.paths import label

ABSENT = None
DRAWS = ("data.dataset", "data.place", "data.seed", "data.train", "data.split_by", "data.split_after_resampling")
"""Keys, with all that is under them, on which it depends which images are drawn to be trained on."""
OF_THE_DRAW = (
    "so a difference may be one of the draw too: other images alone move what is found, and no interval has that"
)


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A key whose value differs; None where a side lacks it."""

    key: str
    first: Any
    second: Any


def file_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[FileDifference]:
    """Every key whose value differs; none where a side was kept without its file."""
    if not first or not second:
        return
    mine, theirs = dict(flat(first)), dict(flat(second))
    for name in dict.fromkeys([*mine, *theirs]):
        if mine.get(name, ABSENT) != theirs.get(name, ABSENT):
            yield FileDifference(name, mine.get(name, ABSENT), theirs.get(name, ABSENT))


def flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value under its dotted key; arms and tasks under their names, other arrays of tables under numbers."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from flat(inner, (*path, str(name)))
    elif isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
        for number, each in enumerate(value):
            named = label(each) or str(number)
            yield from flat(each, (*path, named))
    else:
        yield ".".join(path), value


def other_draws(files: Sequence[FileDifference]) -> Iterator[str]:
    """That other images were trained on, where the files say so."""
    keys = [one.key for one in files if any(f"{one.key}.".startswith(f"{draw}.") for draw in DRAWS)]
    if keys:
        yield f"their training draws differ ({', '.join(dict.fromkeys(map(_short, keys)))}), {OF_THE_DRAW}"


def _short(key: str) -> str:
    return ".".join(key.split(".")[:3])
