"""The command line: the only printer. A mistake that no command tells by itself is told here, with its exit code.

Commands live one per file and are imported when asked for, so that ``--help`` is quick.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from auditkit.cli.codes import Code
from auditkit.cli.suggesting import Suggesting
from auditkit.cli.unread import watch_output, write_to_nowhere
from auditkit.errors import AuditError, Interrupted, RunFailed

COMMANDS = {
    "run": "Run an audit: train what is not done yet, then report.",
    "plan": "Show every unit of an audit: done, to run, or stale and because of what.",
    "report": "Render the report again from what is stored.",
    "show": "Show what every arm says of single images, by file name.",
    "scan": "List every attribute: how rare its minority is, whom it is made of, and the error inside it.",
    "judge": "Judge predictions made elsewhere: a CSV or Parquet table, no audit file, no training.",
    "compare": "Compare two audits or reports: what differs in their files, and in their findings.",
    "validate": "Check audit files: every mistake at once, each with its place.",
    "init": "Write a commented audit file.",
    "data": "Check, make or download image data.",
    "bench": "Measure what this machine can do, and how near to it auditkit trains.",
    "plugins": "List the plugins, or show one with its options.",
    "schema": "Print the JSON Schema of the audit file, plugin options included.",
}


class Commands(Suggesting):
    """A group whose commands are imported when they are called; the help needs none of them."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Names in the order of a user's day."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of that name, from auditkit.cli.NAME."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"auditkit.cli.{name}"), name)
        return command

    def invoke(self, context: click.Context) -> Any:
        """Run the command; one that prints without a console is done when nobody reads it any more."""
        try:
            return super().invoke(context)
        except BrokenPipeError:
            write_to_nowhere()
            return Code.DONE

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="auditkit", prog_name="auditkit")
def group() -> None:
    """What does oversampling one attribute of image data do to predicting another, and to the gaps between groups?

    \b
    auditkit run audits/bald.toml               on rendered faces without CelebA
    auditkit run audits/bald.toml --data PATH   the same on your copy

    Exit codes: 0 done · 1 a gate failed · 2 bad input · 3 a unit or plugin or auditkit itself failed · 4 insufficient
    evidence for a gate · 130 interrupted (the same command continues).
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    _open_standard_streams()
    watch_output()
    code = exit_code(arguments)
    with contextlib.suppress(OSError, AuditError):  # has been told, or is nobody's concern
        sys.stdout.flush()
    write_to_nowhere()
    gc.freeze()  # at the end Python would go through every object of every library, which takes up to a second
    sys.exit(code)


def _open_standard_streams() -> None:
    """Let a daemon's closed streams lead nowhere: else a worker's pipe takes their numbers, and nobody sees its end."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def exit_code(arguments: list[str] | None = None) -> int:
    """Run the command line; print what went wrong in one piece and return the exit code."""
    try:
        code = group.main(arguments, prog_name="auditkit", standalone_mode=False)
        return code if isinstance(code, int) else Code.DONE
    except click.ClickException as error:
        error.show()
        return Code.BAD_INPUT
    except AuditError as error:
        click.echo(str(error), err=True)
        return _code(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return Code.INTERRUPTED
    except SystemExit:  # click's, with the code of a failed gate, where nobody reads the help any more
        write_to_nowhere()
        return Code.DONE
    except Exception:  # Python would end with 1, which means that a gate failed
        click.echo(f"{traceback.format_exc()}a mistake in auditkit or a plugin, not in what it was given", err=True)
        return Code.RUN_FAILED


def _code(error: AuditError) -> Code:
    if isinstance(error, Interrupted):
        return Code.INTERRUPTED
    return Code.RUN_FAILED if isinstance(error, RunFailed) else Code.BAD_INPUT
