"""Small audits as the registry reads them, and components as it chooses them."""

from __future__ import annotations

from auditkit.engine.registry import Registry
from auditkit.engine.resolution import Chosen, ResolvedAudit
from auditkit.spec.model import Audit, Use
from auditkit.spec.repair import frozen


def audit_of(**parts: object) -> Audit:
    base = {"audit": {"title": "x"}, "data": {"dataset": "faces"}, "task": [{"target": "Male"}], "arm": [{"name": "a"}]}
    return Audit.model_validate(frozen({**base, **parts}))


def resolved(audit: Audit, scale: float = 1.0) -> ResolvedAudit:
    found = Registry.load().inspect(audit, scale)
    assert found.problems == ()
    assert found.resolved is not None
    return found.resolved


def chosen(kind: str, **use: object) -> Chosen:
    found, problems = Registry.load().choose(kind, Use.model_validate(use), ("arm", 0, kind))  # type: ignore[arg-type]
    assert problems == []
    assert found is not None
    return found
