"""What is known before anything is predicted: which groups lack support, and which gates nothing can decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from auditkit.contracts import Metric, TableMetric
from auditkit.evidence.cells import ALL_CELLS, supporting_cells
from auditkit.evidence.grouping import Grouping, group, place_in_words, spans
from auditkit.evidence.layout import Layout, count, lay_out
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import NOT_MEASURED, Place
from auditkit.evidence.support import Cells, Integers, defines_groups, support, too_little
from auditkit.spec.contrasts import contrasted
from auditkit.spec.model import Evidence, Gate, Selector
from auditkit.spec.quantities import CHANGES, ONE_GROUP
from auditkit.spec.sentences import gate_sentence
from auditkit.streams import generator


@dataclass(frozen=True, slots=True)
class Lacking:
    """A group of a test set in which the support rule finds too little behind some metrics, or behind all that are
    asked there (`whole`): their findings will be not estimable.

    `tasks` and `arms` are those for which it is so; images, identities: distinct, of the arm with the fewest;
    identities are None where unknown. `reason` is what the support rule says.
    """

    over: tuple[str, ...]
    at: Place
    test: str
    tasks: tuple[str, ...]
    arms: tuple[str, ...]
    metrics: tuple[str, ...]
    whole: bool
    images: int
    identities: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Undecidable:
    """A gate that no prediction can decide, by its number in the file, from 1, and why."""

    gate: int
    name: str
    sentence: str
    reason: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """All of it.

    `one_seed` are the arms whose changes, to or from, none can be called one: they have one seed. `identical` are arms
    that are the very same networks; `idle_placebos` those by their role from which no change is measured.
    """

    lacking: tuple[Lacking, ...] = ()
    undecidable: tuple[Undecidable, ...] = ()
    one_seed: tuple[str, ...] = ()
    identical: tuple[tuple[str, ...], ...] = ()
    idle_placebos: tuple[str, ...] = ()


def foresee(
    panels: Sequence[Panel],
    evidence: Evidence,
    metrics: Mapping[str, Metric],
    gates: Sequence[Gate],
    seeds: Mapping[str, int],
) -> Foreseen:
    """Apply the support rule to panels whose margins are all 0, or NaN where an arm is not tested.

    What a metric divides by may depend on predictions; then it has at most the images that any prediction could put
    there, and only where those are too few is it told. seeds: how many each arm has, the reference first where
    `evidence` names none.
    """
    tests = [_Test(panel, evidence, metrics) for panel in panels]
    found = [one for test in tests for one in test.lacking()]
    judged = [(gate, _undecidable(gate, tests, metrics) or _unmeasured(gate, evidence, seeds)) for gate in gates]
    return Foreseen(
        lacking=tuple(_over_tasks(found)),
        undecidable=tuple(
            Undecidable(number, gate.name, gate_sentence(gate, evidence.reference), why)
            for number, (gate, why) in enumerate(judged, start=1)
            if why
        ),
        one_seed=tuple(_one_seed(evidence, seeds)),
    )


def _over_tasks(found: Sequence[Lacking]) -> Iterator[Lacking]:
    """What holds for several tasks alike, once."""
    alike: dict[Lacking, list[Lacking]] = {}
    for one in found:
        alike.setdefault(replace(one, tasks=(), metrics=()), []).append(one)
    for key, ones in alike.items():
        metrics = dict.fromkeys(name for one in ones for name in one.metrics)
        yield replace(key, tasks=tuple(one.tasks[0] for one in ones), metrics=tuple(metrics))


def _one_seed(evidence: Evidence, seeds: Mapping[str, int]) -> Iterator[str]:
    compared = {arm for pair in contrasted(list(seeds), evidence) for arm in pair}
    return (arm for arm, number in seeds.items() if number == 1 and arm in compared)


# ------------------------------------------------------------------------------------------------------------ support


@dataclass(frozen=True, slots=True, eq=False)
class _Support:
    """Behind one metric over one grouping: (arms, groups) images and people; reason: by arm and group, "" if enough."""

    images: Integers
    people: Integers
    reason: tuple[tuple[str, ...], ...]

    def short(self, g: int) -> list[int]:
        """The arms in which a group has too little, that with the fewest images first."""
        arms = [arm for arm, reasons in enumerate(self.reason) if reasons[g]]
        return sorted(arms, key=lambda arm: int(self.images[arm, g]))


class _Test:
    """One task on one test set."""

    def __init__(self, panel: Panel, evidence: Evidence, metrics: Mapping[str, Metric]) -> None:
        self.layout: Layout = lay_out(panel, generator(0, "blocks of people"))
        self.panel, self.evidence, self.metrics = self.layout.panel, evidence, metrics
        self._known: dict[tuple[tuple[str, ...], Cells, bool], _Support] = {}

    def support(self, over: tuple[str, ...], metric: Metric) -> _Support:
        """What is behind a metric, whatever will be predicted."""
        return self._support(over, metric, tuple(_whatever_predicted(cells) for cells in supporting_cells(metric)))

    def _support(self, over: tuple[str, ...], metric: Metric, cells: Cells) -> _Support:
        key = over, cells, isinstance(metric, TableMetric)
        if key not in self._known:
            grouping, known = group(self.panel, over), self.panel.identities_known
            images, people = support(self.layout, grouping, metric, count(self.layout, grouping), cells)
            reason = tuple(
                tuple(too_little(i, p, known, self.evidence) for i, p in zip(*both, strict=True))
                for both in zip(images.tolist(), people.tolist(), strict=True)
            )
            self._known[key] = _Support(images, people, reason)
        return self._known[key]

    def lacking(self) -> Iterator[Lacking]:
        """Every group of the declared groupings, and everybody, in which something has too little support."""
        for over in dict.fromkeys([(), *self.evidence.groups]):
            grouping = group(self.panel, over)
            asked = {name: metric for name, metric in self.metrics.items() if self._asked(over, metric)}
            if asked and len(grouping):
                whole = self._support(over, next(iter(asked.values())), (ALL_CELLS,))
                each = {name: self.support(over, metric) for name, metric in asked.items()}
                for g, at in enumerate(grouping.places):
                    yield from self._group(over, at, g, whole, each)

    def _asked(self, over: tuple[str, ...], metric: Metric) -> bool:
        """Whether support decides over a metric: not over facts of the test set, nor over what has no meaning there."""
        undefined = defines_groups(self.panel.target, over, metric) or (isinstance(metric, TableMetric) and not over)
        return not undefined and not metric.describes_test

    def _group(
        self, over: tuple[str, ...], at: Place, g: int, whole: _Support, each: Mapping[str, _Support]
    ) -> Iterator[Lacking]:
        """The group itself where it is too small; else what lies behind its metrics, metrics of equal support once."""
        short = {name: one for name, one in each.items() if one.short(g)}
        if not short:
            return
        if whole.short(g):
            yield self._told(over, at, g, whole, tuple(short), whole=len(short) == len(each))
            return
        alike: dict[tuple[str, ...], list[str]] = {}
        for name, one in short.items():
            alike.setdefault(tuple(reasons[g] for reasons in one.reason), []).append(name)
        for names in alike.values():
            yield self._told(over, at, g, short[names[0]], tuple(names), whole=False)

    def _told(
        self, over: tuple[str, ...], at: Place, g: int, behind: _Support, metrics: tuple[str, ...], *, whole: bool
    ) -> Lacking:
        arms = behind.short(g)
        names = tuple(self.layout.arms[arm] for arm in sorted(arms))
        return Lacking(
            over=over,
            at=at,
            test=self.panel.test,
            tasks=(self.panel.task,),
            arms=names,
            metrics=metrics,
            whole=whole,
            images=int(behind.images[arms[0], g]),
            identities=int(behind.people[arms[0], g]) if self.panel.identities_known else None,
            reason=behind.reason[arms[0]][g],
        )


def _whatever_predicted(cells: tuple[int, ...]) -> tuple[int, ...]:
    """The cells that images of some cells could be in, were they predicted otherwise."""
    return tuple(sorted({other for cell in cells for other in (cell, cell ^ 1)}))


# -------------------------------------------------------------------------------------------------------------- gates


def _undecidable(gate: Gate, tests: Sequence[_Test], metrics: Mapping[str, Metric]) -> str:
    """Why a gate can never be decided, "" where predictions may; what no data could decide is refused before."""
    finding = gate.finding
    test = next((one for one in tests if (one.panel.task, one.panel.test) == (finding.task, finding.test)), None)
    return "" if test is None else _short_of_support(finding, test, metrics[finding.metric])


def _unmeasured(gate: Gate, evidence: Evidence, seeds: Mapping[str, int]) -> str:
    """Why the change that a gate asks about cannot be told apart from training, "" where it can or none is asked."""
    finding = gate.finding
    if finding.quantity not in CHANGES:
        return ""
    pair = finding.arm, finding.against or evidence.reference or next(iter(seeds))
    return NOT_MEASURED if any(seeds.get(arm) == 1 for arm in pair) else ""


def _short_of_support(finding: Selector, test: _Test, metric: Metric) -> str:
    """Of the groups that a finding needs, the first in which an arm that it needs has too little."""
    grouping = group(test.panel, finding.over)
    needed = _groups(finding, grouping)
    if not needed:
        return "the data has no such groups, or one level only"
    known = test.support(grouping.over, metric)
    arms = {finding.arm, finding.against or test.evidence.reference} if finding.quantity in CHANGES else {finding.arm}
    for g in needed:
        for arm, name in enumerate(test.layout.arms):
            if name in arms and known.reason[arm][g]:
                behind = "" if _everything(metric) else f" behind {finding.metric}"
                return f"{place_in_words(grouping.places[g]) or 'everyone'} has {known.reason[arm][g]}{behind}"
    return ""


def _everything(metric: Metric) -> bool:
    """Whether a metric counts every image of a group."""
    return supporting_cells(metric) == (ALL_CELLS,)


def _groups(finding: Selector, grouping: Grouping) -> tuple[int, ...]:
    """The positions of the groups that a finding is made of; () where there are none."""
    at = {} if finding.at is None else {name: levels[0] for name, levels in finding.at.levels.items()}
    if finding.quantity in ONE_GROUP:
        return tuple(g for g, place in enumerate(grouping.places) if dict(place) == at)
    return next((span.groups for span in spans(grouping) if dict(span.at) == at), ())
