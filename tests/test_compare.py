"""Two audits beside each other, on the command line: paired where predictions allow it, else from their reports."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import datetime
from math import sqrt
from typing import Any

import pytest
from judged_toys import SIMULATED, prepared, simulate, table

from auditkit.engine.comparing import Side
from auditkit.evidence.results import Results
from auditkit.testing import AuditProject, audit_project

OTHER = SIMULATED.replace('title = "Simulated"', 'title = "Otherwise"').replace(
    'init = "none"', 'init = "none"\nbatch_size = 64'
)


@pytest.fixture(scope="module")
def two() -> AuditProject:
    """Two audits in one store; the networks of the second are better."""
    project = audit_project({"a.toml": SIMULATED, "b.toml": OTHER})
    for number, (name, skill) in enumerate((("a", 0.7), ("b", 1.5))):
        simulate(prepared(project.folder / f"{name}.toml", project.folder / ".auditkit"), skill, stream=number)
        project.run("report", f"{name}.toml", "--quiet")
    return project


def as_json(project: AuditProject, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run("compare", *arguments, "--json").assert_success().out)
    return found


def difference(found: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    (one,) = [d for d in found["findings"] if all(d["first"][name] == value for name, value in wanted.items())]
    return dict(one)


GAPS_NOT_PAIRED = (
    "changes of gaps are compared as between different people where both their arms differ, so their intervals are too "
    "wide if anything; all else is paired"
)
REPORTS = ("reports/a", "reports/b")
EVERYONE = {"arm": "original", "metric": "accuracy", "over": [], "quantity": "value"}


def test_audit_files_are_compared_paired(two: AuditProject) -> None:
    found = as_json(two, "a.toml", "b.toml")
    one = difference(found, **EVERYONE)
    assert one["how"] == "paired"
    assert one["estimate"] == pytest.approx(one["second"]["estimate"] - one["first"]["estimate"])
    assert one["simultaneous"]["low"] <= one["interval"]["low"] < one["estimate"] < one["interval"]["high"]
    assert one["verdict"] == "differs"
    assert found["warnings"] == [GAPS_NOT_PAIRED]
    assert found["unmatched"] == [0, 0]
    assert [file["key"] for file in found["files"]] == ["audit.title", "recipe.batch_size"]
    assert found["files"][1] == {"key": "recipe.batch_size", "first": 256, "second": 64}


OF_OVERSAMPLED = {"arm": "oversampled", "metric": "accuracy"}


@pytest.mark.parametrize(("quantity", "over"), [("change", []), ("change_in_signed_gap", ["Young"])])
def test_changes_of_arms_are_compared_paired(two: AuditProject, quantity: str, over: list[str]) -> None:
    wanted = {**OF_OVERSAMPLED, "quantity": quantity, "over": over}
    one, alone = (difference(as_json(two, *sides), **wanted) for sides in (("a.toml", "b.toml"), REPORTS))
    assert (one["how"], alone["how"]) == ("paired", "unpaired")
    assert one["estimate"] == pytest.approx(one["second"]["estimate"] - one["first"]["estimate"])
    assert one["estimate"] == pytest.approx(alone["estimate"])
    assert one["simultaneous"]["low"] <= one["interval"]["low"] < one["estimate"] < one["interval"]["high"]


def test_changes_of_gaps_are_compared_unpaired_where_both_arms_differ(two: AuditProject) -> None:
    one = difference(as_json(two, "a.toml", "b.toml"), **OF_OVERSAMPLED, over=["Young"], quantity="change_in_gap")
    assert one["how"] == "unpaired"


def test_other_test_sets_of_the_same_data_are_compared_unpaired_and_it_is_said(two: AuditProject) -> None:
    two.write({"half.toml": SIMULATED.replace('["test", "valid"]', '["test"]')})
    simulate(prepared(two.folder / "half.toml", two.folder / ".auditkit"))
    found = as_json(two, "a.toml", "half.toml")
    assert difference(found, **EVERYONE)["how"] == "unpaired"
    assert found["warnings"] == [
        "test sets of the two are not the same images, so what was tested on them is compared unpaired",
    ]


def test_reports_are_compared_from_their_findings(two: AuditProject) -> None:
    found = as_json(two, "reports/a", "reports/b")
    one = difference(found, **EVERYONE)
    assert one["how"] == "unpaired"
    assert found["warnings"][0].startswith("both were tested on the same data, but pairing is not available from")
    assert [file["key"] for file in found["files"]] == ["audit.title", "recipe.batch_size"]
    first, second = one["first"]["interval"], one["second"]["interval"]
    down = sqrt((one["second"]["estimate"] - second["low"]) ** 2 + (first["high"] - one["first"]["estimate"]) ** 2)
    assert one["interval"]["low"] == pytest.approx(one["estimate"] - down)


def test_metrics_named_with_their_distribution_are_the_same_metrics(two: AuditProject) -> None:
    two.write({"long.toml": OTHER.replace('"accuracy", "true', '"auditkit:accuracy", "true')})
    two.run("report", "long.toml", "--quiet")
    for short, long in (("b.toml", "long.toml"), ("reports/b", "reports/long")):
        found = as_json(two, short, long)
        assert difference(found, **EVERYONE)["estimate"] == 0.0
        assert {one["first"]["metric"] for one in found["findings"]} == {"accuracy", "true_positive_rate", "brier"}


def test_an_audit_against_itself_is_exactly_nothing(two: AuditProject) -> None:
    found = as_json(two, "a.toml", "a.toml")
    assert (found["files"], found["warnings"]) == ([], [])
    for one in found["findings"]:
        assert one["estimate"] in (0.0, None)
        if one["estimate"] is not None and one["interval"] is not None:
            assert (one["interval"], one["simultaneous"]) == ({"low": 0.0, "high": 0.0},) * 2


def wide(project: AuditProject) -> AuditProject:
    return AuditProject(project.folder, {**project.environment, "COLUMNS": "300"})


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_answer_is_printed_first_and_then_what_differs(two: AuditProject) -> None:
    found = as_json(two, "a.toml", "b.toml")
    count = Counter(one["verdict"] for one in found["findings"])
    lines = squeezed(wide(two).run("compare", "a.toml", "b.toml").assert_success().out)
    assert lines[:2] == ["A a.toml · Simulated", "B b.toml · Otherwise"]
    assert lines[3] == (
        f"{count['differs']} of {len(found['findings'])} findings differ: {count['cannot tell']} cannot be told, "
        f"{count['not estimable']} are not estimable."
    )
    files, head = (
        lines.index("in the files A B"),
        lines.index("findings that differ, largest first A B B less A, paired"),
    )
    assert lines[files + 1 : files + 3] == ['audit.title "Simulated" "Otherwise"', "recipe.batch_size 256 64"]
    largest = max(
        (one for one in found["findings"] if one["verdict"] == "differs"), key=lambda one: abs(one["estimate"])
    )
    assert f" {100 * largest['estimate']:+.1f} points [" in lines[head + 1]
    assert lines[head + count["differs"] + 2] == "The rest, by metric (--all lists each):"
    everything = squeezed(wide(two).run("compare", "a.toml", "b.toml", "--all").out)
    assert lines[: head + count["differs"] + 1] == everything[: head + count["differs"] + 1]
    assert len(everything) == head + len(found["findings"]) + 3


def test_brackets_are_printed_as_they_are(two: AuditProject) -> None:
    labelled = OTHER.replace('name = "original"', 'name = "original"\nlabel = "[b] as drawn [/x]"')
    two.write({"brackets.toml": labelled.replace("Otherwise", "[i] Otherwise [/y]")})
    told = squeezed(wide(two).run("compare", "a.toml", "brackets.toml", "--all").assert_success().out)
    assert 'audit.title "Simulated" "[i] Otherwise [/y]"' in told
    told = squeezed(wide(two).run("compare", "brackets.toml", "brackets.toml", "--all").assert_success().out)
    assert any(line.startswith("accuracy of everyone, [b] as drawn [/x], task Male") for line in told)


def test_nothing_differs_of_an_audit_and_itself(two: AuditProject) -> None:
    lines = squeezed(wide(two).run("compare", "a.toml", "a.toml").assert_success().out)
    number = len(as_json(two, "a.toml", "a.toml")["findings"])
    none = f"None of {number} findings differs: "
    assert lines[3].startswith(none)
    assert " have no difference larger than the margin of 0.5 points" in lines[3]
    assert "The files say the same." in lines


def test_gates_that_came_out_otherwise_are_named(two: AuditProject) -> None:
    two.write({"strict.toml": SIMULATED.replace("at_least = 0.6", "at_least = 0.99").replace("cannot be told", "new")})
    lines = squeezed(wide(two).run("compare", "a.toml", "strict.toml").assert_success().out)
    assert lines[4:8] == [
        "3 of 4 gates came out otherwise:",
        "passed in A, failed in B: young stay right",
        "insufficient evidence in A, not there in B: cannot be told",
        "not there in A, insufficient evidence in B: new",
    ]
    lines = squeezed(wide(two).run("compare", "a.toml", "b.toml").assert_success().out)
    assert lines[4] == "All 3 gates came out alike: 1 passed, 1 failed, 1 insufficient evidence."


def test_many_differences_are_folded_unless_all_are_asked_for(two: AuditProject) -> None:
    hair = [f"{colour}_Hair" for colour in ("Black", "Blond", "Brown", "Gray")]
    named = [*hair, "Bald", "Bangs", "Blurry", "Chubby", "Eyeglasses", "Goatee", "Mustache"]
    words = "\n".join(f'{name} = {{ 0 = "{"a" * 70}", 1 = "b" }}' for name in named)
    two.write({"long.toml": f"{OTHER}\n[words]\n{words}\n"})
    out = squeezed(wide(two).run("compare", "a.toml", "long.toml").assert_success().out)
    assert f'words.Black_Hair.0 "{"a" * 56}...' in out
    assert "and 4 more in the files (--all)" in out
    everything = squeezed(wide(two).run("compare", "a.toml", "long.toml", "--all").assert_success().out)
    assert f'words.Mustache.0 "{"a" * 70}"' in everything


def test_findings_are_called_as_in_reports(two: AuditProject) -> None:
    words = '[words]\nYoung = { 0 = "old people", 1 = "young people" }\n'
    named = OTHER.replace('name = "oversampled"', 'name = "oversampled"\nlabel = "more bald"')
    two.write({"named.toml": f"{named}\n{words}"})
    out = wide(two).run("compare", "a.toml", "named.toml", "--all").assert_success().out
    assert "accuracy of old people, oversampled, task Male" in out
    assert (
        "change in accuracy of young people, more bald against original"
        in wide(two).run("compare", "named.toml", "named.toml", "--all").out
    )


def test_both_sides_are_labelled(two: AuditProject) -> None:
    os.utime(two.folder / "reports" / "a" / "findings.json", (0, 1_700_000_000))
    at = datetime.fromtimestamp(1_700_000_000).astimezone()
    first, second = as_json(two, "reports/a", "b.toml")["sides"]
    assert first == {
        "side": "A",
        "label": f"reports/a · Simulated · written {at:%Y-%m-%d %H:%M}",
        "name": "reports/a",
        "title": "Simulated",
        "kind": "report",
        "written": at.isoformat(),
    }
    assert (second["label"], second["kind"], second["written"]) == ("b.toml · Otherwise", "audit file", None)
    assert two.run("compare", "reports/a", "b.toml").out.startswith(f"A  {first['label']}\nB  {second['label']}\n")
    scaled = Side("r", Results(facts={"profile": "small", "scale": 0.5, "stand_in": True, "overrides": ["a.b=1"]}))
    assert scaled.label == "r · stand-in, profile small, scale 0.5, --set a.b=1"


def test_ratios_and_their_differences_are_printed_as_ratios(two: AuditProject) -> None:
    one = difference(as_json(two, "a.toml", "b.toml"), quantity="ratio", metric="accuracy", arm="original")
    lines = squeezed(wide(two).run("compare", "a.toml", "b.toml", "--all").assert_success().out)
    (line,) = [line for line in lines if line.startswith("ratio of accuracy, smallest / largest over Young, original,")]
    first, second = (one[side]["estimate"] for side in ("first", "second"))
    assert f" {first:.3f} {second:.3f} {second - first:+.3f}, unpaired" in line


def test_what_can_not_be_opened_ends_with_2(two: AuditProject) -> None:
    two.write({"c.toml": SIMULATED.replace('init = "none"', 'init = "none"\nbatch_size = 32')})
    outcome = two.run("compare", "a.toml", "c.toml").assert_code(2)
    assert outcome.err == (
        "c.toml: 6 of its 6 units are not in the store .auditkit, such as Male · original · seed 0\n"
        "  train them: auditkit run c.toml\n"
    )
    outcome = two.run("compare", "a.toml", "nothing").assert_code(2)
    assert outcome.err == (
        "nothing: this is neither an audit file nor a report folder with a findings.json\n"
        "  as in auditkit compare reports/a reports/b\n"
    )
    two.write({"foreign/findings.json": '{"findings": []}'})
    outcome = two.run("compare", "a.toml", "foreign").assert_code(2)
    assert outcome.err.startswith("foreign/findings.json: this is no findings file of auditkit\n")


def test_audits_of_one_data_set_without_an_arm_in_common_are_refused(two: AuditProject) -> None:
    """Whose predictions are there, so that they would be paired."""
    arms = OTHER
    for name in ("original", "oversampled"):
        arms = arms.replace(f'"{name}"', f'"new-{name}"')
    project = audit_project({"a.toml": SIMULATED, "c.toml": arms})
    for name in ("a", "c"):
        simulate(prepared(project.folder / f"{name}.toml", project.folder / ".auditkit"), 0.7)
    outcome = project.run("compare", "a.toml", "c.toml")
    assert outcome.code == 2
    assert (
        "a.toml and c.toml cannot be compared: they have no finding in common; the arms of the first are 'original' "
        "and 'oversampled', of the second 'new-original' and 'new-oversampled', and what is compared has the "
        "same name in both"
    ) in outcome.err


def test_so_do_predictions_made_elsewhere_that_both_reports_judged() -> None:
    frame = table()
    project = audit_project({})
    frame.to_csv(project.folder / "a.csv", index=False)
    frame.replace({"arm": {"b": "c"}}).to_csv(project.folder / "b.csv", index=False)
    for file in ("a.csv", "b.csv"):
        columns = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
        asked = ("--truth", "truth", "--score", "score", "--groups", "gender", "--title", "T", *columns)
        project.run("judge", file, *asked, "--quiet").assert_success()
    found = as_json(project, "reports/a-judged", "reports/b-judged")
    assert {d["how"] for d in found["findings"]} == {"the very same networks"}
    assert {d["first"]["arm"] for d in found["findings"]} == {"a"}
    assert found["files"] == [
        {"key": "arm.b.name", "first": "b", "second": None}, {"key": "arm.c.name", "first": None, "second": "c"}
    ]  # fmt: skip
