"""Units that cannot be run: each ends with a reason, and the others are finished."""

from __future__ import annotations

import io
import json
from contextlib import chdir

import numpy as np
import pytest
from installed_plugins import Install
from PIL import Image

import auditkit.audit
from auditkit.engine.store import Store
from auditkit.errors import InvalidAudit
from auditkit.testing import AuditProject, audit_project

AUDIT = """\
[audit]
title = "Little"
[data]
dataset = { use = "table", split = "part" }
place = "photos.csv"
train = { from = ["train"] }
valid = { from = ["valid"] }
image = { size = 16 }
[[task]]
target = "Smiling"
[recipe]
model = "small-cnn"
init = "none"
budget = { epochs = 1 }
batch_size = 8
[[arm]]
name = "original"
"""
NO_EVIDENCE = '[evidence]\nreference = "original"\nreplicates = 200\nspillover = false\nscan = false\n'
PHOTOS = 24
PARTS = np.repeat(["train", "valid", "test"], PHOTOS // 3)
QUICK = ("--device", "cpu", "--workers", "1", "--progress", "plain", "--quiet")


def picture(shade: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (16, 16), (shade, shade, shade)).save(written, "PNG")
    return written.getvalue()


def project(audit: str, environment: dict[str, str] | None = None, **missing_in: str) -> AuditProject:
    """Photos of people who smile or not, are bald or not, in three parts; an attribute may be missing in one part."""
    columns = {"Smiling": np.arange(PHOTOS) % 2, "Bald": np.arange(PHOTOS) // 2 % 2}
    lines = ["image,part,Smiling,Bald"]
    for i, part in enumerate(PARTS):
        values = ["" if missing_in.get(name) == part else str(column[i]) for name, column in columns.items()]
        lines.append(",".join([f"{i}.png", part, *values]))
    pictures = {f"{i}.png": picture(10 * i) for i in range(PHOTOS)}
    return audit_project({"a.toml": audit, "photos.csv": "\n".join(lines) + "\n", **pictures}, environment)


def states(of: AuditProject) -> dict[str, str]:
    units = json.loads(of.run("plan", "a.toml", "--json").assert_success().out)["units"]
    return {unit["arm"]: unit["state"] for unit in units}


ASIDE = '[[arm]]\nname = "aside"\nsampler = { use = "kept-aside", judge = "original" }\n'
FOLLOWER = '[[arm]]\nname = "follower"\ninit = "aside"\n'


def test_a_unit_that_waits_for_predictions_that_never_come_fails_with_its_children(install: Install) -> None:
    site = install("kept_aside")
    made = project(AUDIT + ASIDE + FOLLOWER + NO_EVIDENCE, {"PYTHONPATH": str(site)}, Smiling="valid")
    told = " ".join(made.run("run", "a.toml", *QUICK).assert_code(3).out.split())
    reason = "its sampler reads predictions of arm 'original' on valid, and there are none"
    assert f"Smiling · aside · seed 0: failed: not run, because {reason}" in told
    assert "Smiling · follower · seed 0: failed: not run, because Smiling · aside · seed 0 failed" in told
    assert states(made) == {"original": "done", "aside": "to run", "follower": "to run"}


def test_photos_of_unknown_truth_are_neither_trained_on_nor_predicted() -> None:
    made = project(AUDIT + NO_EVIDENCE)
    lines = made.read("photos.csv").splitlines()
    for row in (0, 1, PHOTOS - 1):
        name, part, _, bald = lines[row + 1].split(",")
        lines[row + 1] = f"{name},{part},,{bald}"
    made.write({"photos.csv": "\n".join(lines) + "\n"}).run("run", "a.toml", *QUICK).assert_success()
    (unit,) = (made.folder / ".auditkit" / "units").iterdir()
    store = Store(made.folder / ".auditkit")
    assert store.facts(unit.name)["rows"] == PHOTOS // 3 - 2
    assert store.predictions(unit.name).row.tolist() == list(range(PHOTOS // 3, PHOTOS - 1))


ROBUST = '[[arm]]\nname = "robust"\nobjective = { use = "group-dro", strata = ["Bald"] }\n'


def test_strata_may_be_missing_where_nothing_is_trained_on() -> None:
    made = project(AUDIT + ROBUST + NO_EVIDENCE, Bald="test")
    made.run("run", "a.toml", *QUICK).assert_success()
    assert states(made) == {"original": "done", "robust": "done"}


def test_missing_strata_fail_the_unit_that_wants_them_alone() -> None:
    last = '[[arm]]\nname = "last"\nsampler = { use = "oversample", where = { Smiling = 1 }, times = 1 }\n'
    made = project(AUDIT + ROBUST + last + NO_EVIDENCE, Bald="train")
    told = " ".join(made.run("run", "a.toml", *QUICK).assert_code(3).out.split())
    cause = "8 of 8 photos have no value of 'Bald', so it cannot define strata"
    assert f"robust · seed 0: failed: {cause} leave these photos out of the data, or name another attribute" in told
    assert states(made) == {"original": "done", "robust": "to run", "last": "done"}


def test_an_impossible_draw_is_told_before_anything_is_trained() -> None:
    arm = '[[arm]]\nname = "many"\nsampler = { use = "oversample", where = { Bald = 1 }, extra = 3, of = "dataset" }\n'
    made = project(AUDIT + arm + NO_EVIDENCE)
    with chdir(made.folder), pytest.raises(InvalidAudit, match="asks for 24 copies of different photos"):
        auditkit.audit.run("a.toml", device="cpu")
    assert not (made.folder / ".auditkit" / "units").exists()


@pytest.mark.parametrize(
    ("was", "now", "said", "hint"),
    [
        (
            'valid = { from = ["valid"] }\n',
            "",
            "there is no valid split",
            "set hold_out in [data.train], or give [data.valid]",
        ),
        (
            'name = "original"\n',
            'name = "original"\non = "valid"\n',
            "that arm trains on it",
            "name an arm that trains on train",
        ),
    ],
)
def test_predictions_that_nobody_will_make_are_refused_in_the_file(
    was: str, now: str, said: str, hint: str, install: Install
) -> None:
    site = install("kept_aside")
    made = project((AUDIT + ASIDE).replace(was, now), {"PYTHONPATH": str(site)})
    outcome = made.run("validate", "a.toml").assert_code(2)
    needs = "sampler 'kept-aside' of arm 'aside' needs the predictions of arm 'original' on valid, but"
    assert f"{needs} {said}\n" in outcome.err
    assert hint in outcome.err
