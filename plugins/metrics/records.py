"""Records of the built-in metrics: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component

METRICS: tuple[Component, ...] = ()
