"""Records of the built-in models: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component

MODELS: tuple[Component, ...] = ()
