"""Discovery in isolation, and the choice of components."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from installed_plugins import FOLDER, Install

from auditkit.contracts import Condition, Need, Sampler
from auditkit.engine.registry import Registry
from auditkit.engine.resolution import Chosen, ResolvedAudit
from auditkit.engine.work import ComponentRef
from auditkit.errors import AuditError, Problem, RunFailed
from auditkit.spec.model import Audit, Use
from auditkit.spec.repair import frozen


def audit_of(**parts: object) -> Audit:
    base = {"audit": {"title": "x"}, "data": {"dataset": "faces"}, "task": [{"target": "Male"}], "arm": [{"name": "a"}]}
    return Audit.model_validate(frozen({**base, **parts}))


def resolved(audit: Audit, scale: float = 1.0) -> ResolvedAudit:
    found = Registry.load().inspect(audit, scale)
    assert found.problems == ()
    assert found.resolved is not None
    return found.resolved


def chosen(kind: str, **use: object) -> Chosen:
    found, problems = Registry.load().choose(kind, Use.model_validate(use), ("arm", 0, kind))  # type: ignore[arg-type]
    assert problems == []
    assert found is not None
    return found


def test_the_built_in_components_come_by_entry_point() -> None:
    registry = Registry.load()
    assert registry.broken == ()
    assert {one.kind for one in registry.registered} == {"sampler", "model", "objective", "metric", "dataset"}
    assert {one.distribution for one in registry.registered} == {"auditkit"}


def test_a_stranger_adds_a_sampler(install: Install) -> None:
    install("every_other")
    found = chosen("sampler", use="every-other", where={"Bald": 1})
    assert (found.distribution, found.version) == ("auditkit-every-other", "0.1")
    assert found.options.model_dump() == {"where": {"Bald": 1}, "k": 2}
    assert found.component.summary == "Keep every k-th row of the rows that match."
    assert isinstance(Registry.load().build(found), Sampler)


def test_a_distribution_installed_by_pip_is_found(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    subprocess.run(["cp", "-r", FOLDER / "every_other", source], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--target", target, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "auditkit", "plugins", "show", "every-other", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(target), "PATH": ""},
    )
    (shown,) = json.loads(listed.stdout)
    assert (shown["distribution"], shown["version"], shown["kind"]) == ("auditkit-every-other", "0.1", "sampler")
    assert [(option["name"], option["type"]) for option in shown["options"]] == [
        ("where", "condition"),
        ("k", "whole number"),
    ]


def test_broken_plugins_are_remarks(install: Install) -> None:
    site = install("broken", "misspelt", "every_other")
    registry = Registry.load()
    import_error = (
        f"ImportError: cannot import name 'Sampler2' from 'auditkit' ({Path(sys.modules['auditkit'].__file__ or '')})"
    )
    assert [str(broken) for broken in registry.broken] == [
        f"plugin 'fancy' of auditkit-fancy 0.2 did not load: {import_error}",
        "plugin 'misspelt' of auditkit-misspelt 0.1 did not load: "
        "unknown hook 'auditkit_sampler'; did you mean 'auditkit_samplers'?",
    ]
    assert site.name == "site"
    assert "every-other" in {one.component.id for one in registry.registered}


def test_what_is_missing_is_told_with_what_is_broken(install: Install) -> None:
    install("broken")
    found = Registry.load().inspect(audit_of(arm=[{"name": "a", "sampler": "smote"}]))
    assert found.resolved is None
    (problem,) = found.problems
    assert problem.path == ("arm", 0, "sampler", "use")
    assert problem.message == "unknown sampler 'smote'"
    assert problem.hint.startswith("auditkit plugins list shows all; plugin 'fancy' of auditkit-fancy 0.2 did not load")


BAD_PLUGINS = {
    "raises": ("raise SystemExit(3)", "SystemExit: 3"),
    "nothing": ("import auditkit", "it registers nothing; its functions need @auditkit.hookimpl"),
    "signature": (
        "import auditkit\n@auditkit.hookimpl\ndef auditkit_samplers(where): return []",
        "PluginValidationError: Plugin 'bad' for hook 'auditkit_samplers' hookimpl definition: "
        "auditkit_samplers(where) Argument(s) {'where'} are declared in the hookimpl "
        "but can not be found in the hookspec",
    ),
    "no list": (
        "import auditkit\n@auditkit.hookimpl\ndef auditkit_samplers(): return 'abc'",
        "auditkit_samplers must return a list of components, not str",
    ),
    "no component": (
        "import auditkit\n@auditkit.hookimpl\ndef auditkit_models(): return [auditkit.Model]",
        "auditkit_models must return components made by auditkit.component, not ABCMeta",
    ),
    "twice": (
        "import auditkit\n@auditkit.hookimpl\ndef auditkit_models(): return 2 * [auditkit.component('m', 'a:B')]",
        "it registers model 'm' twice",
    ),
    "colon": (
        "import auditkit\n@auditkit.hookimpl\ndef auditkit_models(): return [auditkit.component('a:m', 'a:B')]",
        "auditkit_models: the id 'a:m' must be a word without ':'",
    ),
    "factory": (
        "import auditkit\n@auditkit.hookimpl\ndef auditkit_models(): return [auditkit.component('m', 'a.B')]",
        "auditkit_models: the factory of 'm' must be 'module:Class', not 'a.B'",
    ),
    "options": (
        "import auditkit\n@auditkit.hookimpl\n"
        "def auditkit_models(): return [auditkit.component('m', 'a:B', options=dict)]",
        "auditkit_models: the options of 'm' must be a subclass of auditkit.Options",
    ),
    "use": (
        "import auditkit\nclass O(auditkit.Options):\n    use: str = ''\n@auditkit.hookimpl\n"
        "def auditkit_models(): return [auditkit.component('m', 'a:B', options=O)]",
        "auditkit_models: an option of 'm' is called 'use', which names the component itself",
    ),
}


def write_plugin(site: Path, code: str, *, name: str = "bad", point: str = "bad") -> None:
    info = site / f"auditkit_{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: auditkit-{name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[auditkit]\n{point} = auditkit_{name}\n")
    (site / f"auditkit_{name}.py").write_text(code)


@pytest.mark.parametrize("name", BAD_PLUGINS)
def test_each_rule_of_a_plugin_is_told(name: str, install: Install) -> None:
    code, said = BAD_PLUGINS[name]
    write_plugin(install(), code)
    (broken,) = Registry.load().broken
    assert (broken.name, broken.distribution, broken.error) == ("bad", "auditkit-bad", said)


def test_an_entry_point_name_can_be_used_once(install: Install) -> None:
    site = install("every_other")
    write_plugin(site, "", name="zebra", point="every-other")
    (broken,) = Registry.load().broken
    said = "auditkit-every-other 0.1 has an entry point of the name 'every-other' too"
    assert (broken.distribution, broken.error) == ("auditkit-zebra", said)


@pytest.mark.parametrize("disabled", ["every-other", "no:every-other", "auditkit-every-other"])
def test_a_plugin_can_be_left_out(disabled: str, install: Install) -> None:
    install("every_other")
    assert "every-other" not in {one.component.id for one in Registry.load([disabled]).registered}


def test_autoload_can_be_turned_off(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("every_other", "broken")
    monkeypatch.setenv("AUDITKIT_DISABLE_PLUGIN_AUTOLOAD", "1")
    registry = Registry.load()
    assert registry.broken == ()
    assert {one.distribution for one in registry.registered} == {"auditkit"}


def test_an_id_of_two_distributions_needs_the_distribution(install: Install) -> None:
    install("namesake")
    registry = Registry.load()
    bare, problems = registry.choose("sampler", Use(use="oversample"), ("arm", 0, "sampler"))
    version = next(one.version for one in registry.registered if one.distribution == "auditkit")
    assert bare is None
    assert problems == [
        Problem(
            ("arm", 0, "sampler", "use"),
            f"sampler 'oversample' is offered by auditkit {version} and auditkit-namesake 2.0",
            "write 'auditkit:oversample' or 'auditkit-namesake:oversample'",
        )
    ]
    found = chosen("sampler", use="auditkit-namesake:oversample")
    assert found.address == "auditkit-namesake:oversample"
    with pytest.raises(AuditError, match=r"is offered by auditkit .* and auditkit-namesake 2\.0"):
        registry.build_ref(ComponentRef("sampler", "oversample", {}))
    assert registry.build_ref(ComponentRef("sampler", found.address, {})).options == found.options


def test_a_worker_builds_what_was_chosen_here() -> None:
    found = chosen("sampler", use="oversample", where={"Bald": 1}, until="balanced")
    ref = ComponentRef("sampler", found.address, found.options.model_dump(mode="json", by_alias=True))
    assert Registry.load().build_ref(ref).options == found.options
    with pytest.raises(AuditError, match="sampler 'auditkit:oversample' does not take these options"):
        Registry.load().build_ref(ComponentRef("sampler", found.address, {"until": "never"}))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "import nothing_of_this_name",
            "cannot be imported: ModuleNotFoundError: No module named 'nothing_of_this_name'",
        ),
        ("Thing = dict", "is no subclass of auditkit.Model"),
        ("import auditkit\nclass Thing(auditkit.Model): pass", "cannot be built: TypeError: Can't instantiate"),
    ],
)
def test_a_factory_that_fails_is_told_with_its_plugin(code: str, said: str, install: Install) -> None:
    site = install()
    record = "auditkit.component('m', 'auditkit_far:Thing')"
    write_plugin(site, f"import auditkit\n@auditkit.hookimpl\ndef auditkit_models(): return [{record}]")
    (site / "auditkit_far.py").write_text(code)
    with pytest.raises(RunFailed, match="model 'm'") as caught:
        Registry.load().build(chosen("model", use="m"))
    assert said in caught.value.message


def test_what_a_sampler_needs_becomes_an_edge(install: Install) -> None:
    install("second_look")
    sampler = {"use": "second-look", "first": "a", "times": 3}
    found = resolved(audit_of(arm=[{"name": "a"}, {"name": "b", "sampler": sampler}]))
    assert found.arms[1].needs == (Need("a", "predictions", "train"),)


def test_an_arm_that_is_needed_must_exist(install: Install) -> None:
    install("second_look")
    arms = [{"name": "first"}, {"name": "b", "sampler": {"use": "second-look", "first": "frist"}}]
    assert Registry.load().inspect(audit_of(arm=arms)).problems == (
        Problem(
            ("arm", 1, "sampler", "first"),
            "unknown arm 'frist' in sampler 'second-look', option 'first'",
            "did you mean 'first'? there are 'first' and 'b'",
            refers_to=("arm",),
        ),
    )


NEEDY = """
import auditkit
class Needy(auditkit.Sampler):
    'Needy.'
    @classmethod
    def needs(cls, options):
        {body}
    def draw(self, cohort, inputs, rng):
        return auditkit.Draw(cohort.rows)
