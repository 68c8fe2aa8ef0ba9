"""``auditkit schema``: the JSON Schema of audit files, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from auditkit.engine.discovery import discover
from auditkit.errors import AuditError
from auditkit.spec.schema import Offer, audit_schema


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file.")
@click.option("-p", "--no-plugin", "disabled", multiple=True, metavar="NAME", help="Do not load a plugin; repeatable.")
def schema(output: Path | None, disabled: tuple[str, ...]) -> int:
    """Print the JSON Schema (draft 7) of the audit file, with the options of every installed plugin.

    Editors with TOML support complete and check audit files that begin with the line `#:schema ./audit.schema.json`.
    """
    offers = [Offer(one.kind, one.component, one.distribution) for one in discover(disabled).registered]
    text = json.dumps(audit_schema(offers), indent=1, ensure_ascii=False)
    if output is None:
        click.echo(text)
        return 0
    try:
        output.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise AuditError(f"cannot write the schema: {error.strerror}", where=str(output)) from error
    click.echo(f"{output}: an audit file beside it begins with  #:schema ./{output.name}")
    return 0
