"""Gates as JUnit XML: a test suite per audit, a test case per gate.

A gate that fails is a `failure` whose message holds the interval. One with insufficient evidence is `skipped`, as in
the pytest plugin: nothing speaks against it, and nothing vouches for it; exit code 4 tells it from a pass.
"""

from __future__ import annotations

from xml.etree import ElementTree

from auditkit.evidence.results import GateRow
from auditkit.report.conditions import in_full
from auditkit.report.view import View


def render(name: str, view: View) -> str:
    """The text of the file; `time` is how long the networks behind a gate took to train, in seconds."""
    gates = view.results.gates
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(gates)),
        failures=str(sum(gate.outcome == "fail" for gate in gates)),
        errors="0",
        skipped=str(sum(gate.outcome not in ("pass", "fail") for gate in gates)),
        time=f"{sum(unit.get('seconds', 0.0) for unit in view.facts.get('units', ())):.3f}",
    )
    for gate in gates:
        suite.append(_case(name, gate, view))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(audit: str, gate: GateRow, view: View) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=gate.title, classname=f"auditkit.{audit}")
    case.set("time", f"{_seconds(gate, view):.3f}")
    file, _, line = gate.place.rpartition(":")
    if file:
        case.set("file", file)
        case.set("line", line)
    said = in_full(view, gate)
    if gate.outcome == "fail":
        ElementTree.SubElement(case, "failure", message=said, type="gate").text = gate.place
    elif gate.outcome != "pass":
        ElementTree.SubElement(case, "skipped", message=f"{gate.outcome}: {said}")
    else:
        ElementTree.SubElement(case, "system-out").text = said
    return case


def _seconds(gate: GateRow, view: View) -> float:
    """Training time of the arms that the gate's finding rests on."""
    if gate.finding is None:
        return 0.0
    arms = {gate.finding.arm, gate.finding.against}
    units = view.facts.get("units", ())
    return sum(u.get("seconds", 0.0) for u in units if u.get("task") == gate.finding.task and u.get("arm") in arms)
