"""What a plan foresees of its evidence, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.engine.outlook import Outlook
from auditkit.evidence.foreseen import Lacking, Undecidable
from auditkit.evidence.grouping import place_in_words
from auditkit.spec.words import listed

SHOWN = 4
"""So many groups, and so many gates, are told one by one unasked."""


def sentences(view: Outlook, *, everything: bool) -> Iterator[str]:
    """Groups without support, gates that cannot be decided, and arms that are no experiment as they stand.

    Many of a kind are told only if asked for.
    """
    found = view.foreseen
    groups = [f"{_lacking(one)}{_for_whom(one, view)}" for one in found.lacking]
    yield from _some(groups, "groups, or metrics in them", everything)
    yield from _some([_undecidable(one) for one in found.undecidable], "gates", everything)
    for names in found.identical:
        yield f"{listed(names, 'and')} are the very same networks: nothing in the file tells them apart"
    for name in found.idle_placebos:
        yield f"{name!r} has the role of a placebo, but no change is measured from it: name it in [evidence] placebo"
    if found.one_seed:
        which, has = listed(found.one_seed, "and"), "has" if len(found.one_seed) == 1 else "have"
        yield (
            f"{which} {has} one seed: training variance is not measured, so no change to or from it is called one or "
            "decides a gate, and a gate on a value or a gap holds for these trained networks only"
        )


def _some(told: list[str], what: str, everything: bool) -> Iterator[str]:
    shown = told if everything or len(told) <= SHOWN + 1 else told[:SHOWN]
    yield from shown
    if len(shown) < len(told):
        yield f"so it is with {len(told) - len(shown)} more {what} (--figures lists them)"


def _lacking(one: Lacking) -> str:
    """ "group Male=0, Bald=1 of the test set has 26 images of 6 people (needs ...): its findings will be ..."."""
    who = f"group {place_in_words(one.at)} of the test set" if one.at else "the test set"
    has = f"{who.replace('the test', f'the {one.test} test') if one.test != 'plain' else who} has {one.reason}"
    if one.whole:
        return f"{has}: its findings will be not estimable"
    return f"{has} behind {listed(one.metrics, 'and')}: not estimable"


def _for_whom(one: Lacking, view: Outlook) -> str:
    """In which tasks and arms, unless it is in all."""
    tasks = listed(one.tasks, "and") if set(one.tasks) < {row.task for row in view.rows} else ""
    arms = listed(one.arms, "and") if set(one.arms) < {row.arm for row in view.rows} else ""
    return (f", task {tasks}" if tasks else "") + (f", arm {arms}" if arms else "")


def _undecidable(one: Undecidable) -> str:
    name = f" ({one.name})" if one.name else ""
    return f"gate {one.gate}{name} can never be decided: {one.reason}"
