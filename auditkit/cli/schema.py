"""``auditkit schema``: the JSON Schema of audit files, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from auditkit.cli.options import NO_PLUGIN
from auditkit.engine.discovery import discover
from auditkit.errors import AuditError
from auditkit.spec.reference import reference
from auditkit.spec.schema import Offer, audit_schema


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file.")
@click.option("--markdown", is_flag=True, help="Every table, key and option as a Markdown page, for reading.")
@NO_PLUGIN
def schema(output: Path | None, markdown: bool, disabled: tuple[str, ...]) -> int:
    """Print the JSON Schema (draft 7) of the audit file, with the options of every installed plugin.

    Editors with TOML support complete and check audit files that begin with the line `#:schema ./audit.schema.json`.
    """
    offers = [Offer(one.kind, one.component, one.distribution) for one in discover(disabled).registered]
    text = reference(offers) if markdown else json.dumps(audit_schema(offers), indent=1, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AuditError(f"cannot write the schema: {error.strerror}", where=str(output)) from error
    told = "written" if markdown else f"an audit file beside it begins with  #:schema ./{output.name}"
    click.echo(f"{output}: {told}")
    return 0
