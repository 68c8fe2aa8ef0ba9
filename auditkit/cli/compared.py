"""A comparison on the terminal: the answer, the files, what differs, and the rest in numbers or whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from auditkit.cli.console import Console
from auditkit.engine.comparing import Comparison, GatePair, Side
from auditkit.engine.differences import FileDifference
from auditkit.evidence.compare import Difference, Verdict
from auditkit.evidence.results import Finding, GateRow
from auditkit.report import conditions, names, numbers
from auditkit.report.numbers import plural
from auditkit.report.view import View
from auditkit.spec.model import About, Arm, Audit

VERDICTS: Mapping[Verdict, str] = {
    "no difference larger than the margin": "no difference larger than the margin",
    "cannot tell": "cannot be told",
    "not estimable": "not estimable",
}
"""What is said of findings that do not differ."""
OUTCOMES = {"pass": "passed", "fail": "failed", None: "not there"}
MOST = 20
"""So many differences are shown unasked, of the files and of the findings."""
LONGEST = 60
"""Of a value in the files so many characters are shown unasked."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a comparison is printed, how its findings are called, and whether all of it is."""

    console: Console
    sides: Sequence[Side]
    found: Comparison
    everything: bool

    def print(self) -> None:
        """Print the comparison, the answer first."""
        for letter, side in zip("AB", self.sides, strict=True):
            self._say(f"{letter}  {side.label}")
        self._say("", *_answer(self), *_gates(self.found.gates))
        for warning in self.found.warnings:
            self.console.print(f"! {warning}", style="yellow", markup=False)
        self._say("")
        self._files()
        self._findings()

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.console.print(line, markup=False, soft_wrap=line[:3] in ("A  ", "B  "))

    def _files(self) -> None:
        files = self.found.files
        shown = files if self.everything else files[:MOST]
        self.console.print(_file_table(shown, self.everything) if files else "The files say the same.")
        if len(shown) < len(files):
            self._say(f"and {len(files) - len(shown)} more in the files (--all)")

    def _findings(self) -> None:
        view = _view(self.sides)
        differ = sorted((d for d in self.found.findings if d.verdict == "differs"), key=lambda d: _size(view, d))
        rest = [d for d in self.found.findings if d.verdict != "differs"]
        shown = differ if self.everything else differ[:MOST]
        if shown:
            self._say("")
            self.console.print(_table(view, "findings that differ, largest first", shown))
        if len(shown) < len(differ):
            self._say(f"and {len(differ) - len(shown)} smaller ones (--all)")
        if rest:
            self._say("")
            if self.everything:
                self.console.print(_table(view, "findings that do not, or are not known to", rest))
            else:
                self._say("The rest, by metric (--all lists each):", *_folded(view, rest))


# ---------------------------------------------------------------------------------------------------------- the answer


def _answer(terminal: Terminal) -> Iterator[str]:
    found = terminal.found
    count = Counter(one.verdict for one in found.findings)
    margin = numbers.of(terminal.sides[1].results).margin(found.margin)
    differ, compared = count["differs"], plural(len(found.findings), "finding")
    said = (
        f"{differ} of {compared} {'differs' if differ == 1 else 'differ'}" if differ else f"None of {compared} differs"
    )
    others = {words: count[verdict] for verdict, words in VERDICTS.items() if count[verdict]}
    told = [f"{number} {_verb(words, number)}" for words, number in others.items()]
    yield f"{said}: {', '.join(told)}.".replace("the margin", f"the margin of {margin}") if told else f"{said}."
    first, second = found.unmatched
    if first or second:
        yield f"{plural(first, 'finding')} only in A, {second} only in B."


def _verb(words: str, number: int) -> str:
    be = "is" if number == 1 else "are"
    have = "has" if number == 1 else "have"
    return {"cannot be told": words, "not estimable": f"{be} {words}"}.get(words, f"{have} {words}")


