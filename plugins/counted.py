"""Numbers of things in messages."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 row", "2 rows", "1 person has", "2 people have"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
