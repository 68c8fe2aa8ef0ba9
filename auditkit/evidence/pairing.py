"""Which arms of a layout are compared with which."""

from __future__ import annotations

from auditkit.evidence.layout import Layout
from auditkit.evidence.seeds import Arms
from auditkit.spec.contrasts import contrasted
from auditkit.spec.model import Evidence


def pairs_of_arms(layout: Layout, evidence: Evidence) -> tuple[list[Arms], list[str]]:
    """The contrasts by their positions in the layout, and what is amiss with them."""
    pairs = [tuple(map(layout.arms.index, pair)) for pair in contrasted(layout.arms, evidence)]
    named = dict.fromkeys([evidence.reference or layout.arms[0], *evidence.placebos])
    problems = [
        f"no predictions of arm {name!r}, so no change from it is reported" for name in named if name not in layout.arms
    ]
    return [(arm, against) for arm, against in pairs], problems