def _gates(gates: Sequence[GatePair]) -> Iterator[str]:
    """Whether gates came out alike, and those that did not."""
    if not gates:
        return
    other = [gate for gate in gates if gate.first != gate.second]
    if not other:
        outcomes = Counter(OUTCOMES.get(gate.first, gate.first) for gate in gates)
        told = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
        yield f"{'The gate' if len(gates) == 1 else f'All {len(gates)} gates'} came out alike: {told}."
        return
    yield f"{len(other)} of {plural(len(gates), 'gate')} came out otherwise:"
    for gate in other:
        first, second = (OUTCOMES.get(outcome, outcome) for outcome in (gate.first, gate.second))
        yield f"  {first} in A, {second} in B: {gate.title}"


# --------------------------------------------------------------------------------------------------------------- files


def _file_table(files: Iterable[FileDifference], whole: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("in the files", "A", "B"):
        table.add_column(name, overflow="fold")
    for one in files:
        table.add_row(*map(Text, (one.key, _value(one.first, whole), _value(one.second, whole))))
    return table


def _value(value: Any, whole: bool) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if whole or len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


# ------------------------------------------------------------------------------------------------------------ findings


def _view(sides: Sequence[Side]) -> View:
    """Findings as reports of the two call them: by the words of either, and by labels that both agree on."""
    results = sides[1].results
    about = About.model_construct(title="")
    audit = Audit.model_construct(audit=about, task=(), arm=tuple(_arms(sides)), words=_words(sides))
    return View(audit, results, names.of(audit, results), numbers.of(results), {})


def _arms(sides: Sequence[Side]) -> Iterator[Arm]:
    labels: dict[str, set[str]] = {}
    for side in sides:
        for arm in side.audit.get("arm", ()):
            labels.setdefault(arm["name"], set()).add(arm.get("label") or arm["name"])
    for name, said in labels.items():
        yield Arm.model_construct(name=name, label=said.pop() if len(said) == 1 else name)


def _words(sides: Sequence[Side]) -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = {}
    for side in reversed(sides):
        for attribute, levels in side.results.facts.get("words", {}).items():
            words[attribute] = words.get(attribute, {}) | dict(levels)
    return words


def _size(view: View, one: Difference) -> tuple[bool, float]:
    """Shares before numbers of other units, and the largest first."""
    plain = one.first.metric in view.numbers.plain or one.first.quantity == "ratio"
    return plain, -abs(one.estimate or 0.0)


def _table(view: View, title: str, shown: Sequence[Difference]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    hows = {one.how for one in shown if one.estimate is not None}
    same = f", {hows.pop()}" if len(hows) == 1 else ""
    differ = all(one.verdict == "differs" for one in shown)
    for name in (title, "A", "B", f"B less A{same}", *(() if differ else ("verdict",))):
        table.add_column(name, overflow="fold")
    for one in shown:
        table.add_row(*map(Text, _row(view, one, how=not same, verdict=not differ)))
    return table


def _row(view: View, one: Difference, *, how: bool, verdict: bool) -> tuple[str, ...]:
    sides = ["" if f.estimate is None else view.numbers.of(f, f.estimate) for f in (one.first, one.second)]
    told = [_difference(view, one)]
    if one.estimate is not None and how:
        told.append(one.how)
    if one.reason and not verdict:
        told.append(one.reason)
    said = (f"{one.verdict}: {one.reason}" if one.reason else one.verdict,) if verdict else ()
    return (_called(view, one.first), *sides, ", ".join(told), *said)


def _difference(view: View, one: Difference) -> str:
    if one.estimate is None:
        return ""
    return view.numbers.difference(one.first, one.estimate, one.simultaneous or one.interval)


def _called(view: View, finding: Finding) -> str:
    return conditions.condition(view, GateRow("", "", "not judged", finding))


def _folded(view: View, rest: Iterable[Difference]) -> Iterator[str]:
    """How many findings of every metric and task have which verdict."""
    tallies: dict[tuple[str, str], Counter[str]] = {}
    for one in rest:
        tallies.setdefault((one.first.metric, one.first.task), Counter())[VERDICTS[one.verdict]] += 1
    for (metric, task), tally in tallies.items():
        told = ", ".join(f"{tally[words]} {words}" for words in VERDICTS.values() if tally[words])
        yield f"  {view.names.metric(metric)}, task {task}: {told}"
