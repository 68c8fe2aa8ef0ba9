"""Records of the built-in samplers: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component

SAMPLERS: tuple[Component, ...] = ()