@auditkit.hookimpl
def auditkit_samplers():
    return [auditkit.component('needy', Needy)]
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "return (auditkit.Need('first', 'draw'),)",
            Problem(
                ("arm", 0, "sampler"),
                "sampler 'needy' of arm 'a' needs arm 'first', which does not exist",
                "there is 'a'",
                refers_to=("arm",),
            ),
        ),
        (
            "return 1 // 0",
            Problem(
                ("arm", 0, "sampler", "use"),
                "sampler 'needy' of auditkit-bad cannot say what it needs: "
                "ZeroDivisionError: integer division or modulo by zero",
            ),
        ),
    ],
    ids=["an arm that is nowhere", "a bug"],
)
def test_a_sampler_whose_needs_cannot_be_met_is_told(body: str, expected: Problem, install: Install) -> None:
    write_plugin(install(), NEEDY.format(body=body))
    problems = Registry.load().inspect(audit_of(arm=[{"name": "a", "sampler": "needy"}])).problems
    assert problems == (expected,)


def test_arms_have_every_default_filled_in() -> None:
    audit = audit_of(
        recipe={"init": "none", "budget": {"epochs": 3}, "seeds": [4, 5], "objective": "focal"},
        arm=[
            {"name": "a"},
            {"name": "b", "init": "a", "train": "head", "objective": "cross-entropy", "seeds": [6]},
            {"name": "c", "recipe": {"budget": {"steps": 7}, "init": "b", "optimizer": {"lr": 0.5}}},
            {"name": "d", "recipe": {"model": "small-cnn"}},
        ],
    )
    a, b, c, d = resolved(audit).arms
    assert [arm.init for arm in (a, b, c)] == ["none", "a", "b"]
    assert [arm.seeds for arm in (a, b, c)] == [(4, 5), (6,), (4, 5)]
    assert [arm.objective.component.id for arm in (a, b, c)] == ["focal", "cross-entropy", "focal"]
    assert [arm.model.component.id for arm in (a, b, c, d)] == ["resnet18"] * 3 + ["small-cnn"]
    assert (c.recipe.budget.epochs, c.recipe.budget.steps) == (None, 7)
    assert (c.recipe.optimizer.use, c.recipe.optimizer.lr) == ("sgd", 0.5)


