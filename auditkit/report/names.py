"""What the report calls arms, groups, pairs and metrics; no attribute is known here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from auditkit.contracts import Level
from auditkit.evidence.results import Finding, Place, Results
from auditkit.spec.model import Audit

BINARY = ({0, 1}, {0}, {1})
EVERYONE = "everyone"
PROPER = {"auroc": "AUROC", "brier": "Brier score"}
ARMS = re.compile(r"\b(?:in|arms?) '[^']+'(?:(?:, | and )'[^']+')*")
"""Where a reason names arms."""
QUOTED = re.compile(r"'([^']+)'")


@dataclass(frozen=True, slots=True)
class Names:
    """Labels for ids. `seen` holds the levels of every attribute that occur in the results, as they first occur.

    Values are found group by group in the order of the data set, so that is the order of a gap over two levels, too.
    """

    arms: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    seen: Mapping[str, tuple[Level, ...]]

    def arm(self, name: str) -> str:
        """The arm's label."""
        return self.arms.get(name, name)

    def metric(self, name: str) -> str:
        """The metric's label: its id with spaces, but for names and initials."""
        return PROPER.get(name) or name.replace("_", " ")

    def level(self, attribute: str, level: Level) -> str:
        """ "men" where a word is known, "Bald" and "not Bald" for yes and no, "Race Black" else."""
        word = self.words.get(attribute, {}).get(str(int(level) if isinstance(level, bool) else level))
        if word:
            return word
        if set(self.seen.get(attribute, (level,))) in BINARY:
            return attribute if level else f"not {attribute}"
        return f"{attribute} {level}"

    def group(self, at: Place) -> str:
        """A group of people: "men, not Young"."""
        return ", ".join(self.level(attribute, level) for attribute, level in at) or EVERYONE

    def in_words(self, reason: str) -> str:
        """A reason with its arms as they are labelled, and its groups, "Male=0" or "Male=not 1", as they are called."""
        reason = ARMS.sub(lambda found: QUOTED.sub(lambda name: f"'{self.arm(name[1])}'", found[0]), reason)
        known = dict(self._called()) if "=" in reason else {}
        if not known:
            return reason
        longest_first = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
        return re.sub(rf"(?<!\w)({longest_first})(?!\w)", lambda found: known[found[0]], reason)

    def _called(self) -> Iterator[tuple[str, str]]:
        for name, levels in self.seen.items():
            for level in levels:
                yield f"{name}={level}", self.level(name, level)
                yield f"{name}=not {level}", f"outside of {self.level(name, level)}"

    def family(self, name: str) -> str:
        """A family of comparisons: "changes of task Male", as Male may name groups, too."""
        return name.replace(" of ", " of task ", 1)

    def groups(self, over: tuple[str, ...]) -> str:
        """The attributes that make the groups: "Male and Young"."""
        return " and ".join(over) or EVERYONE

    def pair(self, finding: Finding) -> str:
        """What a gap is between: "men minus women", or "largest minus smallest"; within which group, if any."""
        within = f" within {self.group(finding.at)}" if finding.at else ""
        free = self._free(finding)
        signed = finding.quantity in {"signed_gap", "change_in_signed_gap"}
        return (self._second_minus_first(free[0]) if signed and len(free) == 1 else self._spread(free)) + within

    def _free(self, finding: Finding) -> list[str]:
        """The attributes that a gap goes across; one that has a single level does not tell groups apart."""
        free = [name for name in finding.over if name not in dict(finding.at)]
        return [name for name in free if len(self.seen.get(name, (0, 1))) > 1] or free

    def _second_minus_first(self, attribute: str) -> str:
        first, *_, second = self.seen.get(attribute, (0, 1))
        return f"{self.level(attribute, second)} minus {self.level(attribute, first)}"

    def _spread(self, free: list[str]) -> str:
        levels = self.seen.get(free[0], ()) if len(free) == 1 else ()
        between = " and ".join(self.level(free[0], level) for level in levels)
        return f"between {between}" if len(levels) == 2 else f"largest minus smallest over {self.groups(tuple(free))}"


def of(audit: Audit, results: Results) -> Names:
    """Collect the labels of an audit and the levels of its results."""
    arms = {arm.name: arm.label or arm.name for arm in audit.arm}
    return Names(arms, audit.words, _seen(_places(results)))


def _places(results: Results) -> Iterable[Place]:
    yield from (finding.at for finding in results.findings)
    yield from (cell.at for composition in results.compositions for cell in composition.cells)
    yield from (((m.attribute, m.level),) for composition in results.compositions for m in composition.marginals)


def _seen(places: Iterable[Place]) -> dict[str, tuple[Level, ...]]:
    seen: dict[str, dict[Level, None]] = {}
    for place in places:
        for attribute, level in place:
            seen.setdefault(attribute, {})[level] = None
    return {attribute: tuple(levels) for attribute, levels in seen.items()}
