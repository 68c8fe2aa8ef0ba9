"""Every registered component keeps the contract, and every kind is checked by the kit that authors get."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from installed_plugins import Install

import auditkit
from auditkit.contracts import Metric, Need, Sampler
from auditkit.engine.discovery import Registered
from auditkit.engine.registry import CLASSES, Registry
from auditkit.engine.resolution import Chosen
from auditkit.spec.faults import read_options
from auditkit.spec.model import Use
from auditkit.spec.option_table import option_rows
from auditkit.testing import check_metric, check_sampler, toy_cohort

REGISTERED = [one for one in Registry.load().registered if one.component.id != "every-other"]
REQUIRED: dict[str, dict[str, Any]] = {
    "oversample": {"where": {"Bald": 1}, "until": "balanced"},
    "undersample": {"over": ["Male"]},
    "balance": {"over": ["Male"]},
    "cells": {"cells": [{"where": {"Male": 1}, "count": 20}, {"where": {"Male": 0}, "count": 20}]},
    "upweight-errors": {"arm": "first", "times": 3},
    "reweight": {"strata": ["Male"]},
    "group-dro": {"strata": ["Male"]},
    "torchvision": {"name": "resnet18"},
}
"""Options for the components that cannot do without."""


def name(one: Registered) -> str:
    return f"{one.kind} {one.component.id}"


def chosen(one: Registered) -> Chosen:
    options = REQUIRED.get(one.component.id, {})
    found, problems = Registry.load().choose(one.kind, Use.model_validate({"use": one.address, **options}), ())
    assert problems == []
    assert found is not None
    return found


@pytest.mark.parametrize("one", REGISTERED, ids=name)
def test_it_says_what_it_is_and_what_its_options_mean(one: Registered) -> None:
    assert one.component.summary
    assert not one.component.summary.endswith(".")
    for row in option_rows(one.component.options):
        assert row.meaning, f"option {row.name!r} has no description"
        assert row.type


@pytest.mark.parametrize("one", REGISTERED, ids=name)
def test_its_class_is_of_its_kind_and_says_the_same_options(one: Registered) -> None:
    found = Registry.load().load_class(chosen(one))
    assert issubclass(found, CLASSES[one.kind])
    assert found.Options is one.component.options


@pytest.mark.parametrize("one", REGISTERED, ids=name)
def test_its_options_survive_the_way_to_a_worker(one: Registered) -> None:
    options = chosen(one).options
    again, faults = read_options(type(options), options.model_dump(mode="json", by_alias=True))
    assert faults == []
    assert again == options


@pytest.mark.parametrize("one", [one for one in REGISTERED if one.kind == "sampler"], ids=name)
def test_samplers_keep_their_rules(one: Registered) -> None:
    check_sampler(Registry.load().load_class(chosen(one)), **REQUIRED.get(one.component.id, {}))


@pytest.mark.parametrize("one", [one for one in REGISTERED if one.kind == "metric"], ids=name)
def test_metrics_keep_their_rules(one: Registered) -> None:
    check_metric(Registry.load().load_class(chosen(one)))


def test_the_public_face_has_every_kind() -> None:
    for kind in get_args(auditkit.contracts.Kind):
        assert getattr(auditkit, kind.capitalize()) is CLASSES[kind]


def test_the_ten_line_sampler_keeps_the_rules(install: Install) -> None:
    install("every_other")
    one = next(one for one in Registry.load().registered if one.component.id == "every-other")
    found, _ = Registry.load().choose("sampler", Use.model_validate({"use": "every-other", "where": {"Male": 1}}), ())
    assert found is not None
    cohort = toy_cohort()
    draw = check_sampler(Registry.load().load_class(found), cohort, where={"Male": 1}, k=2)
    men = int(cohort.column("Male").sum())
    assert len(draw) == len(cohort) - men // 2
    assert one.component.summary == "Keep every k-th row of the rows that match."


def test_a_sampler_that_reads_errors_keeps_the_rules(install: Install) -> None:
    install("second_look")
    found, _ = Registry.load().choose("sampler", Use.model_validate({"use": "second-look", "first": "a"}), ())
    assert found is not None
    draw = check_sampler(Registry.load().load_class(found), first="a", times=2)
    assert (np.bincount(draw.rows) == 3).any()


def test_an_objective_with_strata_has_state_that_moves_to_the_worst_group(install: Install) -> None:
    torch = pytest.importorskip("torch")
    install("worst_case")
    use = Use.model_validate({"use": "worst-case", "strata": ("Male",), "step": 0.5})
    found, problems = Registry.load().choose("objective", use, ())
    assert problems == []
    assert found is not None
    loss = Registry.load().build(found).build((50, 50))
    margin = torch.tensor([2.0, 2.0, -2.0, -2.0])
    for _ in range(5):
        value = loss(margin, torch.ones(4), torch.tensor([0, 0, 1, 1]))
    assert value.isfinite()
    assert loss.state_dict()["weights"][1] > 0.9


# ------------------------------------------------------------------------------------ what the author's kit finds


class Global(Sampler):
    def draw(self, cohort: Any, inputs: Any, rng: Any) -> auditkit.Draw:
        return auditkit.Draw(np.random.permutation(cohort.rows))  # noqa: NPY002


class Positions(Sampler):
    def draw(self, cohort: Any, inputs: Any, rng: Any) -> auditkit.Draw:
        return auditkit.Draw(np.arange(len(cohort)))


class Stateful(Sampler):
    calls = 0

    def draw(self, cohort: Any, inputs: Any, rng: Any) -> auditkit.Draw:
        Stateful.calls += 1
        return auditkit.Draw(cohort.rows[: Stateful.calls])


class Writes(Sampler):
    def draw(self, cohort: Any, inputs: Any, rng: Any) -> auditkit.Draw:
        cohort.attributes.codes[:] = 0
        return auditkit.Draw(cohort.rows)


class ListOfNeeds(Sampler):
    @classmethod
    def needs(cls, options: Any) -> Any:
        return [Need("a", "draw")]

    def draw(self, cohort: Any, inputs: Any, rng: Any) -> auditkit.Draw:
        return auditkit.Draw(cohort.rows)


BAD_SAMPLERS = [
    (Global, "NumPy's global generator was used; take every random choice from `rng`"),
    (Positions, "267 rows are not of the cohort, such as [0, 2, 3]; index cohort.rows, as in cohort.rows[mask]"),
    (Stateful, "two draws with the same generator differ; take every random choice from `rng`"),
    (Writes, "the cohort was changed; copy an array before writing to it"),
    (ListOfNeeds, "needs must return a tuple of auditkit.Need, not [Need(arm='a', what='draw', split='train')]"),
]


@pytest.mark.parametrize(("sampler", "said"), BAD_SAMPLERS, ids=[one.__name__ for one, _ in BAD_SAMPLERS])
def test_a_sampler_that_breaks_a_rule_is_told_which(sampler: type[Sampler], said: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_sampler(sampler)
    assert str(caught.value) == said


class Balanced(auditkit.CountMetric):
    def compute(self, tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
        return tp / (tp + fn) + tn / (tn + fp), 2 * np.ones_like(tp)


class Unweighted(auditkit.ScoreMetric):
    def compute(self, truth: Any, score: Any, weight: Any) -> float:
        return float(((score > 0.5) == truth).mean())


class Leaky(auditkit.TableMetric):
    def compute(self, tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
        return fp + fn, np.broadcast_to((fp + fn).sum(), np.shape(tp))


BAD_METRICS = [
    (Balanced, "the numerator of two groups together is not the sum of theirs"),
    (Unweighted, "a weight of 2 is not as good as the image twice"),
    (Leaky, "the denominator of a replicate depends on the other replicates"),
    (Metric, "Metric must be a CountMetric, a ScoreMetric or a TableMetric"),
]


@pytest.mark.parametrize(("metric", "said"), BAD_METRICS, ids=[one.__name__ for one, _ in BAD_METRICS])
def test_a_metric_that_breaks_a_rule_is_told_which(metric: type[Metric], said: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_metric(metric)
    assert str(caught.value).startswith(said)
