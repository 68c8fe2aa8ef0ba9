"""Words for messages: values, lists, and the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

_FEW = 12
_FINEST = 4


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that was probably meant; None when none is as near as `cutoff`, where 1 is the same letters."""
    names = [name for name in known if name]
    plain = {_plain(name): name for name in reversed(names)}
    if _plain(word) in plain:
        return plain[_plain(word)]
    close = get_close_matches(_plain(word), plain, n=1, cutoff=cutoff)
    return plain[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest, or else all there are when they are few."""
    names = list(dict.fromkeys(known))
    found = nearest(word, names)
    if found is not None:
        return f"did you mean {found!r}?"
    return f"there {'is' if len(names) == 1 else 'are'} {listed(names, 'and')}" if 0 < len(names) <= _FEW else ""


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


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
