"""The first screen beside the answer: the banner, the strip of facts, and whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditkit.evidence.results import FEWEST_EFFECTIVE, Finding, Place, exploratory
from auditkit.report.balance import balance, doses
from auditkit.report.blocks import Item, Tone
from auditkit.report.conditions import told
from auditkit.report.numbers import count, fixed, plural, support
from auditkit.report.recipe import essentials, overrides
from auditkit.report.view import View, distinct, in_order

NAMED = 4
"""So many things that are not estimable are named at once."""
GATE_WORDS = {
    "pass": "passed",
    "fail": "failed",
    "insufficient evidence": "with insufficient evidence",
    "not judged": "not judged",
}
OUTCOMES: dict[str, Tone] = {
    "pass": "good",
    "fail": "bad",
    "insufficient evidence": "warn",
    "not judged": "quiet",
}


def banner(view: View) -> tuple[str, ...]:
    """What must be read first: synthetic data, a subset, a scaled-down run, keys set on the command line."""
    return tuple(_banner(view))


def _banner(view: View) -> Iterator[str]:
    facts = view.facts
    data = facts.get("dataset", {})
    kind = data.get("kind", "")
    if data.get("synthetic"):
        named = f" ({kind})" if kind and kind.lower() != "synthetic" else ""
        yield f"SYNTHETIC DATA{named}: these numbers say nothing about people."
    elif "subset" in kind.lower():
        yield f"SUBSET: {kind}."
    if facts.get("stand_in"):
        yield "Stand-in data: the data that the audit names was not configured; published figures are not judged."
    if facts.get("scale", 1.0) != 1.0:
        yield f"Scaled run: every number of images was multiplied by {facts['scale']:g}."
    if facts.get("overrides"):
        yield f"Overridden: {'; '.join(overrides(view))}."


def strip(view: View) -> tuple[tuple[str, str], ...]:
    """Data, arms, recipe, seeds and gates at a glance."""
    facts = (
        ("Data", _data(view)),
        ("Arms", _arms(view)),
        ("Recipe", essentials(view)),
        ("Seeds", _seeds(view)),
        ("Gates", _gates(view)),
    )
    return tuple((name, text) for name, text in facts if text)


def _data(view: View) -> str:
    data, splits = view.facts.get("dataset", {}), view.facts.get("splits", {})
    images = data.get("images")
    whole = support(images, data.get("identities")) if images else ""
    test = splits.get("test")
    tested = support(test, splits.get("test_identities")) if test else ""
    parts = (data.get("kind", ""), "" if tested == whole else whole, f"test {tested}" if tested else "")
    return " · ".join(part for part in parts if part)


def _arms(view: View) -> str:
    """Labels may hold commas."""
    return " · ".join(view.names.arm(arm) + _role(view, arm) for arm in view.arms)


def _role(view: View, arm: str) -> str:
    if arm == view.reference:
        return " (reference)" if len(view.arms) > 1 else ""
    role = "placebo" if arm in view.audit.evidence.placebos else view.role(arm)
    return "" if role in {"arm", view.names.arm(arm)} else f" ({role})"


def _seeds(view: View) -> str:
    seeds = sorted({unit["seed"] for unit in view.facts.get("units", ()) if "seed" in unit})
    if not seeds:
        return _number_of_seeds(view)
    listed = ", ".join(map(str, seeds[:8])) + (", ..." if len(seeds) > 8 else "")
    return f"{_number_of_seeds(view) or len(seeds)} ({listed})"


def _gates(view: View) -> str:
    outcomes = [gate.outcome for gate in view.results.gates]
    tallies = ((key, words, sum(outcome == key for outcome in outcomes)) for key, words in GATE_WORDS.items())
    tally = [f"{number} {words}" for key, words, number in tallies if number or key in {"pass", "fail"}]
    return ", ".join(tally) if outcomes else ""


def gates(view: View) -> tuple[Item, ...]:
    """Every gate and how it came out."""
    return tuple(Item(gate.outcome, told(view, gate), OUTCOMES[gate.outcome]) for gate in view.results.gates)


# -------------------------------------------------------------------------------------------------------------- trust


def trust(view: View) -> tuple[Item, ...]:
    """What the numbers rest on, and what they cannot say."""
    parts = (_support, _few_people, balance, doses, _leaks, _training_noise, _comparisons, _not_estimable, _warnings)
    return tuple(item for part in parts for item in part(view))


def _support(view: View) -> Iterator[Item]:
    known = [f for f in _values(view) if f.estimate is not None and f.images and f.over]
    evidence = view.audit.evidence
    if known:
        least = min(known, key=lambda f: (f.identities or f.images, f.images))
        who = f"{view.names.group(least.at)}, {support(least.images, least.identities)}"
        people = None if least.identities is None else evidence.minimum_identities
        behind = "" if least.metric == view.metric else f" behind its {view.names.metric(least.metric)}"
        needed = support(evidence.minimum_images, people)
        yield Item("Support", f"smallest group shown: {who}{behind} (needed: {needed})")
    if known and all(f.identities is None for f in known):
        yield Item("People", "identities are unknown: images are resampled, and intervals are too narrow", "warn")


def _few_people(view: View) -> Iterator[Item]:
    """A gap's change is made of signed ones, so that it is not counted beside them."""
    counted = (f for f in view.results.findings if f.family and f.against and f.quantity != "change_in_gap")
    declared = [f for f in counted if not exploratory(f.family)]
    few = sum(f.rests_on_few for f in declared)
    if few:
        which = f"{count(few)} of {plural(len(declared), 'declared change')} of groups and signed gaps"
        below = f"{'rests' if few == 1 else 'rest'} on few people (effective number below {FEWEST_EFFECTIVE})"
        yield Item("Few people", f"{which} {below}; such intervals may hold less often than they say", "warn")


