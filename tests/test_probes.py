"""Other targets: heads on frozen features, which units they cost, what they find, and how that is called."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from probed_toys import TOY, prepared, story
from sklearn.linear_model import LogisticRegression

from auditkit.engine.probes import ProbeMargins, joined, probes_of
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.probes import other_targets
from auditkit.evidence.results import Probed
from auditkit.spec.model import Evidence, Task
from auditkit.testing import AuditProject, audit_project
from auditkit.training.heads import RIDGE, fit

# ------------------------------------------------------------------------------------------------------------- heads


def problem(rows: int = 600, width: int = 12) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Correlated features of different size, labels with noise, one rare, one with gaps, one that never occurs."""
    rng = np.random.default_rng(3)
    features = rng.normal(size=(rows, 5)) @ rng.normal(size=(5, width)) + 0.5 * rng.normal(size=(rows, width))
    features = features * np.geomspace(0.01, 100, width) + 5
    features[:, 0] = 7  # a feature that is dead
    signal = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-12) @ rng.normal(size=(width, 4))
    labels = (signal + 2 * rng.normal(size=signal.shape) > [0, 6, 0, 1000]).astype(np.int8)
    labels[::3, 2] = -1
    weight = rng.integers(1, 5, rows)
    return tuple(torch.from_numpy(a) for a in (features.astype(np.float32), labels, weight.astype(np.float32)))  # type: ignore[return-value]


def test_every_head_is_the_logistic_regression_of_others() -> None:
    features, labels, weight = problem()
    found = fit(features, labels, weight)
    margins = found.margins(features).numpy()
    standard = ((features - found.mean) / found.scale).numpy().astype(np.float64)
    for column in range(3):
        known = labels[:, column].numpy() >= 0
        counts = weight.numpy()[known].astype(np.float64)
        theirs = LogisticRegression(C=1 / (RIDGE * counts.sum()), tol=1e-10, max_iter=10_000)
        theirs.fit(standard[known], labels[:, column].numpy()[known], sample_weight=counts)
        np.testing.assert_allclose(margins[:, column], theirs.decision_function(standard), atol=0.01)


def test_a_head_with_nothing_to_tell_apart_gives_no_margin_and_leaves_the_others() -> None:
    features, labels, weight = problem()
    margins = fit(features, labels, weight).margins(features)
    assert margins[:, 3].isnan().all()
    assert margins[:, :3].isfinite().all()


def test_a_head_does_not_depend_on_the_questions_beside_it() -> None:
    features, labels, weight = problem()
    together, alone = fit(features, labels, weight), fit(features, labels[:, :1], weight)
    np.testing.assert_allclose(together.coefficients[:, 0], alone.coefficients[:, 0], atol=1e-3)


def test_a_row_counts_as_often_as_it_was_drawn() -> None:
    features, labels, weight = problem()
    times = weight.to(torch.int64)
    repeated = fit(
        features.repeat_interleave(times, 0), labels.repeat_interleave(times, 0), torch.ones(int(times.sum()))
    )
    np.testing.assert_allclose(repeated.margins(features), fit(features, labels, weight).margins(features), atol=0.01)


def test_heads_are_the_same_twice() -> None:
    assert torch.equal(fit(*problem()).coefficients[:, 0], fit(*problem()).coefficients[:, 0])


# -------------------------------------------------------------------------------------------------- which are asked


LEVELS = {"Male": (0, 1), "Smiling": (0, 1), "Race": ("A", "B", "C"), "Constant": (1,)}


def test_all_targets_are_all_attributes_but_the_own_and_every_level_of_many() -> None:
    asked = probes_of(Evidence(targets=("*",)), Task(target="Male"), LEVELS)
    assert [probe.name for probe in asked] == ["Smiling", "Race=A", "Race=B", "Race=C"]
    assert [probe.key for probe in asked] == ["Smiling=1", "Race=A", "Race=B", "Race=C"]
    assert probes_of(Evidence(), Task(target="Male"), LEVELS) == ()


