"""Findings to entries of tables: the estimate, its interval, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from auditkit.evidence.results import FEW, FEW_MEANS, Finding
from auditkit.report import numbers
from auditkit.report.blocks import Cell, Tone
from auditkit.report.view import View

TONES: dict[str, Tone] = {"changed": "strong", "no change larger than the margin": "good", "cannot tell": "quiet"}


@dataclass(slots=True)
class Footnotes:
    """Letters for the reasons that a table's entries refer to; equal reasons share a letter."""

    reasons: dict[str, str] = field(default_factory=dict)

    def mark(self, reason: str) -> str:
        """ " (a)" for a reason, nothing for none."""
        if not reason:
            return ""
        letter = self.reasons.setdefault(reason, _letter(len(self.reasons)))
        return f" ({letter})"

    @property
    def notes(self) -> tuple[str, ...]:
        """ "(a) ...", in order."""
        return tuple(f"({letter}) {reason}" for reason, letter in self.reasons.items())


def _letter(number: int) -> str:
    return (_letter(number // 26 - 1) if number >= 26 else "") + "abcdefghijklmnopqrstuvwxyz"[number % 26]


def estimate(view: View, finding: Finding | None, footnotes: Footnotes) -> Cell:
    """A finding's estimate and plain interval; where one is missing, a letter leads to the reason."""
    if finding is None:
        return Cell("", tone="quiet")
    if finding.estimate is None or finding.status != "estimable":
        return Cell(absent(finding) + footnotes.mark(_why(view, finding)), _detail(view, finding), "quiet")
    if finding.interval is not None:
        text = view.numbers.with_interval(finding, finding.interval)
        return Cell(text + footnotes.mark(_few(finding)), _detail(view, finding))
    return Cell(_spread(view, finding) + footnotes.mark(_no_interval(finding)), _detail(view, finding))


def with_unit(view: View, finding: Finding | None, footnotes: Footnotes) -> Cell:
    """As `estimate`, with the unit behind the number, for tables that mix units."""
    cell = estimate(view, finding, footnotes)
    if finding is None or finding.estimate is None or finding.status != "estimable":
        return cell
    number, space, rest = cell.text.partition(" ")
    unit = view.numbers.unit(finding.metric, finding.quantity)
    return replace(cell, text=f"{number} {unit}{space}{rest}".strip() if unit else cell.text)


def decisive(view: View, finding: Finding | None, footnotes: Footnotes) -> Cell:
    """As `with_unit`, with the interval that verdicts are decided on."""
    if finding is None or finding.simultaneous is None:
        return with_unit(view, finding, footnotes)
    return with_unit(view, replace(finding, interval=finding.simultaneous), footnotes)


def absent(finding: Finding) -> str:
    """What is said where a number would stand: undefined by definition, or too little data."""
    return "undefined" if finding.status == "undefined by definition" else "not estimable"


def _why(view: View, finding: Finding) -> str:
    reason = view.names.in_words(finding.reason)
    of_group = finding.quantity in {"value", "change"} and finding.at and finding.status == "not estimable"
    return f"{view.names.group(finding.at)}: {reason}" if of_group and reason else reason


def _no_interval(finding: Finding) -> str:
    reason = finding.reason or ("none is computed of a ratio" if finding.quantity == "ratio" else "not computed")
    reason = reason if reason.startswith("no interval") else f"no interval: {reason}"
    return f"{reason}; ± is the standard deviation over seeds" if _has_spread(finding) else reason


def _few(finding: Finding) -> str:
    return f"{FEW}: {FEW_MEANS}" if finding.rests_on_few else ""


def _has_spread(finding: Finding) -> bool:
    """Of a ratio none is shown: that of the groups' means is not the mean of each seed's own."""
    return finding.seed_sd is not None and len(finding.per_seed) > 1 and finding.quantity != "ratio"


def _spread(view: View, finding: Finding) -> str:
    text = view.numbers.estimate(finding)
    if finding.seed_sd is None or not _has_spread(finding):
        return text
    return f"{text} ± {view.numbers.of(finding, finding.seed_sd).lstrip('+')}"


def _detail(view: View, finding: Finding) -> str:
    """The support of a number in one line: counts, images and people, seeds."""
    parts = [numbers.support(finding.images, finding.identities)] if finding.images else []
    parts = [counts(finding), *parts] if finding.denominator else parts
    if len(finding.per_seed) > 1:
        parts.append("seeds " + ", ".join(seed_values(view, finding)))
    return " · ".join(parts)


def counts(finding: Finding) -> str:
    """Numerator and denominator: "940 of 1,000"."""
    if not finding.denominator:
        return ""
    below = numbers.count(finding.denominator)
    return below if finding.numerator is None else f"{numbers.count(finding.numerator)} of {below}"


def seed_values(view: View, finding: Finding) -> Iterator[str]:
    """The value of every seed."""
    for value in finding.per_seed:
        yield "none" if value is None else view.numbers.of(finding, value)


def at_once(view: View, finding: Finding, footnotes: Footnotes) -> Cell:
    """A change's estimate with its simultaneous interval, on which verdicts are decided."""
    return estimate(view, replace(finding, interval=finding.simultaneous), footnotes)


def plain(view: View, finding: Finding) -> Cell:
    """The interval that a finding has by itself, empty where there is none."""
    known = finding.interval
    return Cell(view.numbers.interval(finding, known) if known else "", tone="quiet")


def noise(view: View, finding: Finding) -> Cell:
    """By how much seeds alone move the number."""
    return Cell("" if finding.noise is None else f"±{view.numbers.of(finding, finding.noise).lstrip('+')}")


def noise_and_spread(view: View, finding: Finding) -> Cell:
    """The same, and the standard deviation of the finding's own seeds, which is not pooled over arms."""
    moved = noise(view, finding)
    if not moved.text or finding.seed_sd is None or not _has_spread(finding):
        return moved
    return Cell(f"{moved.text} ({view.numbers.of(finding, finding.seed_sd).lstrip('+')})")


def verdict(view: View, finding: Finding) -> Cell:
    """The verdict in words."""
    words = finding.verdict.replace("the margin", view.numbers.margin(view.margin, finding.metric))
    return Cell(words, tone=TONES.get(finding.verdict, ""))


def because(finding: Finding) -> Cell:
    """What would be needed where the verdict is that it cannot be told, or what told it."""
    return Cell(finding.because, tone="quiet")