def _values(view: View) -> Iterator[Finding]:
    """Values on the declared question."""
    for (_, quantity, _), found in view.index.items():
        yield from found if quantity == "value" else ()


def _leaks(view: View) -> Iterator[Item]:
    touched = [leak for leak in view.results.leaks if leak.touched]
    if not touched:
        if view.results.leaks:
            yield Item("Leaks", _no_leaks(distinct(leak.what for leak in view.results.leaks)), "good")
        return
    for what in distinct(leak.what for leak in touched):
        worst = max((leak for leak in touched if leak.what == what), key=lambda leak: leak.touched / leak.total)
        share = fixed(100 * worst.touched / worst.total, 1)
        test = "test" if worst.test == "plain" else f"{worst.test} test"
        text = f"{share} % of the {test} images ({count(worst.touched)} of {count(worst.total)})"
        yield Item("Leaks", f"{text} share {_shared(what)} with the training of {view.names.arm(worst.arm)}", "bad")


def _no_leaks(compared: Sequence[str]) -> str:
    """What of the test set was looked for in training, and what was not."""
    *others, last = ("person" if what == "identity" else what for what in compared)
    things = f"{', '.join(others)} or {last}" if others else last
    files = "" if "identical file" in compared else "; files were not compared"
    return f"none: no {things} of the test set was trained on{files}"


def _shared(what: str) -> str:
    return {"image": "an image", "identity": "a person", "identical file": "an identical file"}[what]


def _training_noise(view: View) -> Iterator[Item]:
    declared = (f for f in view.results.findings if not exploratory(f.family))
    changes = [f for f in declared if f.quantity == "change" and f.metric == view.metric]
    if changes:
        yield from _one_seed(view)
    noisiest = max(changes, key=lambda f: f.noise or 0, default=None)
    if noisiest is not None and noisiest.noise is not None:
        of = f"a change in {view.names.metric(view.metric)}"
        moved = f"seeds alone move {of} by up to {view.numbers.number(view.metric, noisiest.noise)}"
        unit = view.numbers.unit(view.metric, "change")
        draw = "; one training draw" if view.facts.get("units") else ""
        whose = f"({_whose(view, noisiest)}){draw}"
        yield Item("Seeds", " ".join(filter(None, (f"{_number_of_seeds(view)} seeds per arm; {moved}", unit, whose))))