def test_margins_of_other_rows_are_not_mixed() -> None:
    stored = ProbeMargins(np.array([1, 2]), {"a": np.zeros(2, np.float32)})
    more = ProbeMargins(np.array([1, 2]), {"b": np.ones(2, np.float32)})
    assert set(joined(stored, more).margins) == {"a", "b"}
    assert set(joined(stored, replace(more, row=np.array([1, 3]))).margins) == {"b"}


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ('["Smilng"]', "unknown attribute 'Smilng' in 'targets' of [evidence]"),
        ('["Smiling", "Smiling"]', "target 'Smiling' is there twice"),
        ('"Male"', "target 'Male' is what the task predicts already"),
    ],
)
def test_a_wrong_target_is_told_with_its_place(targets: str, said: str) -> None:
    project = audit_project({"toy.toml": f"{TOY}targets = {targets}\n"})
    outcome = project.run("validate", "toy.toml").assert_code(2)
    assert said in outcome.out + outcome.err
    assert f"toy.toml:{len(TOY.splitlines()) + 1}:" in outcome.out + outcome.err


def test_the_nearest_name_is_offered() -> None:
    outcome = audit_project({"toy.toml": TOY + 'targets = ["Smilng"]\n'}).run("plan", "toy.toml").assert_code(2)
    assert "did you mean 'Smiling'?" in outcome.err


# ----------------------------------------------------------------------------------------------------- what they find


def toy_panels(people: int = 300, per_person: int = 4) -> tuple[Panel, dict[str, Panel]]:
    """A task, and two probes: in arm b the second probe is worse by 20 points among men only."""
    rng = np.random.default_rng(5)
    rows = people * per_person
    identity = np.repeat(np.arange(people), per_person)
    male = rng.integers(0, 2, people)[identity].astype(np.int8)
    attributes: dict[str, Any] = {"Male": male, "Smiling": rng.integers(0, 2, rows).astype(np.int8)}
    base = Panel("Male", "Male", "plain", np.arange(rows), np.zeros(rows, np.int64), identity, male, attributes,
                 {"Male": (0, 1), "Smiling": (0, 1)}, ())  # fmt: skip

    def arms(truth: np.ndarray[Any, Any], worse: float) -> tuple[ArmScores, ...]:
        margins = []
        for arm in range(2):
            chance = np.where(male == 1, 0.9 - worse * arm, 0.9)
            right = rng.random((3, rows)) < chance
            margins.append(np.where(right, 2 * truth - 1.0, 1 - 2.0 * truth).astype(np.float32))
        return tuple(ArmScores(name, (0, 1, 2), margin) for name, margin in zip("ab", margins, strict=True))

    even, bent = (rng.integers(0, 2, rows).astype(np.int8) for _ in range(2))
    gaps = arms(even, 0.0)
    for scores in gaps:
        scores.margin[:, ::2] = np.nan  # half of the images have no value of the first target
    probes = {
        "Smiling": replace(base, target="Smiling", truth=even, arms=gaps),
        "Bald": replace(base, target="Bald", truth=bent, arms=arms(bent, 0.2)),
    }
    return replace(base, arms=arms(male, 0.0)), probes


def test_a_planted_loss_is_found_among_men_and_nowhere_else() -> None:
    panel, probes = toy_panels()
    found, families = other_targets(panel, probes, Evidence(reference="a", groups=(("Male",),), replicates=400))
    assert families == {"other targets of Male": 4}
    changes = {(f.probe.name, f.quantity): f for f in found if f.probe and f.quantity != "value"}
    assert set(changes) == {(name, what) for name in ("Smiling", "Bald") for what in ("change", "change_in_signed_gap")}
    gap = changes["Bald", "change_in_signed_gap"]
    assert gap.verdict == "changed"
    assert gap.estimate == pytest.approx(-0.2, abs=0.05)
    assert changes["Bald", "change"].verdict == "changed"
    assert changes["Smiling", "change"].verdict != "changed"
    assert changes["Smiling", "change_in_signed_gap"].verdict != "changed"


def test_the_numbers_are_shares_of_right_answers_where_the_truth_is_known() -> None:
    panel, probes = toy_panels()
    found, _ = other_targets(panel, probes, Evidence(reference="a", replicates=400))
    for name, probe in probes.items():
        for arm in probe.arms:
            (value,) = [f for f in found if (f.probe, f.arm, f.quantity) == (Probed(name, "Male"), arm.arm, "value")]
            known = ~np.isnan(arm.margin[0])
            right = ((arm.margin > 0) == (probe.truth == 1))[:, known].mean()
            assert value.estimate == pytest.approx(right)
            assert value.images == known.sum()
            assert value.interval is not None


