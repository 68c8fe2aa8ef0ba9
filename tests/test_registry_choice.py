"""The choice of components: what they need, every default filled in, names and options checked."""

from __future__ import annotations

import pytest
from installed_plugins import FOLDER, Install, write_plugin
from registry_toys import audit_of, chosen, resolved

from auditkit.contracts import Condition, Need
from auditkit.engine.registry import Registry
from auditkit.engine.work import ComponentRef
from auditkit.errors import AuditError, Problem, RunFailed
from auditkit.spec.model import Use


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