def test_scale_multiplies_draws_cells_and_marked_options() -> None:
    cells = [{"where": {"Male": 1}, "count": 30}, {"where": {"Male": 0}, "count": 1}]
    audit = audit_of(
        data={"dataset": {"use": "faces", "images": 1000}, "train": {"draw": 101}, "test": {"cells": cells}},
    )
    found = resolved(audit, 0.1)
    assert found.dataset.options.model_dump()["images"] == 100
    assert found.audit.data.train.draw == 10
    assert found.audit.data.test is not None
    assert [cell.count for cell in found.audit.data.test.cells] == [3, 1]


def test_names_are_checked_inside_nested_options(install: Install) -> None:
    code = """
import auditkit
class Part(auditkit.Options):
    column: auditkit.AttributeName
    where: auditkit.Condition | None = None
class Deep(auditkit.Sampler):
    'Deep.'
    class Options(auditkit.Options):
        parts: tuple[Part, ...] = ()
        weights: dict[auditkit.AttributeName, float] = {}
        maybe: auditkit.AttributeName | None = None
        keep: auditkit.Count = 100
    def draw(self, cohort, inputs, rng):
        return auditkit.Draw(cohort.rows)
@auditkit.hookimpl
def auditkit_samplers():
    return [auditkit.component('deep', Deep)]
"""
    write_plugin(install(), code)
    sampler = {
        "use": "deep",
        "parts": [{"column": "Male"}, {"column": "Mael", "where": {"Yuong": 1, "Male": 7}}],
        "weights": {"Blad": 1},
        "maybe": "Nose",
    }
    registry, audit = Registry.load(), audit_of(arm=[{"name": "a", "sampler": sampler}])
    found = resolved(audit, 0.5)
    assert found.arms[0].sampler.options.model_dump()["keep"] == 50
    levels = dict.fromkeys(("Male", "Young", "Bald"), (0, 1))
    at = ("arm", 0, "sampler")
    where = "in sampler 'deep', option"
    all_three = "there are 'Male', 'Young' and 'Bald'"
    assert registry.check_names(found, levels) == [
        Problem(
            (*at, "parts", 1, "column"),
            f"unknown attribute 'Mael' {where} 'parts'",
            f"did you mean 'Male'? {all_three}",
        ),
        Problem(
            (*at, "weights", "Blad"),
            f"unknown attribute 'Blad' {where} 'weights'",
            f"did you mean 'Bald'? {all_three}",
            True,
        ),
        Problem((*at, "maybe"), f"unknown attribute 'Nose' {where} 'maybe'", all_three),
        Problem(
            (*at, "parts", 1, "where", "Yuong"),
            f"unknown attribute 'Yuong' {where} 'parts'",
            f"did you mean 'Young'? {all_three}",
            True,
        ),
        Problem(
            (*at, "parts", 1, "where", "Male"), f"attribute 'Male' has no level 7 {where} 'parts'", "it has 0 and 1"
        ),
    ]


