"""Options that several commands share, and the settings they make."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from auditkit.engine.prepare import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A number in a range, neither infinite nor "not a number"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; fails for inf and nan, which no bound of a range refuses."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


AUDIT = click.argument("audit", type=click.Path(path_type=Path))
JUNIT = click.option(
    "--junit",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the gates as JUnit XML; insufficient evidence is 'skipped'.",
)
NO_PLUGIN = click.option(
    "-p", "--no-plugin", "disabled", multiple=True, metavar="NAME", help="Do not load a plugin; repeatable."
)
QUIET = click.option("--quiet", is_flag=True, help="Print only where the report is, and every gate that did not pass.")
REPORTS = click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), help="Where reports go.")
SETS = click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a key, typed as TOML; repeatable."
)
_SHARED = (
    click.option("--data", type=click.Path(path_type=Path), help="Folder or file of the data (or AUDITKIT_DATA)."),
    click.option("--require-data", is_flag=True, help="Refuse the stand-in when no data was configured."),
    click.option("--profile", metavar="NAME", help="Apply [profile.NAME] of the audit file."),
    SETS,
    click.option(
        "--scale", type=FiniteRange(min=0, min_open=True), default=1.0, help="Multiply every number of images."
    ),
    click.option(
        "--store", type=click.Path(path_type=Path), help="Where units are kept [.auditkit, or AUDITKIT_STORE]."
    ),
    REPORTS,
    NO_PLUGIN,
)
_DEVICES = ("auto", "cpu", "cuda", "mps")


def device_option(default: str) -> Callable[[Command], Command]:
    """Add --device; "auto" is a GPU where there is one, "cuda:1" the second of several."""
    words = f"[{'|'.join(_DEVICES)}]"
    return click.option("--device", callback=_device, metavar=words, default=default, show_default=True)


def _device(context: click.Context, option: click.Parameter, value: str) -> str:
    """The device as it was named; whether this machine has it is found out where it is used."""
    if value in _DEVICES or re.fullmatch(r"cuda:\d+", value):
        return value
    named = ", ".join(map(repr, _DEVICES))
    raise click.BadParameter(f"{value!r} is not one of {named}, nor one of several GPUs, as 'cuda:1' is.")


def settings_options(command: Command) -> Command:
    """Add the options that say what an audit runs on and where things lie."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def settings(audit: Path, values: dict[str, Any]) -> Settings:
    """Settings from a command's parameters; those that the command has no option for keep their defaults."""
    from auditkit.engine.prepare import Settings, store_place

    return Settings(path=audit, store=store_place(values.pop("store", None)), **values)
