"""``auditkit init``: a commented audit file to begin with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from auditkit.cli.proposing import columns, read, tell_missing_images
from auditkit.errors import AuditError
from auditkit.spec.starter import starter, starter_for_table


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("audit.toml"))
@click.option("--from", "table", type=click.Path(path_type=Path), metavar="TABLE", help="A CSV or Parquet table.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(file: Path, table: Path | None, force: bool) -> int:
    """Write a commented audit file to FILE [audit.toml].

    With --from, for your own images: a table with a column of image paths and columns of attributes. Columns are
    proposed by what they hold; look at [data.dataset] in the file before you run it.
    """
    if file.is_dir():
        raise AuditError(
            "this is a folder", where=str(file), hint=f"name a file in it: auditkit init {file / 'audit.toml'}"
        )
    if file.exists() and not force:
        raise AuditError("the file exists", where=str(file), hint="--force overwrites it")
    text = starter() if table is None else _for_table(table, file)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AuditError(f"cannot write the file: {error.strerror}", where=str(file)) from error
    click.echo(f"{file}: written. Next: auditkit plan {file}")
    return 0


def _for_table(path: Path, file: Path) -> str:
    place = Path(os.path.relpath(path, file.parent)).as_posix()
    table = read(path)
    found = columns(table, path)
    tell_missing_images(table[found.image], path)
    return starter_for_table(found, place)