def test_levels_that_nobody_knows_are_not_checked() -> None:
    found = resolved(audit_of(task=[{"target": "Male", "positive": "yes"}]))
    assert Registry.load().check_names(found, {"Male": ()}) == []


def test_options_are_read_the_same_here_and_in_a_worker() -> None:
    found = chosen("sampler", use="oversample", where={"Bald": (0, 1)}, until="balanced")
    assert found.options.model_dump()["where"] == {"Bald": (0, 1)}
    where = found.options.where  # type: ignore[attr-defined]
    assert isinstance(where, Condition)


def test_a_validator_that_fails_in_its_own_way_is_told(install: Install) -> None:
    code = """
import auditkit
from pydantic import field_validator
class Odd(auditkit.Sampler):
    'Odd.'
    class Options(auditkit.Options):
        k: int = 1
        @field_validator('k')
        @classmethod
        def odd(cls, value):
            if value == 0:
                return 1 // value
            if value % 2 == 0:
                raise ValueError('it must be odd')
            return value
    def draw(self, cohort, inputs, rng):
        return auditkit.Draw(cohort.rows)
@auditkit.hookimpl
def auditkit_samplers():
    return [auditkit.component('odd', Odd)]
"""
    write_plugin(install(), code)
    registry = Registry.load()
    _, problems = registry.choose("sampler", Use.model_validate({"use": "odd", "k": 2}), ("arm", 0, "sampler"))
    assert problems == [Problem(("arm", 0, "sampler", "k"), "option 'k' of sampler 'odd' is wrong: it must be odd")]
    _, problems = registry.choose("sampler", Use.model_validate({"use": "odd", "k": 0}), ("arm", 0, "sampler"))
    said = (
        "sampler 'odd' of auditkit-bad 1 cannot read its options: ZeroDivisionError: integer division or modulo by zero"
    )
    assert problems == [Problem(("arm", 0, "sampler"), said)]


def test_the_source_of_an_editable_install_is_part_of_a_choice(install: Install) -> None:
    site = install("every_other")
    assert chosen("sampler", use="every-other", where={"Bald": 1}).source == ""
    write_plugin(
        site, (FOLDER / "every_other/auditkit_every_other/__init__.py").read_text().replace("every-other", "edit")
    )
    (site / "auditkit_bad-1.dist-info/direct_url.json").write_text(
        '{"url": "file:///x", "dir_info": {"editable": true}}'
    )
    assert len(chosen("sampler", use="edit", where={"Bald": 1}).source) == 16
