"""What findings of probes are called: their family, and the task that each stands under."""

from __future__ import annotations

from auditkit.evidence.results import Finding

FAMILY = "other targets"


def label(name: str, task: str) -> str:
    """What findings call the probe of an attribute on the networks of a task."""
    return f"{name} (probe of {task})"


def is_probe(finding: Finding) -> bool:
    """Whether a finding is about a probe."""
    return finding.family.startswith(FAMILY)


def task_of(finding: Finding) -> str:
    """The task whose networks were probed."""
    return finding.family.removeprefix(f"{FAMILY} of ")


def name_of(finding: Finding) -> str:
    """The attribute that a finding of a probe is about; inverse of `label`."""
    return finding.task.removesuffix(f" (probe of {task_of(finding)})")
