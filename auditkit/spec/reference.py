"""The audit file as a Markdown reference: every table and key of the model, every option of every component."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from pydantic import BaseModel

from auditkit.contracts import Kind
from auditkit.spec.meanings import meaning_of
from auditkit.spec.model import (
    SGD,
    About,
    AdamW,
    AfterResampling,
    Arm,
    Audit,
    Augment,
    Budget,
    Cell,
    Constant,
    Data,
    Evidence,
    Gate,
    Image,
    OneCycle,
    Published,
    Recipe,
    Selector,
    StandIn,
    Task,
    TestPool,
    TrainPool,
    ValidPool,
)
from auditkit.spec.option_table import OptionRow, option_rows
from auditkit.spec.profiles import KEEP
from auditkit.spec.schema import KINDS, Offer
from auditkit.spec.shape import fields, tables_in

TABLES: dict[str, type[BaseModel]] = {
    "[audit]": About,
    "[data]": Data,
    "[data.train]": TrainPool,
    "[data.valid]": ValidPool,
    "[data.test]": TestPool,
    "cells": Cell,
    "[data.image]": Image,
    "[data.split_after_resampling]": AfterResampling,
    "[[task]]": Task,
    "[recipe]": Recipe,
    'optimizer, use = "sgd"': SGD,
    'optimizer, use = "adamw"': AdamW,
    'schedule, use = "constant"': Constant,
    'schedule, use = "one-cycle"': OneCycle,
    "[recipe.budget]": Budget,
    "[recipe.augment]": Augment,
    "[[arm]]": Arm,
    "[evidence]": Evidence,
    "[[gate]]": Gate,
    "[[published]]": Published,
    "finding": Selector,
    "[stand_in]": StandIn,
}
"""Headings, in the order of an audit file, and the tables they are about."""
UNSET, BELOW = "unset", "below"
HEAD = ("| key | type | default | meaning |", "|---|---|---|---|")
PROFILE = f"""\
## [profile.NAME]

A partial audit. `--profile NAME` lays it over the file: tables merge key by key, an array replaces the whole array.
Two keys are its own: {" and ".join(f"`{key}`" for key in KEEP)} keep only what they name, with the gates and
figures that name nothing else."""


def reference(offers: Iterable[Offer]) -> str:
    """The reference, with the options of these components."""
    known = list(offers)
    parts = ["\n".join(_section("The file", Audit))]
    parts += ["\n".join(_section(heading, table)) for heading, table in TABLES.items()]
    parts.append(PROFILE)
    for kind in get_args(Kind):
        parts.append("\n".join(_components(kind, [offer for offer in known if offer.kind == kind])))
    return "\n\n".join(parts) + "\n"


def keys(table: type[BaseModel]) -> list[OptionRow]:
    """The keys of one table of the model; those of tables inside have headings of their own."""
    return [_key(table, row) for row in option_rows(table) if "." not in row.name]


def _key(table: type[BaseModel], row: OptionRow) -> OptionRow:
    """A key with its meaning; a component is named by its kind, and a table's own defaults stand under its heading."""
    row = row._replace(meaning=meaning_of(table, row.name))
    kind = KINDS.get((table.__name__, row.name))
    if kind is not None:
        return row._replace(type=row.type.replace("table", f"{kind}, by id or as a table"))
    row = row._replace(type=row.type.replace("array of table", "array of tables"))
    inner = set(tables_in(fields(table)[row.name].annotation)) & set(TABLES.values())
    return row._replace(default=row.default and BELOW) if inner and row.default not in (UNSET, "[]") else row


def _section(heading: str, table: type[BaseModel]) -> Iterator[str]:
    yield from (f"## {heading}", "", *HEAD)
    yield from (_row(row) for row in keys(table))


def _components(kind: Kind, offers: Sequence[Offer]) -> Iterator[str]:
    """All components of a kind, then the options of those that have any."""
    yield from (f"## {kind.capitalize()}s", "", "| id | what it is |", "|---|---|")
    yield from (f"| `{offer.component.id}` | {_cell(offer.component.summary)} |" for offer in offers)
    for offer in offers:
        rows = option_rows(offer.component.options)
        if rows:
            yield from ("", f"### {kind} {offer.component.id}", "", *HEAD)
            yield from (_row(row) for row in rows)


def _row(row: OptionRow) -> str:
    spoken = {UNSET: "", BELOW: BELOW}
    default = "required" if row.required else spoken.get(row.default, f"`{row.default}`")
    return f"| `{row.name}` | {_cell(row.type)} | {_cell(default)} | {_cell(row.meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
