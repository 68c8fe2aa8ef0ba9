"""The console that commands print on."""

from __future__ import annotations

from rich import console
from rich.status import Status

from auditkit.cli.unread import write_to_nowhere


class Console(console.Console):
    """rich's, which would end the thread that prints to nobody, and with the code of a failed gate."""

    def on_broken_pipe(self) -> None:
        """Go on, silently."""
        self.quiet = True
        write_to_nowhere()


def working(text: str = "Working out what the predictions show") -> Status:
    """While it is entered, the text and a moving sign on stderr's terminal; nothing where that is none."""
    return Console(stderr=True, highlight=False).status(text)
