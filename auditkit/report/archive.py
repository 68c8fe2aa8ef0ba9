"""Findings as data: an exact JSON form that can be read back, and tidy tables as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from auditkit.errors import DataError
from auditkit.evidence.results import Results
from auditkit.replacing import replacing

SCHEMA = 2
"""Raise whenever a field changes its meaning or goes."""
KIND = "auditkit findings"
TABLES = ("findings", "scan", "flips", "flip_counts", "curves", "leaks", "published", "gates")
_RESULTS = TypeAdapter(Results)


def dump(results: Results) -> dict[str, Any]:
    """The results as JSON values; `load` gives back an equal value. Facts must be JSON values already.

    Raises:
        ValueError: a number that is none, or infinite.
    """
    values: dict[str, Any] = json.loads(json.dumps(_RESULTS.dump_python(results), allow_nan=False))
    return {"kind": KIND, "schema": SCHEMA, **values}


def load(archived: Mapping[str, Any]) -> Results:
    """Results from what `dump` gave.

    Raises:
        DataError: another kind of file, another schema, or a field that does not fit.
    """
    if archived.get("kind") != KIND:
        raise DataError("this is no findings file of auditkit", hint=f"its key 'kind' must be {KIND!r}")
    if archived.get("schema") != SCHEMA:
        raise DataError(
            f"findings of schema {archived.get('schema')!r}, this auditkit reads {SCHEMA}", hint="run the audit again"
        )
    content = {name: value for name, value in archived.items() if name not in {"kind", "schema"}}
    try:
        return _RESULTS.validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"findings cannot be read: {first['msg']}", where=where, hint="run the audit again") from error


def to_json(results: Results) -> str:
    """The text of findings.json."""
    return json.dumps(dump(results), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def write_csv(results: Results, folder: Path) -> tuple[Path, ...]:
    """Write every kind of finding that there is as a tidy table, findings.csv, flips.csv and so on; remove the others.

    Returns the paths of those that were written.
    """
    tables = {folder / f"{name}.csv": getattr(results, name) for name in TABLES}
    for file, rows in tables.items():
        if rows:
            with replacing(file) as aside:
                aside.write_text(to_csv(rows), encoding="utf-8", newline="")
        else:
            file.unlink(missing_ok=True)
    return tuple(file for file, rows in tables.items() if rows)


def to_csv(rows: tuple[Any, ...]) -> str:
    """A table of frozen dataclasses of one kind; what is nested gets columns of its own, numbers their full length."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(_columns(type(rows[0]))), lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(_flat(row)) for row in rows)
    return text.getvalue()


def _columns(kind: type, prefix: str = "") -> Iterator[str]:
    """Columns of a dataclass by the types of its fields, so that they are the same whatever its values are."""
    for name, annotation in get_type_hints(kind).items():
        nested = next(filter(is_dataclass, (annotation, *get_args(annotation))), None)
        if isinstance(nested, type):
            yield from _columns(nested, f"{prefix}{name}_")
        else:
            yield prefix + name


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, object]]:
    for each in fields(value):
        inner, name = getattr(value, each.name), prefix + each.name
        if is_dataclass(inner):
            yield from _flat(inner, f"{name}_")
        elif inner is not None:
            yield name, _text(inner, "; " if each.name == "notes" else " ")


def _text(value: Any, between: str) -> object:
    """Places as "Male=1 Young=0", other sequences with something between."""
    if not isinstance(value, tuple):
        return value
    if all(isinstance(each, tuple) for each in value):
        return " ".join(f"{name}={_known(level)}" for name, level in value)
    return between.join(_known(each) for each in value)


def _known(value: object) -> str:
    return "" if value is None else str(value)
