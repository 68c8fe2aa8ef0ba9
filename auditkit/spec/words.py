"""Words for messages: values, lists, and the name that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

_Level = TypeVar("_Level")
_FEW = 12
"""So many names are listed where none is near."""
_SHORT = 4
"""So many names are listed beside a guess, which may be wrong."""
_NEAR, _NEARER = 0.6, 0.75
"""How alike the letters of what was meant are, from 0 to 1; nearer where names can be listed instead."""
_FINEST = 4

_NO = ("no", "not", "none", "non", "nein", "nej", "nee", "false", "absent", "negative", "normal", "healthy")
"""What levels are called that are hardly the positive one."""


def nearest(word: str, known: Iterable[str], cutoff: float = _NEAR) -> str | None:
    """The known name that was probably meant; None when none is as near as `cutoff`, where 1 is the same letters."""
    names = [name for name in known if name]
    spelt = {plain(name): name for name in reversed(names)}
    if plain(word) in spelt:
        return spelt[plain(word)]
    if (found := _by_words(word, names)) is not None:
        return found
    close = get_close_matches(plain(word), spelt, n=1, cutoff=cutoff)
    return spelt[close[0]] if close else None


def _by_words(word: str, names: Iterable[str]) -> str | None:
    """The shortest name that has all the words of this one, in any order, or whose initials it is."""
    asked = _words(word)
    fitting = [name for name in names if {*asked} <= {*_words(name)}] if len(asked) > 1 else []
    if not fitting and len(word) > 2:
        fitting = [name for name in names if word.lower() == "".join(part[0] for part in _words(name))]
    return min(fitting, key=len, default=None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest; all there are when they are few and none is near, or so few that it costs little.

    Where all can be listed, a name must be nearer: who follows a wrong guess may turn an audit around.
    """
    names = list(dict.fromkeys(known))
    few = 0 < len(names) <= _FEW
    found = nearest(word, names, _NEARER if few else _NEAR)
    everything = f"there {'is' if len(names) == 1 else 'are'} {listed(names, 'and')}" if few else ""
    if found is None:
        return everything
    sure = plain(found) == plain(word) or not 1 < len(names) <= _SHORT
    return f"did you mean {found!r}?" if sure else f"did you mean {found!r}? {everything}"


def likely_positive(levels: Sequence[_Level]) -> _Level:
    """The last of sorted levels that does not say no: "ja" of "ja" and "nein", 1 of 0 and 1."""
    return next((level for level in reversed(levels) if str(level).lower() not in _NO), levels[-1])


def listed(values: Iterable[Any], last: str = "or") -> str:
    """The values as in "'a', 'b' or 'c'"."""
    words = [repr(value) for value in values]
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def plural(number: int, one: str, many: str = "") -> str:
    """ "1 seed", "2 seeds"; with a verb, "1 image is", "2 images are"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def fixed(value: float, digits: int, *, signed: bool = False) -> str:
    """Round to a fixed number of decimals, with thousands separators; zero has no sign."""
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    return text.lstrip("+-") if float(text.replace(",", "")) == 0 else text


def visible_digits(bound: float, digits: int) -> int:
    """Decimals of a bound: more where it would be printed as 0 and is not, but for errors of rounding."""
    return next((more for more in range(digits, digits + _FINEST) if round(bound, more)), digits)


def found(value: Any) -> str:
    """What stands in the file, in the words of TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {_short(repr(value))}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a table"
    return "an array" if isinstance(value, list | tuple) else f"{type(value).__name__} {value}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())


def plain(name: str) -> str:
    """A name without case, spaces, hyphens and underscores: what two spellings of one have in common."""
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
