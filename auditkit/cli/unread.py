"""Output that nobody reads any more, as after `| head`: what is under way is worth keeping, so commands go on.

Output that cannot be written, as on a full disk, ends a command: who sends it into a file wants to have it.
"""

from __future__ import annotations

import io
import os
import sys

from auditkit.errors import AuditError


class Output(io.TextIOWrapper):
    """stdout, which says so itself when it cannot be written. Raises AuditError, but BrokenPipeError when unread."""

    def write(self, text: str) -> int:
        """Write text; none, which click writes to try a stream, is no reason to fail."""
        try:
            return 0 if text == "" else super().write(text)
        except OSError as error:
            raise _unwritten(error) from error

    def flush(self) -> None:
        """Write what is kept back."""
        try:
            super().flush()
        except OSError as error:
            raise _unwritten(error) from error


def watch_output() -> None:
    """Let stdout be an `Output`; one that was closed before the start leads nowhere."""
    old: object = sys.stdout
    if old is None:
        sys.stdout = Output(io.FileIO(os.open(os.devnull, os.O_WRONLY), "w"))
    elif isinstance(old, io.TextIOWrapper):
        encoding, errors, lines, through = old.encoding, old.errors, old.line_buffering, old.write_through
        sys.stdout = Output(old.detach(), encoding, errors, line_buffering=lines, write_through=through)


def _unwritten(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error
    said = f"cannot write: {error.strerror}; make room, or send it elsewhere"
    return AuditError(said, where="standard output")


def write_to_nowhere() -> None:
    """Let whatever is still written to stdout go nowhere, what Python flushes at its end included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
