"""Two audits or reports: whether they can be compared, how their files differ, and how their findings do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from auditkit.engine.differences import FileDifference, file_differences, other_draws
from auditkit.engine.panels import make_panels
from auditkit.engine.prepare import Prepared
from auditkit.errors import AuditError
from auditkit.evidence.compare import Difference, Terms, by_key, key, unpaired
from auditkit.evidence.paired import paired
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import GateRow, Outcome, Results
from auditkit.spec.model import Evidence, Use
from auditkit.spec.paths import label
from auditkit.spec.words import listed

NOT_PAIRED = (
    "both were tested on the same data, but pairing is not available from findings alone, so intervals are as wide as "
    "between different people; compare the audit files, whose store holds the predictions, or judge both in one table"
)
GAPS_NOT_PAIRED = (
    "changes of gaps are compared as between different people where both their arms differ, so their intervals are too "
    "wide if anything; all else is paired"
)
OTHER_IMAGES = "test sets of the two are not the same images, so what was tested on them is compared unpaired"


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two. `prepared` is there where an audit file was given, and with it the store's predictions.

    `written` is when a report was; an audit file's findings are derived now.
    """

    name: str
    results: Results
    prepared: Prepared | None = field(default=None, repr=False)
    written: datetime | None = None

    @property
    def title(self) -> str:
        """The audit's title; "" for findings that were kept without one."""
        return self.results.facts.get("title", "")

    @property
    def label(self) -> str:
        """What a person knows it by: "reports/a · Oversampling Bald · stand-in · written 2026-01-31 12:00"."""
        facts = self.results.facts
        profile, scale = facts.get("profile"), facts.get("scale", 1.0)
        ways = ["stand-in"] if facts.get("stand_in") else []
        ways += [f"profile {profile}"] if profile else []
        ways += [f"scale {scale:g}"] if scale != 1.0 else []
        ways += [f"--set {text}" for text in facts.get("overrides", ())]
        when = "" if self.written is None else f"written {self.written:%Y-%m-%d %H:%M}"
        return " · ".join(filter(None, (self.name, self.title, ", ".join(ways), when)))

    @property
    def audit(self) -> Mapping[str, Any]:
        """The resolved audit as JSON values; empty for findings that were kept without it."""
        if self.prepared is not None:
            return self.prepared.read.resolved.audit.model_dump(
                mode="json", by_alias=True, exclude={"profile", "stand_in"}
            )
        return self.results.facts.get("audit", {})

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the data."""
        return self.results.facts.get("dataset", {}).get("fingerprint", "")


@dataclass(frozen=True, slots=True)
class GatePair:
    """A gate by its title, and how it came out; None where a side lacks it."""

    title: str
    first: Outcome | None
    second: Outcome | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, and what a reader must know about it. `unmatched` counts findings that only one side has."""

    warnings: tuple[str, ...]
    files: tuple[FileDifference, ...]
    gates: tuple[GatePair, ...]
    findings: tuple[Difference, ...]
    unmatched: tuple[int, int]
    margin: float


def compare(first: Side, second: Side) -> Comparison:
    """Compare two sides.

    Raises:
        AuditError: their protocols, tasks, confidence or metrics make every difference meaningless.
    """
    _same("protocols", first, second, *(side.results.facts.get("protocol", "unknown") for side in (first, second)))
    _same_tasks(first, second)
    metrics = _metrics(first, second)
    evidence = _evidence(first), _evidence(second)
    levels = [str(side.get("confidence", 0.95)) for side in evidence]
    _same("confidence levels", first, second, *levels)
    terms = Terms(float(levels[0]), float(evidence[0].get("margin", 0.005)), metrics)
    found = _findings(first, second, terms)
    if not found:
        raise _refused(first, second, f"they have no finding in common{_other_arms(first, second)}")
    keys = {key(one.first) for one in found}
    unmatched = tuple(len(by_key(side.results, terms).keys() - keys) for side in (first, second))
    files = tuple(file_differences(first.audit, second.audit))
    return Comparison(
        warnings=(*_warnings(first, second, found), *other_draws(files)),
        files=files,
        gates=tuple(_gates(first.results.gates, second.results.gates)),
        findings=found,
        unmatched=(unmatched[0], unmatched[1]),
        margin=terms.margin,
    )


# ------------------------------------------------------------------------------------------------------------ refusing


def _refused(first: Side, second: Side, why: str) -> AuditError:
    return AuditError(f"{first.name} and {second.name} cannot be compared: {why}")


def _same(what: str, first: Side, second: Side, mine: str, theirs: str) -> None:
    if mine != theirs:
        raise _refused(first, second, f"their {what} differ, {mine!r} and {theirs!r}")


def _other_arms(first: Side, second: Side) -> str:
    """What arms each has, where none is in both; "" else."""
    mine, theirs = (sorted({f.arm for f in side.results.findings}) for side in (first, second))
    if set(mine) & set(theirs):
        return ""
    has = f"the arms of the first are {listed(mine, 'and')}, of the second {listed(theirs, 'and')}"
    return f"; {has}, and what is compared has the same name in both"


