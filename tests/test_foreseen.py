"""What a plan foresees: groups without support, and gates that can never be decided, as the findings then have it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence_toys import ACCURACY, evidence, pick, toy_panel
from judged_toys import SIMULATED, prepared, simulate

from auditkit.engine.conclude import conclude
from auditkit.engine.drawing import Drawing
from auditkit.engine.foresight import foreseen
from auditkit.evidence.findings import derive
from auditkit.evidence.foreseen import foresee
from auditkit.testing import AuditProject, audit_project

FEW = SIMULATED.replace('groups = [["Young"]]', 'groups = [["Bald"], ["Bald", "Male"]]\nminimum_images = 60').replace(
    'over = ["Young"], at = { Young = 1 }', 'over = ["Bald", "Male"], quantity = "gap"'
)
WIDE = {"COLUMNS": "300"}


def plan(text: str, *options: str) -> str:
    project = audit_project({"few.toml": text})
    return AuditProject(project.folder, {**project.environment, **WIDE}).run("plan", "few.toml", *options).out


def foreseen_lines(out: str) -> list[str]:
    return [line.rstrip() for line in out.splitlines() if line.startswith("! ")]


def test_groups_and_gates_are_told_before_anything_is_trained() -> None:
    needs, so = "(needs 60 images of 10 people)", "its findings will be not estimable"
    assert foreseen_lines(plan(FEW)) == [
        f"! group Bald=1 of the test set has 35 images of 7 people {needs}: {so}",
        f"! group Bald=1, Male=0 of the test set has 7 images of 1 person {needs}: {so}",
        f"! group Bald=1, Male=1 of the test set has 28 images of 6 people {needs}: {so}",
        f"! gate 1 (young stay right) can never be decided: Bald=1, Male=0 has 7 images of 1 person {needs}",
    ]


def gate(finding: str) -> str:
    whole = f'task = "Male", arm = "oversampled", {finding}'
    return SIMULATED.partition("[[gate]]")[0] + f"[[gate]]\nfinding = {{ {whole} }}\nat_most = 0.5\n"


def test_arms_with_one_seed_are_told() -> None:
    assert foreseen_lines(plan(gate('quantity = "change"').replace("[0, 1, 2]", "[7]"))) == [
        "! gate 1 can never be decided: training variance not measured with one seed",
        "! 'original' and 'oversampled' have one seed: training variance is not measured, so no change to or from it "
        "is called one or decides a gate, and a gate on a value or a gap holds for these trained networks only",
    ]


def test_it_is_told_also_once_all_is_done_and_of_no_gate_on_a_stand_in() -> None:
    """Groups and gates may be other ones than those that the units were trained for."""
    project = audit_project({"few.toml": FEW}, WIDE)
    before = foreseen_lines(project.run("plan", "few.toml").assert_success().out)
    simulate(prepared(project.folder / "few.toml", project.folder / ".auditkit"))
    assert foreseen_lines(project.run("plan", "few.toml").assert_success().out) == before
    away = FEW.replace('dataset = { use = "faces", images = 600 }', 'dataset = "celeba"')
    away += '\n[stand_in]\ndataset = { use = "faces", images = 600 }\n'
    assert not [line for line in foreseen_lines(plan(away)) if "gate" in line]


def test_arms_that_are_no_experiment_are_told() -> None:
    """A forgotten sampler, and a placebo that nothing is measured from."""
    more = '[[arm]]\nname = "forgotten"\n\n[[arm]]\nname = "copies"\nrole = "placebo"\nsampler = { SAMPLER }\n\n'
    sampler = 'use = "oversample", like = "oversampled", where = { Bald = 0 }'
    text = FEW.replace("[[arm]]", more.replace("SAMPLER", sampler) + "[[arm]]", 1)
    assert foreseen_lines(plan(text))[-2:] == [
        "! 'forgotten' and 'original' are the very same networks: nothing in the file tells them apart",
        "! 'copies' has the role of a placebo, but no change is measured from it: name it in [evidence] placebo",
    ]
    found = json.loads(plan(text, "--json"))
    assert found["identical_arms"] == [["forgotten", "original"]]
    assert found["idle_placebos"] == ["copies"]


def test_many_groups_are_told_in_part_and_all_on_demand() -> None:
    many = FEW.replace("minimum_images = 60", "minimum_images = 100_000")
    short, long = foreseen_lines(plan(many)), foreseen_lines(plan(many, "--figures"))
    assert len(short) < len(long)
    assert any(line.endswith(" (--figures lists them)") for line in short)


@pytest.mark.parametrize("minimum", [10, 60, 200])
def test_what_is_foreseen_is_what_the_findings_then_say(minimum: int) -> None:
    project = audit_project({"few.toml": FEW.replace("minimum_images = 60", f"minimum_images = {minimum}")})
    ready = prepared(project.folder / "few.toml", project.folder / ".auditkit")
    before = foreseen(ready, Drawing(ready))
    simulate(ready)
    after = conclude(ready)
    values = [f for f in after.findings if f.quantity == "value" and f.status == "not estimable"]
    assert {(one.over, one.at, name) for one in before.lacking for name in one.metrics} == {
        (f.over, f.at, f.metric) for f in values
    }
    whole = {(one.over, one.at): one.reason for one in before.lacking if one.whole}
    assert {(f.over, f.at): f.reason for f in values if f.metric == "accuracy"} == whole
    for one in before.undecidable:
        assert after.gates[one.gate - 1].outcome == "insufficient evidence"


def test_the_plan_as_json() -> None:
    found: dict[str, Any] = json.loads(plan(FEW, "--json"))
    first = found["lacking_support"][0]
    assert set(first) == {
        "over", "at", "test", "tasks", "arms", "metrics", "whole", "images", "identities", "reason"
    }  # fmt: skip
    assert first["tasks"] == ["Male"] and first["images"] < 60
    assert found["undecidable_gates"][0]["gate"] == 1
    assert found["arms_with_one_seed"] == []


def test_images_of_a_person_may_lie_anywhere_in_the_data() -> None:
    """Seven bald people, with images all over the table: what is foreseen is what is there."""
    panel = toy_panel(people=60)
    bald = np.isin(panel.identity, np.arange(7)).astype(np.int8)
    asked = evidence(groups=(("Bald",),))
    shown = replace(panel, attributes=panel.attributes | {"Bald": bald})
    (one,) = foresee([shown], asked, ACCURACY, (), {arm.arm: 3 for arm in panel.arms}).lacking
    assert one.at == (("Bald", 1),)
    assert (one.images, one.identities) == (int(bald.sum()), 7)
    found = derive([shown], asked, ACCURACY).findings
    assert pick(found, over=("Bald",), at=one.at).reason == one.reason
