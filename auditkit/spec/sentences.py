"""Selectors, gates and published figures in words."""

from __future__ import annotations

from collections.abc import Mapping

from auditkit.contracts import Condition
from auditkit.spec.model import Gate, Published, Selector
from auditkit.spec.quantities import CHANGES, ONE_GROUP, Quantity

_WORDS: Mapping[Quantity, str] = {
    "value": "{metric}",
    "gap": "{metric} gap",
    "signed_gap": "signed {metric} gap",
    "ratio": "{metric} ratio",
    "change": "change in {metric}",
    "change_in_gap": "change in the {metric} gap",
    "change_in_signed_gap": "change in the signed {metric} gap",
}


def selector_sentence(finding: Selector, reference: str = "") -> str:
    """What a selector names: "change in the accuracy gap over Male, arm oversampled against original, task Male"."""
    what = _WORDS[finding.quantity].format(metric=finding.metric.replace("_", " "))
    arm = f"arm {finding.arm}"
    if finding.quantity in CHANGES:
        arm += f" against {finding.against or reference or 'the reference'}"
    parts = [f"{what}{_groups(finding)}", arm, f"task {finding.task}"]
    return ", ".join([*parts, "resampled test"] if finding.test == "resampled" else parts)


def gate_sentence(gate: Gate, reference: str = "") -> str:
    """What a gate demands, without its name."""
    bounds = [("at least", gate.at_least), ("at most", gate.at_most)]
    demand = " and ".join(f"{words} {bound:g}" for words, bound in bounds if bound is not None)
    return f"{selector_sentence(gate.finding, reference)}, {demand}"


def published_sentence(published: Published, reference: str = "") -> str:
    """What a published figure is, where it was printed, and its value."""
    return f"{published.where}: {published_what(published, reference)} = {published.value:g}"


def published_what(published: Published, reference: str = "") -> str:
    """What a published figure is: its label, or the finding of ours that answers to it."""
    if published.label or published.finding is None:
        return published.label
    return selector_sentence(published.finding, reference)


def _groups(finding: Selector) -> str:
    held = _held(finding.at)
    if finding.quantity in ONE_GROUP:
        return f" at {held}" if held else ""
    free = [name for name in finding.over if finding.at is None or name not in finding.at.levels]
    return f" over {' and '.join(free)}{f' within {held}' if held else ''}"


def _held(at: Condition | None) -> str:
    return str(at) if at is not None and at.levels else ""
