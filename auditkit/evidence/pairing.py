"""Which arms are compared with which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditkit.evidence.layout import Layout
from auditkit.spec.model import Evidence

if TYPE_CHECKING:
    from auditkit.evidence.seeds import Contrast


def contrasted(arms: Sequence[str], evidence: Evidence) -> list[tuple[str, str]]:
    """(arm, against) for every contrast among `arms`: all against the reference, then each against its placebo.

    The reference against a placebo would be the mirror image of what is there already, so it is left out.
    """
    wanted = [(arm, evidence.reference or arms[0]) for arm in arms]
    for placebo in evidence.placebos:
        wanted += [(arm, placebo) for arm in arms if evidence.placebo_of(arm) == placebo]
    pairs: dict[tuple[str, str], None] = {}
    for arm, against in wanted:
        if arm != against and against in arms and (against, arm) not in pairs:
            pairs[arm, against] = None
    return list(pairs)


def pairs_of_arms(layout: Layout, evidence: Evidence) -> tuple[list[Contrast], list[str]]:
    """The contrasts by their positions in the layout, and what is amiss with them."""
    pairs = [tuple(map(layout.arms.index, pair)) for pair in contrasted(layout.arms, evidence)]
    named = dict.fromkeys([evidence.reference or layout.arms[0], *evidence.placebos])
    problems = [
        f"no predictions of arm {name!r}, so no change from it is reported" for name in named if name not in layout.arms
    ]
    return [(arm, against) for arm, against in pairs], problems
