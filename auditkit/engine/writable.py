"""Whether a place can be written, found out before hours of training and without leaving anything there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from auditkit.errors import AuditError


def require_folder(folder: Path, what: str, hint: str) -> None:
    """Raise AuditError unless files can be written into the folder, which need not be there yet."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    trial = folder / f".writable.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise AuditError(f"cannot write {what}: {_reason(error)}", where=str(folder), hint=hint) from error
    finally:
        for made in missing:
            with contextlib.suppress(OSError):
                made.rmdir()


def require_file(file: Path, what: str, hint: str) -> None:
    """Raise AuditError unless the file can be written or made; one that is there stays as it is."""
    require_folder(file.parent, what, hint)
    if not file.exists():
        return
    try:
        file.open("a").close()
    except OSError as error:
        raise AuditError(f"cannot write {what}: {_reason(error)}", where=str(file), hint=hint) from error


def _reason(error: OSError) -> str | None:
    return "a file is in its place" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
