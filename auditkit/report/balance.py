"""Which declared groups an arm's training shifted, and whether its placebo is one: entries of the list on trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditkit.contracts import Level
from auditkit.evidence.results import Composition
from auditkit.report.blocks import Item
from auditkit.report.numbers import count, fixed
from auditkit.report.view import View, distinct

SHIFTED = 0.05
"""A share of the training rows that moved by at least this is told."""
ALIKE = 0.02
"""Up to this share, an arm and its placebo may differ in how many rows they train on: people are not divisible."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The share of a group in what an arm trained on, beside that of the reference and of the arm's placebo."""

    composition: Composition
    attribute: str
    level: Level
    reference: float
    share: float
    placebo: str
    control: float | None

    @property
    def size(self) -> tuple[float, float]:
        """By how much it moved at most, then where it gained: so that of two levels the one that gained is larger."""
        moved = [self.share - other for other in (self.reference, self.control) if other is not None]
        most = max(moved, key=abs)
        return round(abs(most), 6), most


def balance(view: View) -> Iterator[Item]:
    """Of every attribute of the declared groups the level that moved most in an arm's training, the largest first."""
    shifts = [shift for shift in _shifts(view) if shift.size[0] >= SHIFTED]
    attributes = distinct(shift.attribute for shift in shifts)
    largest = [max((s for s in shifts if s.attribute == name), key=lambda s: s.size) for name in attributes]
    if largest:
        told = (_told(view, shift) for shift in sorted(largest, key=lambda s: s.size, reverse=True))
        yield Item("Balance", "; ".join(told), "warn")


def doses(view: View) -> Iterator[Item]:
    """Arms whose placebo trained on another number of rows, so that it is none of theirs."""
    rows = {(c.task, c.arm): c.rows for c in view.results.compositions}
    told = []
    for (task, arm), mine in rows.items():
        placebo = view.audit.evidence.placebo_of(arm) or ""
        theirs = rows.get((task, placebo), mine)
        if _treated(view, arm) and arm != view.reference and abs(mine - theirs) > ALIKE * theirs:
            names = view.names.arm(arm), view.names.arm(placebo)
            told.append(f"{names[0]} trained on {count(mine)} images, {names[1]} on {count(theirs)}")
    if told:
        said = "what is told against such a placebo is an effect of the number of images, too"
        yield Item("Placebo", f"{'; '.join(distinct(told))}: {said}", "warn")


def _shifts(view: View) -> Iterator[Shift]:
    """Of every arm that is treated, every level of the declared groups."""
    declared = {attribute for over in view.audit.evidence.groups for attribute in over}
    shares = {
        (c.task, c.arm): {(m.attribute, m.level): m.after for m in c.marginals} for c in view.results.compositions
    }
    for each in view.results.compositions:
        placebo = view.audit.evidence.placebo_of(each.arm) or ""
        control = shares.get((each.task, placebo), {})
        for m in each.marginals if _treated(view, each.arm) else ():
            if m.attribute in declared:
                yield Shift(each, m.attribute, m.level, m.before, m.after, placebo, control.get((m.attribute, m.level)))


def _treated(view: View, arm: str) -> bool:
    return view.role(arm) == "arm" and arm not in view.audit.evidence.placebos


def _told(view: View, shift: Shift) -> str:
    """ "men: 67.7 % of what oversampled trained on (original: 40.7 %; placebo: 41.0 %)"."""
    known = ((view.reference, shift.reference), (shift.placebo, shift.control))
    beside = "; ".join(f"{view.names.arm(arm)}: {_percent(share)}" for arm, share in known if share is not None)
    group, arm = view.names.level(shift.attribute, shift.level), view.names.arm(shift.composition.arm)
    return f"{group}: {_percent(shift.share)} of what {arm} trained on{_task(view, shift)} ({beside})"


def _percent(share: float) -> str:
    return f"{fixed(100 * share, 1)} %"


def _task(view: View, shift: Shift) -> str:
    """Where tasks train on different rows, for which task."""
    drawn = {c.marginals for c in view.results.compositions if c.arm == shift.composition.arm}
    return f" for {shift.composition.task}" if len(drawn) > 1 else ""
