"""``auditkit plugins``: what is installed, and what each component's options mean."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import click

from auditkit.cli.options import NO_PLUGIN
from auditkit.cli.suggesting import Suggesting
from auditkit.engine.discovery import Broken, Registered, Shelf, discover, offers_of
from auditkit.errors import AuditError
from auditkit.spec.option_table import OptionRow, option_rows
from auditkit.spec.words import did_you_mean

_LEAST_ROOM = 20


@click.group(cls=Suggesting)
def plugins() -> None:
    """List the plugins, or show one with its options."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@NO_PLUGIN
def list_plugins(as_json: bool, disabled: tuple[str, ...]) -> int:
    """List every component with its distribution, and every plugin that did not load."""
    shelf = discover(disabled)
    if as_json:
        click.echo(json.dumps(_document(shelf), indent=1))
        return 0
    rows = [(one.kind, one.component.id, one.provider, one.component.summary) for one in shelf.registered]
    click.echo("\n".join(_columns(rows)))
    for broken in shelf.broken:
        click.echo(_told(broken))
    return 0


@plugins.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@NO_PLUGIN
def show(id: str, as_json: bool, disabled: tuple[str, ...]) -> int:  # noqa: A002 - the word of the field
    """Show a component: its options with types, defaults and meaning, and where it comes from."""
    shelf = discover(disabled)
    offers = offers_of(shelf, None, id)
    if not offers:
        known = [one.component.id for one in shelf.registered]
        hint = "; ".join(filter(None, [did_you_mean(id, known), *map(str, shelf.broken)]))
        raise AuditError(f"no plugin offers {id!r}", hint=hint or "auditkit plugins list shows all there is")
    if as_json:
        click.echo(json.dumps([_record(offer) for offer in offers], indent=1))
        return 0
    click.echo("\n\n".join(_page(offer) for offer in offers))
    return 0


def _told(broken: Broken) -> str:
    head = f"  ! {broken.name}  {broken.distribution} {broken.version} did not load: {broken.error}"
    return f"{head}\n    Audits that do not use it run as usual."


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows with every column but the last as wide as its widest cell; that one wraps where there is a terminal."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    found = []
    for row in rows:
        head = "  ".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), ""])
        room = shutil.get_terminal_size().columns - len(head) if sys.stdout.isatty() else 0
        first, *others = textwrap.wrap(row[-1], room) if room >= _LEAST_ROOM else [row[-1]]
        found += [head + first, *(" " * len(head) + other for other in others)]
    return found


def _page(offer: Registered) -> str:
    item = offer.component
    lines = [f"{offer.kind} {item.id}  ({offer.provider})", *textwrap.wrap(item.summary, 100), ""]
    rows = option_rows(item.options)
    lines += [line for row in rows for line in _option(row)] or ["  no options"]
    return "\n".join([*lines, "", f"  made by {item.factory}, revision {item.revision}"])


def _option(row: OptionRow) -> list[str]:
    head = f"  {row.name}: {row.type}" + (" (required)" if row.required else f" = {row.default}")
    return [head, *textwrap.wrap(row.meaning, 96, initial_indent="      ", subsequent_indent="      ")]


def _document(shelf: Shelf) -> dict[str, Any]:
    return {
        "components": [_record(one) for one in shelf.registered],
        "broken": [
            {"name": one.name, "distribution": one.distribution, "version": one.version, "error": one.error}
            for one in shelf.broken
        ],
    }


def _record(offer: Registered) -> dict[str, Any]:
    item = offer.component
    return {
        "kind": offer.kind,
        "id": item.id,
        "summary": item.summary,
        "distribution": offer.distribution,
        "version": offer.version,
        "factory": item.factory,
        "revision": item.revision,
        "options": [row._asdict() for row in option_rows(item.options)],
    }
