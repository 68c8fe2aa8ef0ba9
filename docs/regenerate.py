"""Write the pages of this folder that are made from the program itself: ``python docs/regenerate.py``.

The test of the documentation compares them with what this makes, so that they cannot fall behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from auditkit.cli import group
from auditkit.engine.discovery import OWN, discover
from auditkit.spec.reference import reference
from auditkit.spec.schema import Offer

FOLDER = Path(__file__).parent
WIDTH = 100
MADE = "<!-- made by docs/regenerate.py -->"
COMMANDS = f"""\
{MADE}
# Commands

Every command, as `--help` shows it. [Exit codes](#auditkit) stand under `auditkit`; a code is never given a second
meaning. `KEY` of `--set` is a dotted key of the audit file, and `[NAME]` picks an arm or a task:
`--set 'arm[oversampled].sampler.times=3'`. A text needs TOML's quotes inside the shell's: `--set 'recipe.init="none"'`.

What goes before what: `--set`, then `--profile`, then the stand-in, then the file. `--set profile.NAME.KEY=VALUE`
changes the profile itself, before it is laid over the file; it is refused where that profile is not applied.

Reports lie in `reports/NAME/`. NAME is that of the audit file, and what was laid over it: `-stand-in`, `-small` for
`--profile small`, `-x0.25` for `--scale 0.25`, and `-set-` with six digits for the overrides of `--set`. The same
overrides, in any order, have the same digits. The same file on another copy of the data writes over its report, and so
does another file of that name; `--reports` puts theirs elsewhere.

"""
AUDIT_FILE = f"""\
{MADE}
# The audit file

Every table, key and option. The four files in [`audits/`](../audits) teach the format with comments;
`auditkit init` writes a small one of your own. `auditkit schema -o audit.schema.json` lets editors complete and check
it, and `auditkit schema --markdown` prints these tables with the options of the plugins that you have installed.

A key that is left out has its default; where no default is shown, it is then simply not there. An unknown key is a
mistake, and so is a value of another type: `lr = "0.1"` is a text, not a number. `auditkit validate` shows all mistakes
at once.

Words for types:

- *attribute*, *arm*: text that must name one.
- *condition*: a table of attributes and levels. `{{ Bald = 1, Male = [0, 1] }}` holds where every attribute has one of
  the levels named.
- *sampler, by id or as a table*: a component. `"oversample"` is its id; a table gives options, as in
  `{{ use = "oversample", where = {{ Bald = 1 }}, times = 2 }}`. `use = "DISTRIBUTION:ID"` tells two of one id apart.

The smallest audit:

```toml
[audit]
title = "Oversampling Bald, predicting gender"

[[task]]
target = "Male"

[[arm]]
name = "original"

[[arm]]
name = "oversampled"
sampler = {{ use = "oversample", where = {{ Bald = 1 }}, until = "balanced" }}
```

"""


def pages() -> dict[Path, str]:
    """The generated pages, by their files."""
    return {FOLDER / "audit-file.md": AUDIT_FILE + audit_file(), FOLDER / "commands.md": COMMANDS + commands()}


def audit_file() -> str:
    """The reference with the built-in components only, whatever else is installed."""
    own = [one for one in discover().registered if one.distribution == OWN]
    return reference(Offer(one.kind, one.component, one.distribution) for one in own)


def commands() -> str:
    """The help of every command, at a fixed width."""
    root = click.Context(group, info_name="auditkit", terminal_width=WIDTH, help_option_names=["-h", "--help"])
    return "\n".join(_page(group, root))


def _page(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _page(inner, click.Context(inner, parent=context, info_name=name, terminal_width=WIDTH))


def main() -> None:
    """Write every page."""
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8")
        click.echo(f"{file.relative_to(FOLDER.parent)}: written")


if __name__ == "__main__":
    main()
