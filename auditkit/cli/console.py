"""The console that commands print on."""

from __future__ import annotations

from contextlib import suppress

from rich import console


class Console(console.Console):
    """rich's, which goes on where nobody reads any more, as after `| head`: what is under way is worth keeping."""

    def on_broken_pipe(self) -> None:
        """Write to nowhere from here on. rich would also end the thread that prints, with the code of a failed gate."""
        with suppress(SystemExit):
            super().on_broken_pipe()
