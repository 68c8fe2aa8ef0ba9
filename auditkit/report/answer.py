"""The answer in sentences: how every treated arm changed the groups and the gap, and what its intervals hold for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditkit.evidence.results import NOT_MEASURED, Finding
from auditkit.report import cells, others
from auditkit.report.contrasts import Contrast, against_in_words, treated
from auditkit.report.numbers import count, plural
from auditkit.report.outcomes import outcome
from auditkit.report.view import View, distinct

SAID = 4
"""Up to so many changes are told one by one; more are counted. Of more gaps than that the largest change is told."""
REVERSED = "and by these estimates who is ahead is reversed"
"""What is said where the gap changed, and another group leads after than before."""


def answer(view: View, found: Sequence[Contrast]) -> tuple[str, ...]:
    """Sentences on the changes and on the gap, per task, and one on the intervals of all."""
    several = len({contrast.topic.task for contrast in found}) > 1
    told = [
        sentence
        for contrast in found
        for sentence in _sentences(view, contrast, f"Predicting {contrast.topic.task}: " if several else "")
    ]
    return (*told, *_intervals(view, found))


def _sentences(view: View, contrast: Contrast, lead: str) -> list[str]:
    changes, gaps = treated(view, contrast.changes), _treated_gaps(view, contrast)
    few = len(changes) <= SAID
    each = [lead + sentence for sentence in _each(view, contrast, changes)] if few else []
    counted = [] if few else _counted(view, contrast, changes)
    rest = others.sentences(view, _others(view, contrast))
    return [*each, *(_opened(lead, sentence) for sentence in (*counted, *_gaps(view, contrast, gaps), *rest))]


def _treated_gaps(view: View, contrast: Contrast) -> list[Finding]:
    arms = {f.arm for f in treated(view, contrast.changes)}
    return [f for f in contrast.gaps if f.arm in arms]


def _others(view: View, contrast: Contrast) -> tuple[Finding, ...]:
    """What else was declared of the task, beside what is told of it."""
    changes, gaps = treated(view, contrast.changes), _treated_gaps(view, contrast)
    beside = [f for f in contrast.beside if f.arm in {change.arm for change in changes}]
    return others.others(view, [*changes, *beside, *_told(gaps)], contrast.topic.task)


def _opened(lead: str, sentence: str) -> str:
    return lead + sentence if lead else sentence[:1].upper() + sentence[1:]


# ------------------------------------------------------------------------------------------------------------- groups


def _each(view: View, contrast: Contrast, changes: Sequence[Finding]) -> list[str]:
    """A sentence per pair of arms, which begins with an arm's name and leaves that as it is; the reference beside."""
    metric = view.names.metric(contrast.topic.metric)
    return [
        f"{view.names.arm(arm)} against {view.names.arm(against)}, {metric} of "
        + _of_pair(view, [f for f in changes if (f.arm, f.against) == (arm, against)])
        + _beside(view, [f for f in contrast.beside if f.arm == arm])
        for arm, against in distinct((f.arm, f.against) for f in changes)
    ]


def _of_pair(view: View, changes: Sequence[Finding]) -> str:
    outcomes = [f"{view.names.group(f.at)}: {outcome(view, f)}" for f in changes]
    why = [NOT_MEASURED] if any(f.because == NOT_MEASURED for f in changes) else []
    return "; ".join([*outcomes, *why]) + "."


def _beside(view: View, changes: Sequence[Finding]) -> str:
    """ " Against original (reference), women: changed by -1.8 points [-2.8, -0.8].", where the arm has placebos."""
    return f" Against {_reference(view)}, {_of_pair(view, changes)}" if changes else ""


def _reference(view: View) -> str:
    return f"{view.names.arm(view.reference)} (reference)"


def _counted(view: View, contrast: Contrast, changes: Sequence[Finding]) -> list[str]:
    arms = distinct(f.arm for f in changes)
    what = f"{plural(len(arms), 'arm')}, {plural(len({f.at for f in changes}), 'group')}"
    against, metric = against_in_words(view, contrast.against), view.names.metric(contrast.topic.metric)
    lead = f"of {plural(len(changes), 'change')} in {metric} against {against} ({what}): {_tally(view, changes)}."
    beside = [f for f in contrast.beside if f.arm in arms]
    sentences = [f"{lead} Against {_reference(view)}: {_tally(view, beside)}." if beside else lead]
    largest = _largest(changes)
    if largest is not None:
        who = f"{view.names.group(largest.at)} in {view.names.arm(largest.arm)}"
        sentences.append(f"The largest is of {who}: {outcome(view, largest)}.")
    return sentences


def _tally(view: View, changes: Sequence[Finding]) -> str:
    """How many changes came out how: "6 cannot be told, 2 not estimable"."""
    return ", ".join(f"{number} {words}" for words, number in _numbers(view, changes) if number)


