"""Which images are one file, byte for byte, under several names."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from auditkit.cohort import OpenDataset, Rows
from auditkit.errors import AuditError

MOST = 50_000
"""So many images are read to be compared; each is read once, when findings are derived."""


def checksums(dataset: OpenDataset, rows: Rows) -> tuple[Rows | None, tuple[str, ...]]:
    """(images,) int64, equal where two of `rows` are identical files; or None, and why they were not compared.

    A data set may know them. Rendered images are no files, and nothing is said of them.
    """
    if dataset.checksums is not None or dataset.synthetic:
        return dataset.checksums, ()
    if len(rows) > MOST:
        return None, (f"files were not compared: {len(rows):,} images are in use, more than {MOST:,}",)
    try:
        contents = [blake2b(dataset.images.read(row), digest_size=16).digest() for row in rows.tolist()]
    except (AuditError, OSError):
        return None, ("files were not compared: some could not be read",)
    found = -1 - np.arange(len(dataset))
    found[rows] = np.unique(np.array(contents, dtype="S16"), return_inverse=True)[1]
    return found, ()