def test_every_finding_of_a_probe_says_so() -> None:
    panel, probes = toy_panels()
    found, _ = other_targets(panel, probes, Evidence(reference="a", replicates=400))
    assert {(f.probe, f.task) for f in found} == {
        (Probed("Smiling", "Male"), "Smiling (probe of Male)"),
        (Probed("Bald", "Male"), "Bald (probe of Male)"),
    }


# --------------------------------------------------------------------------------------------------------- end to end


@pytest.fixture(scope="module")
def project() -> AuditProject:
    return story().project


def findings(project: AuditProject, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.read(f"reports/{name}/findings.json"))
    return found


def states(text: str) -> set[tuple[str, tuple[str, ...]]]:
    return {(unit["state"], tuple(unit["because"])) for unit in json.loads(text)["units"]}


def test_a_unit_without_weights_is_trained_again_and_the_plan_says_why() -> None:
    expected = ("probes of other targets are missing, 1 of 1", "its weights were not kept, so it is trained again")
    assert states(story().plan_without_weights.out) == {("to run", expected)}
    assert json.loads(story().plan_without_weights.out)["visits"] > 0


def test_more_targets_cost_no_training_where_weights_are_kept() -> None:
    assert states(story().plan_with_weights.out) == {("to run", ("probes of other targets are missing, 38 of 39",))}
    assert json.loads(story().plan_with_weights.out)["visits"] == 0


def test_heads_that_were_there_stay_as_they_were(project: AuditProject) -> None:
    ready = prepared(project)
    for unit in ready.plan.units:
        stored = ready.store.probes(unit.digest)
        assert set(stored.margins) == {f"{name}=1" for name in ready.dataset.attributes.names if name != "Male"}
        np.testing.assert_array_equal(stored.margins["Smiling=1"], story().smiling[unit.digest])
        np.testing.assert_array_equal(stored.row, ready.pools.test)


def test_targets_are_no_part_of_a_digest_and_nothing_is_left_to_do(project: AuditProject) -> None:
    plans = [json.loads(project.run("plan", name, "--json").out)["units"] for name in ("toy.toml", "all.toml")]
    assert [unit["digest"] for unit in plans[0]] == [unit["digest"] for unit in plans[1]]
    assert {unit["state"] for unit in plans[0] + plans[1]} == {"done"}


def test_the_confirmatory_family_does_not_know_the_probes(project: AuditProject) -> None:
    plain, everything = findings(project, "toy"), findings(project, "all")
    declared = [f for f in everything["findings"] if not f["family"].startswith("other targets")]
    assert declared == plain["findings"]
    more = {name: size for name, size in everything["families"].items() if name not in plain["families"]}
    assert list(more) == ["other targets of Male"]


def test_an_accuracy_is_that_of_the_stored_margins(project: AuditProject) -> None:
    ready = prepared(project)
    truth = ready.dataset.attributes.column("Smiling")[ready.pools.test]
    units = [unit for unit in ready.plan.units if unit.arm.name == "original"]
    right = [((ready.store.probes(u.digest).margins["Smiling=1"] > 0) == (truth == 1)).mean() for u in units]
    (found,) = [
        f
        for f in findings(project, "all")["findings"]
        if (f["task"], f["arm"], f["quantity"]) == ("Smiling (probe of Male)", "original", "value")
    ]
    assert found["per_seed"] == pytest.approx(right)


def test_the_report_calls_probes_what_they_are(project: AuditProject) -> None:
    text = project.read("reports/all/report.md")
    section = text.split("## Other targets: probes (exploration)")[1].split("\n## ")[0]
    assert "not networks trained for that attribute" in section
    assert "Male networks: change in the accuracy of probes, in points, against original" in section
    assert "| Smiling |" in section
    assert "Other targets" not in project.read("reports/toy/report.md")
    assert "Other targets: probes" in project.read("reports/all/report.html")


def test_deleting_weights_loses_no_probe_that_is_stored() -> None:
    project = story().project
    ready = prepared(project)
    kept = ready.store.unit(ready.plan.units[0].digest) / "weights.safetensors"
    aside = kept.rename(kept.with_suffix(".aside"))
    try:
        assert states(project.run("plan", "all.toml", "--json").out) == {("done", ())}
    finally:
        aside.rename(kept)
