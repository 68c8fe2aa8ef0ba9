"""Records of the built-in objectives: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component

OBJECTIVES: tuple[Component, ...] = ()
