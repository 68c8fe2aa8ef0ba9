"""Records of the built-in datasets: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component

DATASETS: tuple[Component, ...] = ()
