"""How long a plan says that it takes: by a model of the costs before anything is measured, then as measured."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditkit.testing import audit_project

AUDIT = """\
[audit]
title = "x"
[data]
dataset = { use = "faces", images = 600, enrich = true }
train = { from = ["train", "valid"], draw = 256 }
test = { draw = 64 }
image = { size = 32 }
[[task]]
target = "Male"
[recipe]
init = "none"
model = "small-cnn"
budget = { epochs = 8 }
batch_size = 32
[[arm]]
name = "original"
"""


def planned(*sets: str, text: str = AUDIT) -> dict[str, Any]:
    options = [part for one in sets for part in ("--set", one)]
    found: dict[str, Any] = json.loads(audit_project({"a.toml": text}).run("plan", "a.toml", "--json", *options).out)
    return found


def test_the_weights_of_a_step_cost_whatever_its_images_do() -> None:
    small, large = planned(), planned("recipe.batch_size=256")
    assert small["visits"] == large["visits"]
    assert small["images_per_second"] == pytest.approx(2 * 32 / (0.06 + 32 * 0.0043 / 4))
    assert large["images_per_second"] == pytest.approx(2 * 256 / (0.06 + 256 * 0.0043 / 4))


def test_images_cost_by_their_area() -> None:
    found = planned("data.image.size=128", "recipe.batch_size=256")
    assert found["images_per_second"] == pytest.approx(2 * 256 / (0.06 + 256 * 0.0043 * 4))


def test_evaluation_and_images_to_be_made_count() -> None:
    few, many = planned(), planned("data.test.draw=100")
    image = 0.0043 / 4
    assert few["minutes"] * 60 == pytest.approx(8 * 8 * (0.06 + 32 * image) / 2 + _rest(64, 320, image))
    assert (many["minutes"] - few["minutes"]) * 60 == pytest.approx(_rest(100, 356, image) - _rest(64, 320, image))


def _rest(evaluated: int, made: int, image: float) -> float:
    """Seconds beside training: evaluation, a unit's start, images made, the start of a run, its report."""
    return (evaluated * image / 3 + 0.4 + 0.005 * made) / 2 + 5 + 4


def test_the_last_layer_alone_costs_little_more_than_looking_at_the_images() -> None:
    assert planned('arm[original].train="head"')["minutes"] * 60 == pytest.approx(
        (256 / 3 * 0.0043 / 4 + 64 * 0.001) / 2 + _rest(64, 320, 0.0043 / 4)
    )


def test_a_unit_that_waits_for_another_is_not_forgotten() -> None:
    waiting = '[[arm]]\nname = "twice"\nsampler = { use = "upweight-errors", arm = "original", times = 2 }\n'
    both = planned(text=AUDIT + waiting)
    assert both["visits"] == planned()["visits"]
    assert (both["minutes"] - planned()["minutes"]) * 60 > 8 * 8 * 0.06 / 2


def test_what_was_measured_takes_the_place_of_what_was_assumed() -> None:
    project = audit_project({"a.toml": AUDIT})
    told = " ".join(project.run("plan", "a.toml").assert_success().out.split())
    assert "(678 img/s assumed for ResNet-18 on two CPU cores)" in told
    project.run("run", "a.toml").assert_success()
    again = project.run("plan", "a.toml", "--set", "recipe.seeds=[1]").assert_success()
    assert "1 unit: 1 to run · 2,048 visits to run · under a minute (" in again.out
    assert "img/s measured here)" in again.out
    done = json.loads(project.run("plan", "a.toml", "--json").out)
    assert (done["visits"], done["minutes"]) == (0, 0)
