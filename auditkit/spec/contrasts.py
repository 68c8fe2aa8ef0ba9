"""Which arms are compared with which."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.spec.model import Evidence


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
