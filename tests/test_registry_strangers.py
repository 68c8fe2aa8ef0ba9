"""The contract holds for plugins that are not simple: a whole run with three of other people's distributions."""

from __future__ import annotations

import json

from installed_plugins import Install

from auditkit.testing import audit_project

AUDIT = """\
[audit]
title = "Plugins of strangers"
[data]
dataset = { use = "faces", images = 200 }
train = { from = ["train", "valid"], hold_out = 0.1 }
image = { size = 32 }
[[task]]
target = "Male"
[recipe]
model = "small-cnn"
init = "none"
optimizer = { use = "sgd", lr = 0.05 }
budget = { epochs = 1 }
batch_size = 32
[[arm]]
name = "original"
[[arm]]
name = "every-other"
sampler = { use = "every-other", where = { Male = 1 } }
[[arm]]
name = "second-look"
sampler = { use = "second-look", first = "original" }
[[arm]]
name = "worst-case"
objective = { use = "worst-case", strata = ["Male", "Young"] }
[evidence]
reference = "original"
groups = [["Male"]]
replicates = 200
spillover = false
scan = false
"""


def test_a_run_with_plugins_of_strangers(install: Install) -> None:
    site = install("every_other", "second_look", "worst_case")
    project = audit_project({"strangers.toml": AUDIT}, {"PYTHONPATH": str(site)})
    project.run("validate", "strangers.toml").assert_success()
    project.run("run", "strangers.toml", "--device", "cpu", "--workers", "1", "--progress", "none").assert_success()
    units = json.loads(project.run("plan", "strangers.toml", "--json").assert_success().out)["units"]
    assert {unit["arm"]: unit["state"] for unit in units} == dict.fromkeys(
        ("original", "every-other", "second-look", "worst-case"), "done"
    )
    rows = {unit["arm"]: unit["rows"] for unit in units}
    assert rows["every-other"] < rows["original"] == rows["worst-case"] < rows["second-look"]