def _numbers(view: View, changes: Sequence[Finding]) -> Iterator[tuple[str, int]]:
    yield "changed", sum(f.verdict == "changed" for f in changes)
    small = sum(f.verdict.startswith("no change") for f in changes)
    yield f"no larger than {view.numbers.margin(view.margin, view.metric)}", small
    yield "cannot be told", sum(f.verdict == "cannot tell" and f.because != NOT_MEASURED for f in changes)
    yield f"cannot be told ({NOT_MEASURED})", sum(f.because == NOT_MEASURED for f in changes)
    yield "without a verdict", sum(not f.verdict and f.estimate is not None for f in changes)
    absent = [cells.absent(f) for f in changes if f.estimate is None]
    yield from ((words, absent.count(words)) for words in distinct(absent))


def _largest(findings: Iterable[Finding]) -> Finding | None:
    """The largest change among those that changed; else among all."""
    known = [f for f in findings if f.estimate is not None]
    changed = [f for f in known if f.verdict == "changed"]
    return max(changed or known, key=lambda f: abs(f.estimate or 0), default=None)


# --------------------------------------------------------------------------------------------------------------- gaps


def _gaps(view: View, contrast: Contrast, gaps: Sequence[Finding]) -> list[str]:
    """A sentence per arm, or of the largest change, which then says of how many it is."""
    known, told = [f for f in gaps if f.estimate is not None], _told(gaps)
    arms = plural(len({f.arm for f in known}), "arm")
    which = f", the largest change of {arms}" if len(told) < len(known) else ""
    return [_gap(view, contrast, finding, which) for finding in told]


def _told(gaps: Sequence[Finding]) -> list[Finding]:
    """Of many gaps the one that changed most."""
    known = [f for f in gaps if f.estimate is not None]
    largest = _largest(known)
    return known if len(known) <= SAID or largest is None else [largest]


def _gap(view: View, contrast: Contrast, change: Finding, which: str = "") -> str:
    """ "accuracy of men minus women: +2.0 points in placebo, +4.2 in oversampled; changed by +2.2 points [...]."."""
    signed = change.quantity == "change_in_signed_gap"
    metric, pair = view.names.metric(change.metric), view.names.pair(change)
    what = f"{metric} of {pair}" if signed else f"the {metric} gap {pair}"
    ends = _ends(view, contrast, change)
    said = "; ".join(filter(None, (_before_and_after(view, ends), _gap_outcome(view, change), _untold(change))))
    reversed_ = f", {REVERSED}" if change.verdict == "changed" and _crosses_zero(view, ends) else ""
    return f"{what}{which}: {said}{reversed_}."


def _ends(view: View, contrast: Contrast, change: Finding) -> list[Finding]:
    """The gap before and after a change; none where one of the two is not known."""
    quantity = "signed_gap" if change.quantity == "change_in_signed_gap" else "gap"
    known = {f.arm: f for f in view.find(contrast.topic, quantity) if not f.at and f.estimate is not None}
    both = [known.get(change.against), known.get(change.arm)]
    return [f for f in both if f is not None] if None not in both else []


def _before_and_after(view: View, ends: Sequence[Finding]) -> str:
    """ "-17.3 points in placebo, +9.5 in bald oversampled"."""
    if not ends:
        return ""
    before, after = ends
    first = f"{view.numbers.estimate(before)} {view.numbers.unit(before.metric, before.quantity)}".strip()
    arms = (view.names.arm(before.arm), view.names.arm(after.arm))
    return f"{first} in {arms[0]}, {view.numbers.estimate(after)} in {arms[1]}"


def _crosses_zero(view: View, ends: Sequence[Finding]) -> bool:
    """Whether the gap is printed with another sign after than before."""
    return {view.numbers.estimate(f)[0] for f in ends} == {"+", "-"}


def _gap_outcome(view: View, change: Finding) -> str:
    """As `outcome`; of a gap without a sign whether it widened or narrowed."""
    if change.quantity == "change_in_signed_gap" or change.verdict != "changed":
        return outcome(view, change)
    return f"{'widened' if (change.estimate or 0) > 0 else 'narrowed'} by {view.numbers.magnitude(change)}"


def _untold(change: Finding) -> str:
    return NOT_MEASURED if change.because == NOT_MEASURED else ""


# ---------------------------------------------------------------------------------------------------------- intervals


def _intervals(view: View, found: Sequence[Contrast]) -> list[str]:
    """What the intervals of the answer hold for; nothing where it has none."""
    told = (f for contrast in found for f in (*contrast.changes, *contrast.gaps, *contrast.beside))
    largest = (f for contrast in found for f in others.changed(view, _others(view, contrast))[:1])
    sizes = view.results.families
    names = distinct(f.family for f in (*told, *largest) if f.simultaneous is not None and f.family in sizes)
    held = " and ".join(f"for all {count(sizes[name])} declared {view.names.family(name)} at once" for name in names)
    return [f"All intervals above are simultaneous: at {view.confidence} they hold {held}."] if held else []