def _same_tasks(first: Side, second: Side) -> None:
    tasks = [dict.fromkeys(f.task for f in side.results.findings) for side in (first, second)]
    common = [task for task in tasks[0] if task in tasks[1]]
    if not common:
        mine, theirs = (listed(names, "and") or "nothing" for names in tasks)
        raise _refused(first, second, f"they have no task in common, the first predicts {mine}, the second {theirs}")
    meanings = [{label(task): task for task in side.audit.get("task", ())} for side in (first, second)]
    for task in common:
        if task in meanings[0] and task in meanings[1]:
            mine, theirs = (f"{m[task]['target']} = {m[task]['positive']}" for m in meanings)
            _same(f"meanings of task {task!r}", first, second, mine, theirs)


def _metrics(first: Side, second: Side) -> frozenset[str]:
    """Ids of the metrics that both have, with the same options."""
    sides = [{f.metric for f in side.results.findings} for side in (first, second)]
    uses = [
        {use.id: use for use in map(Use.model_validate, _evidence(side).get("metrics", ()))} for side in (first, second)
    ]
    common = {m for m in sides[0] & sides[1] if _alike(*(known.get(m, Use(use=m)) for known in uses))}
    if not common:
        mine, theirs = (listed(sorted(names), "and") for names in sides)
        raise _refused(first, second, f"they have no metric in common, the first has {mine}, the second {theirs}")
    return frozenset(common)


def _alike(first: Use, second: Use) -> bool:
    """Whether two uses of one id may be of one component, which an id alone leaves open, with the same options."""
    distributions = {first.use, second.use} - {first.id}
    return len(distributions) < 2 and first.options == second.options


def _evidence(side: Side) -> Mapping[str, Any]:
    found: Mapping[str, Any] = side.audit.get("evidence", {})
    return found


# ------------------------------------------------------------------------------------------------------------ findings


def _findings(first: Side, second: Side, terms: Terms) -> tuple[Difference, ...]:
    """Paired where the stores hold both predictions on the same images; from findings alone else."""
    alone = unpaired(first.results, second.results, terms)
    together = {key(one.first): one for one in _paired(first, second, terms)}
    return tuple(together.get(key(one.first), one) for one in alone)


def _paired(first: Side, second: Side, terms: Terms) -> Iterable[Difference]:
    mine, theirs = first.prepared, second.prepared
    if mine is None or theirs is None or first.fingerprint != second.fingerprint:
        return ()
    evidence = _common(mine, theirs, terms)
    metrics = {name: metric for name, metric in mine.metrics().items() if name in terms.metrics}
    known = by_key(first.results, terms), by_key(second.results, terms)
    seed = mine.read.resolved.audit.data.seed
    return paired(_panels(mine), _panels(theirs), evidence, metrics, known, seed=seed)


def _common(first: Prepared, second: Prepared, terms: Terms) -> Evidence:
    """The first's evidence section, with the groups and metrics of both."""
    mine, theirs = (side.read.resolved.audit.evidence for side in (first, second))
    groups = tuple(over for over in mine.groups if set(over) in [set(other) for other in theirs.groups])
    metrics = tuple(use for use in mine.metrics if use.id in terms.metrics)
    changed = {"groups": groups, "metrics": metrics, "spillover": False, "reference": "", "placebo": None}
    return mine.model_copy(update=changed)


def _panels(prepared: Prepared) -> tuple[Panel, ...]:
    store = prepared.store
    done = {u.digest: store.predictions(u.digest) for u in prepared.plan.units if store.has(u.digest)}
    return make_panels(prepared.plan, done, prepared.dataset)


def _warnings(first: Side, second: Side, found: Sequence[Difference]) -> Iterator[str]:
    if first.fingerprint != second.fingerprint:
        yield "they were tested on different data, so a difference may be one of the data and not of the audits"
    else:
        yield from _not_paired(
            [one for one in found if one.how == "unpaired"], bool(first.prepared and second.prepared)
        )
    margins = [_evidence(side).get("margin") for side in (first, second)]
    if None not in margins and margins[0] != margins[1]:
        yield f"their margins differ, {margins[0]:g} and {margins[1]:g}; verdicts take that of {first.name}"
    for side in (first, second):
        if not side.audit:
            yield f"{side.name} was written without its audit, so its file cannot be compared; report it again"


def _not_paired(unpaired: Sequence[Difference], from_stores: bool) -> Iterator[str]:
    """Why findings on the same data are compared as between different people."""
    with_interval = [one for one in unpaired if one.interval is not None]
    if not from_stores:
        yield from (NOT_PAIRED,) if with_interval else ()
        return
    if any(one.first.quantity != "change_in_gap" for one in with_interval):
        yield OTHER_IMAGES
    elif with_interval:
        yield GAPS_NOT_PAIRED


# --------------------------------------------------------------------------------------------------------------- gates


def _gates(first: Sequence[GateRow], second: Sequence[GateRow]) -> Iterator[GatePair]:
    mine, theirs = ({gate.title: gate.outcome for gate in gates} for gates in (first, second))
    for title in dict.fromkeys([*mine, *theirs]):
        yield GatePair(title, mine.get(title), theirs.get(title))
