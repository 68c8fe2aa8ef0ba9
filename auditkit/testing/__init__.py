"""For authors of plugins: checks that every sampler and metric must pass, and a language to try audits in tests.

    from auditkit.testing import audit_project, check_sampler

    def test_every_other():
        draw = check_sampler(EveryOther, where={"Bald": 1}, k=2)
        assert len(draw) == 350

    def test_in_an_audit():
        outcome = audit_project({"a.toml": AUDIT}).run("validate", "a.toml")
        assert "valid" in outcome.assert_success().out

Each check raises AssertionError with a sentence that says which rule of `auditkit.contracts` was broken, and how.
"""

from __future__ import annotations

from auditkit.testing.metrics import check_metric
from auditkit.testing.projects import AuditProject, Outcome, audit_project
from auditkit.testing.samplers import check_sampler, toy_cohort

__all__ = ["AuditProject", "Outcome", "audit_project", "check_metric", "check_sampler", "toy_cohort"]
