"""Sections on how the numbers were made: methods and formulas, and the facts of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditkit.evidence.facts import UnitFacts
from auditkit.evidence.results import FEWEST_EFFECTIVE
from auditkit.report.blocks import Block, Cell, Fold, Item, Items, Section, Table
from auditkit.report.numbers import count, duration, fixed, plural
from auditkit.report.view import View, distinct

SPLITS = {"test_identities": "people in test"}
SHORT = 12
"""Hexadecimal digits of a digest that are shown."""


def methods(view: View) -> Section:
    """What was computed, by which formula, and on which conditions it holds."""
    return Section("methods", "Methods and formulas", (Items(tuple(_methods(view))),), folded=True)


def _methods(view: View) -> Iterator[Item]:
    yield from _how_numbers_are_made(view)
    yield from _how_questions_are_judged(view)
    yield from _what_limits_them(view)
    protocol = view.facts.get("protocol")
    if protocol:
        yield Item("Protocol", protocol)


def _how_numbers_are_made(view: View) -> Iterator[Item]:
    yield Item(
        "Estimates",
        "means over seeds of the per-seed values; gaps, ratios and changes in gap are those of the groups' means over "
        "seeds. Group tables are fairlearn's MetricFrame.",
    )
    yield Item(
        "Plain intervals",
        f"{view.confidence}. People, not images, are resampled ({view.audit.evidence.replicates:,} replicates), every "
        "arm on the same people. Half width √(t²_people V_people + t²_seeds s²/S), where s² is the variance between "
        "the S seeds, pooled over arms, less what resampling people shows of it already, and each t has its own "
        "degrees of freedom; values that are shares have Wilson's form of it.",
    )


def _how_questions_are_judged(view: View) -> Iterator[Item]:
    yield Item(
        "Changes",
        "arm less the arm it is measured against, paired by person, and by seed unless arms and seeds are too few (a "
        "note says so). No change means that the simultaneous "
        f"interval lies within ±{view.numbers.margin(view.margin)}, the margin declared before looking.",
    )
    yield Item(
        "Many questions",
        "simultaneous intervals from the step-down maximum of |t| over the family, on the same replicates. Verdicts "
        "are decided on them. Spillover and scan are families of their own, for exploration.",
    )
    yield Item(
        "Needed numbers",
        "with as many people or seeds as a verdict says would be needed, an interval of the width to be expected just "
        "decides, if the change is as large as estimated: a new audit of that size decides about as often as not. Plan "
        "for more.",
    )
    yield Item(
        "Gaps",
        "largest less smallest group; the interval comes from simultaneous signed pairs, so it can contain 0. That of "
        "a gap's change holds all that the intervals of the gap before, of the gap after and of the pair's change "
        "allow. A signed gap is the second group less the first.",
    )


def _what_limits_them(view: View) -> Iterator[Item]:
    evidence = view.audit.evidence
    yield Item(
        "Not estimable",
        f"fewer than {evidence.minimum_images} distinct images or {evidence.minimum_identities} people behind a "
        "denominator, or a rate without one. Undefined: the groups are defined by the very truth the metric conditions "
        "on.",
    )
    yield Item(
        "Few people",
        f"a change rests on few people where fewer than {FEWEST_EFFECTIVE}, contributing alike, would give it its "
        "variance (Kish's effective number). Other people may then differ more than its interval says.",
    )
    yield Item(
        "Seeds alone",
        "half width of the interval that the variance between seeds, pooled over arms, gives by itself; in brackets "
        "the standard deviation of each seed's own change (of a gap: of each seed's own change in gap), not pooled.",
    )
    draw = "the training draw" if view.facts.get("units") else "what the models were trained on"
    yield Item("Conditional on", f"{draw}: another sample of training images would add variance of its own.")


def facts(view: View) -> Section | None:
    """Where the numbers come from: the audit's source, data, units, versions, plugins, command."""
    items = tuple(Item(label, text) for label, text in _facts(view) if text)
    blocks: list[Block] = [Items(items)] if items else []
    units = view.facts.get("units", ())
    blocks += [Fold(f"Units: {count(len(units))} trained networks", (_units(view),))] if units else []
    return Section("facts", "Facts", tuple(blocks), folded=True) if blocks else None


def _facts(view: View) -> Iterator[tuple[str, str]]:
    known, data = view.facts, view.facts.get("dataset", {})
    yield "Source of the question", view.audit.audit.source
    yield "Remarks of the audit", " ".join(view.audit.audit.notes)
    yield "Data", ", ".join(filter(None, (data.get("kind", ""), data.get("place", ""))))
    yield "Remarks on the data", "; ".join(note.rstrip(".") for note in data.get("notes", ()))
    yield "Fingerprint of the data", str(data.get("fingerprint", ""))[: 2 * SHORT]
    yield "Splits", ", ".join(f"{SPLITS.get(name, name)} {count(n)}" for name, n in known.get("splits", {}).items())
    yield "Devices", ", ".join(distinct(_device(unit) for unit in known.get("units", ())))
    yield "Training", _training(known.get("units", ()))
    yield "Versions", _pairs(known.get("versions", {}))
    yield "Plugins", ", ".join(known.get("plugins", ()))
    yield "Command", known.get("command", "")


def _pairs(pairs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs.items())


def _device(unit: UnitFacts) -> str:
    threads = unit.get("threads")
    parts = (unit.get("device", ""), unit.get("precision", ""), plural(threads, "thread") if threads else "")
    there = " ".join(part for part in parts if part)
    return f"{there}, images on the host" if unit.get("pixels") == "host" else there


def _training(units: Any) -> str:
    seconds = sum(unit.get("seconds", 0.0) for unit in units)
    visits = sum(unit.get("visits", 0) for unit in units)
    return f"{duration(seconds)} over all units, {count(visits)} image visits" if seconds else ""


def _units(view: View) -> Table:
    columns = ("task", "arm", "seed", "digest", "device", "seconds", "images/s", "visits")
    rows = tuple(_unit(view, unit) for unit in view.facts.get("units", ()))
    return Table("Units", columns, rows, heads=3)


def _unit(view: View, unit: UnitFacts) -> tuple[Cell, ...]:
    numbers = (unit.get("seconds"), unit.get("images_per_second"))
    return (
        Cell(unit.get("task", "")),
        Cell(view.names.arm(unit.get("arm", ""))),
        Cell(str(unit.get("seed", ""))),
        Cell(unit.get("digest", "")[:SHORT]),
        Cell(_device(unit)),
        *(Cell("" if number is None else fixed(number, 1 if number < 100 else 0)) for number in numbers),
        Cell(count(unit["visits"]) if "visits" in unit else ""),
    )
