"""What can be asked of a metric: its value in a group, a gap between groups, and how an arm changed either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Quantity = Literal["value", "gap", "signed_gap", "ratio", "change", "change_in_gap", "change_in_signed_gap"]
ONE_GROUP: tuple[Quantity, ...] = ("value", "change")
"""Those of one group; all others compare several."""
SIGNED: tuple[Quantity, ...] = ("signed_gap", "change_in_signed_gap")
"""Those of two groups, the second less the first."""
CHANGE_OF: Mapping[Quantity, Quantity] = {
    "value": "change",
    "gap": "change_in_gap",
    "signed_gap": "change_in_signed_gap",
}
"""What the difference of two arms in a quantity is."""
CHANGES: tuple[Quantity, ...] = tuple(CHANGE_OF.values())
"""Those that set an arm against another."""