def _one_seed(view: View) -> Iterator[Item]:
    seeds = [(f.arm, f.seeds) for f in view.results.findings if f.seeds and not f.against]
    alone = in_order(view.arms, (arm for arm, number in seeds if number == 1))
    if alone and all(number == 1 for _, number in seeds):
        yield Item("Seeds", 'one seed: training variance not measured, so nothing is called "changed"', "warn")
    elif alone:
        which, them = " and ".join(map(view.names.arm, alone)), "it" if len(alone) == 1 else "them"
        said = f'training variance not measured, so no change to or from {them} is called "changed"'
        yield Item("Seeds", f"one seed in {which}: {said}", "warn")


def _number_of_seeds(view: View) -> str:
    """Of an arm: "3", or "2 to 3"."""
    seeds = sorted({f.seeds for f in view.results.findings if f.seeds and not f.against})
    return " to ".join(map(str, dict.fromkeys((seeds[0], seeds[-1])))) if seeds else ""


def _whose(view: View, finding: Finding) -> str:
    """ "women, old, in placebo", and the task where there are several."""
    task = f", task {finding.task}" if len(view.audit.task) > 1 else ""
    return f"{view.names.group(finding.at)} in {view.names.arm(finding.arm)}{task}"


def _comparisons(view: View) -> Iterator[Item]:
    families = view.results.families
    declared = {name: size for name, size in families.items() if not exploratory(name)}
    explored = {name: size for name, size in families.items() if exploratory(name) and size}
    if declared:
        what = ", ".join(_family(view, name, size) for name, size in declared.items())
        yield Item("Comparisons", f"{what}; verdicts on simultaneous {view.confidence} intervals")
    if explored:
        what = ", ".join(f"{count(size)} in {view.names.family(name)}" for name, size in explored.items())
        yield Item("Exploration", f"{what}; not declared before looking")


def _family(view: View, name: str, size: int) -> str:
    """ "45 changes of task Male (24 of groups, 15 of signed gaps, 6 of other pairs of groups)": what it counts."""
    several = view.names.family(name)
    what = plural(size, several.replace("changes", "change", 1), several)
    groups, gaps = (
        sum(f.family == name and f.quantity == quantity for f in view.results.findings)
        for quantity in ("change", "change_in_signed_gap")
    )
    kinds = ((groups, "groups"), (gaps, "signed gaps"), (size - groups - gaps, "other pairs of groups"))
    told = ", ".join(f"{count(number)} of {kind}" for number, kind in kinds if number > 0)
    return f"{what} ({told})" if groups + gaps else what


def _not_estimable(view: View) -> Iterator[Item]:
    alike: dict[tuple[Place, str], list[Finding]] = {}
    for finding in _least_supported(view):
        alike.setdefault((finding.at, finding.reason), []).append(finding)
    reasons = [_missing(view, found) for found in alike.values()]
    if reasons:
        more = f"; and {len(reasons) - NAMED} more" if len(reasons) > NAMED else ""
        yield Item("Not estimable", "; ".join(reasons[:NAMED]) + more, "warn")


def _least_supported(view: View) -> tuple[Finding, ...]:
    """Of every metric and group that is not estimable the case with the fewest images, the headline metric's first."""
    least: dict[tuple[str, Place], Finding] = {}
    for finding in _values(view):
        if finding.status == "not estimable":
            key = (finding.metric, finding.at)
            least[key] = min(least.get(key, finding), finding, key=lambda f: f.images)
    return tuple(sorted(least.values(), key=lambda f: f.metric != view.metric))


def _missing(view: View, alike: Sequence[Finding]) -> str:
    """ "accuracy, brier of women, bald: 3 images of 2 people"."""
    metrics = ", ".join(view.names.metric(finding.metric) for finding in alike)
    return f"{metrics} of {view.names.group(alike[0].at)}: {view.names.in_words(alike[0].reason)}"


def _warnings(view: View) -> Iterator[Item]:
    for text in (*view.facts.get("warnings", ()), *view.results.remarks):
        yield Item("Note", view.names.in_words(text), "warn")
