"""Numbers to text, in one place: shares as percent, differences as signed points, intervals in brackets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from statistics import median

from auditkit.evidence.results import FEW, Finding, Interval, Results
from auditkit.spec.words import fixed as fixed
from auditkit.spec.words import plural as plural
from auditkit.spec.words import visible_digits

NARROW = 0.004
"""Where half of the intervals of changes are narrower than this, one decimal of a percent would hide the effects."""
UNKNOWN = "unknown"
"""What stands for a number that cannot be had."""
DIFFERENCES = ("signed_gap", "change", "change_in_gap", "change_in_signed_gap")


@dataclass(frozen=True, slots=True)
class Numbers:
    """How numbers are printed: `digits` decimals of a percent; `plain` metrics are no shares, some are `counts`."""

    digits: int = 1
    plain: frozenset[str] = field(default_factory=frozenset)
    counts: frozenset[str] = field(default_factory=frozenset)

    def number(self, metric: str, value: float, *, signed: bool = False) -> str:
        """A value of a metric, without its unit."""
        return fixed(*self._printed(metric, value), signed=signed)

    def _printed(self, metric: str, value: float) -> tuple[float, int]:
        """What is printed of a metric's value, and with how many decimals."""
        if metric in self.counts:
            return value, 0 if float(value).is_integer() else 1
        return (value, 3) if metric in self.plain else (100 * value, self.digits)

    def percent(self, share: float, *, signed: bool = False) -> str:
        """A share, or a difference of shares, times a hundred, without its unit."""
        return fixed(100 * share, self.digits, signed=signed)

    def unit(self, metric: str, quantity: str) -> str:
        """ "%" for shares, "points" for their differences, nothing for other numbers."""
        if metric in self.plain or quantity == "ratio":
            return ""
        return "%" if quantity == "value" else "points"

    def of(self, finding: Finding, value: float) -> str:
        """A number in the units of a finding, signed where it is a difference."""
        return self._in_units(finding, value, signed=finding.quantity in DIFFERENCES)

    def _in_units(self, finding: Finding, value: float, *, signed: bool, bound: bool = False) -> str:
        """Of a bound only what is 0 is printed as 0."""
        scaled, digits = (value, 3) if finding.quantity == "ratio" else self._printed(finding.metric, value)
        return fixed(scaled, visible_digits(scaled, digits) if bound else digits, signed=signed)

    def difference(self, finding: Finding, value: float, interval: Interval | None) -> str:
        """A finding less another of its kind: "+1.2 points [+0.4, +2.0]"; of ratios "-0.160 [-0.200, -0.120]"."""
        unit = self.unit(finding.metric, "ratio" if finding.quantity == "ratio" else "change")
        told = [self._in_units(finding, value, signed=True), unit]
        if interval is not None:
            told.append(self._interval(finding, interval, signed=True))
        return " ".join(filter(None, told))

    def interval(self, finding: Finding, interval: Interval) -> str:
        """ "[93.1, 94.8]"."""
        return self._interval(finding, interval, signed=finding.quantity in DIFFERENCES)

    def _interval(self, finding: Finding, interval: Interval, *, signed: bool) -> str:
        low, high = (self._in_units(finding, e, signed=signed, bound=True) for e in (interval.low, interval.high))
        return f"[{low}, {high}]"

    def estimate(self, finding: Finding) -> str:
        """The estimate alone, signed where it is a difference; the finding must have one."""
        if finding.estimate is None:
            raise ValueError(f"no estimate to print: {finding.reason}")
        return self.of(finding, finding.estimate)

    def with_interval(self, finding: Finding, interval: Interval | None) -> str:
        """ "94.0 [93.1, 94.8]", or the estimate alone."""
        text = self.estimate(finding)
        return text if interval is None else f"{text} {self.interval(finding, interval)}"

    def in_words(self, finding: Finding) -> str:
        """As `with_unit`, and whether it rests on few people."""
        return f"{self.with_unit(finding)}, {FEW}" if finding.rests_on_few else self.with_unit(finding)

    def with_unit(self, finding: Finding) -> str:
        """With its unit, on the interval that verdicts are decided on: "-1.9 points [-2.6, -1.2]"."""
        interval = finding.simultaneous or finding.interval
        unit = self.unit(finding.metric, finding.quantity)
        ends = "" if interval is None else self.interval(finding, interval)
        return " ".join(part for part in (self.estimate(finding), unit, ends) if part)

    def magnitude(self, finding: Finding) -> str:
        """As `in_words`, without the direction, for verbs that tell it: "2.1 points [1.3, 2.9]"."""
        interval = finding.simultaneous or finding.interval
        if (finding.estimate or 0) < 0 and interval is not None:
            interval = Interval(-interval.high, -interval.low)
        bare = replace(finding, quantity="gap", estimate=abs(finding.estimate or 0), simultaneous=interval)
        return self.in_words(bare)

    def scaled(self, metric: str, value: float) -> float:
        """For axes: a share in percent, another number as it is, with a few digits more than are printed."""
        return round(value, 5) if metric in self.plain else round(100 * value, self.digits + 2)

    def declared(self, finding: Finding, value: float) -> str:
        """A number of the audit file in the units of a finding; one finer than the decimals keeps its own."""
        if finding.quantity == "ratio" or finding.metric in self.plain:
            return f"{value:g}"
        sign = "+" if finding.quantity in DIFFERENCES and value else ""
        exact = f"{100 * value:{sign}.10g}"
        return exact if "." in exact else self.of(finding, value)

    def margin(self, margin: float, metric: str = "") -> str:
        """ "0.5 points"; a margin finer than the decimals keeps its own. Of a metric that is no share "0.005"."""
        if metric in self.plain:
            return f"{margin:.10g}"
        exact = f"{100 * margin:.10g}"
        return f"{exact if '.' in exact else fixed(100 * margin, self.digits)} points"


def of(results: Results) -> Numbers:
    """Choose the decimals once, for the whole report."""
    printed = results.facts.get("metrics", {})
    plain = frozenset(name for name, how in printed.items() if not how.get("percent", True))
    digits = _digits(f for f in results.findings if f.metric not in plain and f.probe is None)
    return Numbers(digits, plain, plain - {f.metric for f in results.findings if not _counts(f)})


def _digits(findings: Iterable[Finding]) -> int:
    """Arms with the very same predictions, whose intervals have no width, say nothing of how small effects are."""
    widths = [f.interval.high - f.interval.low for f in findings if f.quantity == "change" and f.interval]
    widths = [width for width in widths if width > 0]
    return 2 if widths and median(widths) < NARROW else 1


def _counts(finding: Finding) -> bool:
    """Whether a finding may be one of a count: whole in every seed, and not uncertain; ratios say nothing of it."""
    whole = all(value is None or value.is_integer() for value in finding.per_seed)
    return finding.quantity == "ratio" or (finding.interval is None and whole)


def count(number: float | None) -> str:
    """A count with thousands separators; means of counts keep one decimal where they need it."""
    if number is None:
        return UNKNOWN
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def duration(seconds: float) -> str:
    """ "0:42", "12:05" or "1:02:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def support(images: int, identities: int | None) -> str:
    """ "3 images of 2 people", or "3 images" where identities are unknown."""
    text = plural(images, "image")
    return text if identities is None else f"{text} of {plural(identities, 'person', 'people')}"
