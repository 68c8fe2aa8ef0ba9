"""Units that cannot be run: each ends with a reason, and the others are finished."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path

import pytest
from installed_plugins import Install
from table_toys import AUDIT, NO_EVIDENCE, PHOTOS, QUICK, project
from training_toys import Events, Inline

import auditkit.audit
from auditkit.engine.cache import ensure_images
from auditkit.engine.prepare import Settings, prepare
from auditkit.engine.schedule import Places, alike, execute, kind
from auditkit.engine.store import Store
from auditkit.errors import InvalidAudit, RunFailed
from auditkit.events import UnitStarted
from auditkit.testing import AuditProject


def states(of: AuditProject, code: int = 0) -> dict[str, str]:
    units = json.loads(of.run("plan", "a.toml", "--json").assert_code(code).out)["units"]
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


SLIPS = '[[arm]]\nname = "slips"\nsampler = "slips"\n'


def test_a_sampler_with_a_mistake_fails_its_own_units_alone(install: Install) -> None:
    made = project(AUDIT + SLIPS + NO_EVIDENCE, {"PYTHONPATH": str(install("slips"))}, Smiling="valid")
    said = "sampler 'slips' of arm 'slips' cannot draw: KeyError: 'images'"
    planned = " ".join(made.run("plan", "a.toml").assert_code(3).out.split())
    assert f"1 unit of slips broken, because plugin auditkit-slips 0.1: {said}" in planned
    assert "2 units: 1 to run, 1 broken" in planned
    told = " ".join(made.run("run", "a.toml", *QUICK).assert_code(3).out.split())
    assert f"Smiling · slips · seed 0: failed: plugin auditkit-slips 0.1: {said}" in told
    assert states(made, 3) == {"original": "done", "slips": "broken"}
    assert made.read("reports/a/report.md")


def test_from_python_the_report_is_written_before_a_failure_is_raised(install: Install) -> None:
    made = project(AUDIT + SLIPS + NO_EVIDENCE, {"PYTHONPATH": str(install("slips"))}, Smiling="valid")
    with chdir(made.folder), pytest.raises(RunFailed, match="cannot draw: KeyError: 'images'"):
        auditkit.audit.run("a.toml", store="elsewhere")
    assert "original" in made.read("reports/a/report.md")


def digests(text: str, site: Path) -> dict[str, str]:
    made = project(text, {"PYTHONPATH": str(site)}, Smiling="valid")
    units = json.loads(made.run("plan", "a.toml", "--json").assert_success().out)["units"]
    return {unit["arm"]: unit["digest"] for unit in units}


def test_names_of_arms_are_no_part_of_a_digest_but_what_is_said_of_them_is(install: Install) -> None:
    site, same = install("slips"), '[[arm]]\nname = "same"\nsampler = { use = "same", from = "original"SHARES }\n'
    text = AUDIT + same + NO_EVIDENCE
    plain = digests(text.replace("SHARES", ""), site)
    assert plain["same"] == digests(text.replace("SHARES", "").replace('"original"', '"base"'), site)["same"]
    shares = [digests(text.replace("SHARES", f", shares = {{ original = {n} }}"), site)["same"] for n in (1, 2)]
    assert len({plain["same"], *shares}) == 3


def test_photos_of_unknown_truth_are_neither_trained_on_nor_predicted() -> None:
    made = project(AUDIT + NO_EVIDENCE)
    lines = made.read("images.csv").splitlines()
    for row in (0, 1, PHOTOS - 1):
        name, part, _, bald = lines[row + 1].split(",")
        lines[row + 1] = f"{name},{part},,{bald}"
    made.write({"images.csv": "\n".join(lines) + "\n"}).run("run", "a.toml", *QUICK).assert_success()
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
    cause = "8 of 8 images have no value of 'Bald', so it cannot define strata"
    assert f"robust · seed 0: failed: {cause} leave these images out of the data, or name another attribute" in told
    assert states(made) == {"original": "done", "robust": "to run", "last": "done"}


def test_an_impossible_draw_is_told_before_anything_is_trained() -> None:
    arm = '[[arm]]\nname = "many"\nsampler = { use = "oversample", where = { Bald = 1 }, extra = 3, of = "dataset" }\n'
    made = project(AUDIT + arm + NO_EVIDENCE)
    with chdir(made.folder), pytest.raises(InvalidAudit, match="asks for 24 copies of different images"):
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


FOCAL = '[[arm]]\nname = "{}"\nobjective = {{ use = "focal" }}\ninit = "{}"\n'


def test_units_of_one_kind_follow_each_other_and_parents_come_before_children() -> None:
    """Three kinds: cross-entropy, focal loss, and cross-entropy of the last layer alone, which needs its parent."""
    copied = '[[arm]]\nname = "copied"\nsampler = { use = "oversample", where = { Bald = 1 }, times = 1 }\n'
    head = '[[arm]]\nname = "head"\ninit = "original"\ntrain = "head"\n'
    made = project(
        AUDIT + FOCAL.format("focal", "none") + copied + head + FOCAL.format("late", "original") + NO_EVIDENCE
    )
    events = Events()
    with chdir(made.folder):
        ready = prepare(Settings(Path("a.toml"), sets=("recipe.seeds=[0, 1]",), store=made.folder / ".auditkit"))
        inline = Inline(events)
        images = ensure_images(ready.dataset, ready.pools.rows, ready.read.resolved.audit.data.image, inline, events)
        assert execute(ready, inline, Places(images, "cpu", "float32", 1, 1), events) == ()
    order = [event.label for event in events.of(UnitStarted)]
    assert order == [
        f"Smiling · {arm} · seed {seed}"
        for arms in (("original", "copied"), ("focal", "late"), ("head",))
        for arm in arms
        for seed in (0, 1)
    ]


def test_units_of_the_kind_that_ran_last_go_first() -> None:
    made = project(AUDIT + FOCAL.format("focal", "none") + NO_EVIDENCE)
    with chdir(made.folder):
        units = prepare(Settings(Path("a.toml"), sets=("recipe.seeds=[0, 1]",))).plan.units
    plain, focal = ([unit for unit in units if unit.arm.name == name] for name in ("original", "focal"))
    mixed = [plain[0], focal[0], plain[1], focal[1]]
    assert alike(mixed, "") == alike(mixed, kind(plain[0])) == [*plain, *focal]
    assert alike(mixed, kind(focal[0])) == [*focal, *plain]
