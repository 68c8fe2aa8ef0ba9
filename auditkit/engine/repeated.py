"""Lines of a table of predictions that are about the same image, where no option names the column that says so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from auditkit.engine.alignment import Codes, Lines, agree
from auditkit.engine.table import Table
from auditkit.spec.words import plain, plural

IMAGES = ("row", "image", "imageid", "imagename", "img", "file", "filename", "photo", "path")
TELLING = {"arm": ("arm", "model", "method"), "seed": ("seed", "run", "trial")}
"""What columns of images, and those that tell their lines apart, are called."""
RENAME = "a column of other things needs another name"


def require_once(table: Table, used: Collection[str], lines: Lines, given: Collection[str]) -> tuple[str, ...]:
    """Warnings of columns of arms or seeds that no option names, where images may be repeated for them.

    `used` are the columns that some option names, `given` those of "arm" and "seed" that were.

    Raises:
        DataError: an image would be counted several times.
    """
    known = {*IMAGES, *(name for names in TELLING.values() for name in names)}
    looked_at = (name for name in map(str, table.frame.columns) if name not in used and plain(name) in known)
    unused = {name: table.codes(name)[0] for name in looked_at}
    telling = dict(_telling(unused, given))
    image = next((name for name in unused if plain(name) in IMAGES), None)
    if image is not None:
        _no_repeated_images(table, lines, image, unused[image], telling)
    for column, option in telling.items():
        _no_repeated_lines(table, lines, column, unused[column], option)
    return tuple(_counted_apart(column, option) for column, option in telling.items())


def _telling(unused: Mapping[str, Codes], given: Collection[str]) -> Iterator[tuple[str, str]]:
    """Columns that are called as arms or seeds are and have several, each with the option that names it."""
    for option, names in TELLING.items():
        fitting = [name for name, codes in unused.items() if plain(name) in names and codes.max() > 0]
        if option not in given and fitting:
            yield fitting[0], f"--{option}"


def _no_repeated_images(table: Table, lines: Lines, name: str, codes: Codes, telling: Mapping[str, str]) -> None:
    images = int(codes.max()) + 1
    if images == 0:
        return
    known = codes >= 0
    most = int(np.bincount(lines.unit[known] * images + codes[known]).max())
    if most > 1:
        named = f"column {name!r} names {plural(images, 'image')}"
        said = f"{named}, which would count as {len(codes):,}: one stands {most} times for one arm and seed"
        options = [f"--row {name}", *(f"{option} {column}" for column, option in telling.items())]
        raise table.error(said, f"give {', '.join(options)}; {RENAME}")


def _no_repeated_lines(table: Table, lines: Lines, name: str, codes: Codes, option: str) -> None:
    """Refuse lines that have the same truth and groups in the same order for every level of a column."""
    place = lines.unit * (int(codes.max()) + 2) + codes + 1
    if agree(lines, [np.flatnonzero(place == each) for each in np.unique(place)]):
        levels = plural(int(codes.max()) + 1, "level")
        said = f"each of the {levels} of column {name!r} has the same truth and groups line by line"
        raise table.error(f"{said}: images would count several times", f"give {option} {name}; {RENAME}")


def _counted_apart(column: str, option: str) -> str:
    said = f"column {column!r} was not looked at, so lines of all its levels count as different images"
    return f"{said}; {option} {column} tells them apart"
