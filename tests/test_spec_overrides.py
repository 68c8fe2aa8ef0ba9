"""Overrides: they reach every key, change a profile before it is laid over, and are told where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from valid_audits import line, load_valid

from auditkit.errors import InvalidAudit, Problem
from auditkit.spec.paths import value_at
from auditkit.spec.reader import read

OVERRIDES = [
    ("recipe.budget.epochs=3", ("recipe", "budget", "epochs"), 3),
    ('recipe.init = "none"', ("recipe", "init"), "none"),
    ("recipe.seeds=[4, 5]", ("recipe", "seeds"), [4, 5]),
    ("arm[over].sampler.times=4", ("arm", 1, "sampler", "times"), 4),
    ("arm[1].sampler.times=4", ("arm", 1, "sampler", "times"), 4),
    ("arm[placebo].sampler.k=4", ("arm", 2, "sampler", "k"), 4),
    ("task[Male].positive=0", ("task", 0, "positive"), 0),
    ("task[Old].positive=1", ("task", 1, "positive"), 1),
    ("evidence.groups[0][0]='Young'", ("evidence", "groups", 0, 0), "Young"),
    ("words.Male.\"0\"='women'", ("words", "Male", "0"), "women"),
    ("data.image.size=64", ("data", "image", "size"), 64),
]


@pytest.mark.parametrize(("text", "path", "value"), OVERRIDES, ids=[text for text, *_ in OVERRIDES])
def test_overrides_reach_every_key(file: Path, text: str, path: tuple[str | int, ...], value: object) -> None:
    source = read(file, sets=["audit.title='y'", text])
    assert source.problems == ()
    assert value_at(source.values, path) == value
    assert str(source.locate(path)) == "--set #2"


def test_an_override_of_a_profile_changes_it_before_it_is_laid_over(file: Path) -> None:
    sets = ["profile.small.recipe.seeds=[5]", "profile.small.recipe.model.width=4", "recipe.batch_size=8"]
    source = read(file, profile="small", sets=sets)
    assert source.problems == ()
    assert value_at(source.values, ("recipe", "seeds")) == [5]
    assert value_at(source.values, ("recipe", "model", "width")) == 4
    assert str(source.locate(("recipe", "seeds"))) == "--set #1"
    assert str(source.locate(("recipe", "model", "width"))) == "--set #2"
    assert line(source, "recipe", "budget", "steps") == (40, 20, "5")
    of_stand_in = read(file, sets=["stand_in.dataset.images=60", 'stand_in.profile="small"'], stand_in=True)
    assert value_at(of_stand_in.values, ("data", "dataset", "images")) == 60
    assert of_stand_in.profiles == ("small",)
    assert str(of_stand_in.locate(("data", "dataset", "images"))) == "--set #1"


BAD_OVERRIDES = [
    (
        "profile.smal.arms=['over']",
        "there is no profile 'smal'",
        "did you mean 'small'? there are 'small' and 'faster'",
    ),
    ("recipe.lr", "'recipe.lr' has no value", "write --set KEY=VALUE"),
    ("recipe.init=none", "'none' is not a TOML value", "text needs quotes: '\"none\"'"),
    ("recipe.seeds=1\nb=2", "'1\\nb=2' is more than one value", ""),
    ("=1", "there is no key before '='", "write --set KEY=VALUE"),
    ("recipe..lr=1", "cannot read the key 'recipe..lr'", "keys look like recipe.budget.epochs or arm[NAME].on"),
    ("arm.name='x'", "'arm' is an array", "say which element: arm[original].name"),
    ("arm[ovr].on='valid'", "there is no arm 'ovr'", "did you mean 'over'? there are 'original', 'over' and 'placebo'"),
    ("arm[7].on='valid'", "there is no arm '7'", "there are 'original', 'over' and 'placebo'"),
    ("audit[x]=1", "'audit' is not an array and has no element 'x'", ""),
    ("audit.title.x=1", "'audit.title' is a single value and has no 'x'", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), BAD_OVERRIDES, ids=[text for text, *_ in BAD_OVERRIDES])
def test_bad_overrides_are_problems(file: Path, text: str, message: str, hint: str) -> None:
    source = read(file, sets=["recipe.batch_size=8", text])
    assert source.problems == (Problem(("--set", 2), message, hint),)
    with pytest.raises(InvalidAudit) as caught:
        load_valid(file, sets=["recipe.batch_size=8", text])
    assert str(caught.value).startswith(f"--set #2: {message}\n")


def test_a_mistake_in_an_override_is_told_as_one(file: Path) -> None:
    with pytest.raises(InvalidAudit) as caught:
        load_valid(file, sets=["recipe.epochs=3", "arm[over].train='heads'"])
    assert str(caught.value) == (
        "--set #1: unknown key 'epochs' in [recipe]\n"
        "      | recipe.epochs=3\n"
        "      | ^^^^^^^^^^^^^^^ 'epochs' belongs in budget\n"
        "--set #2: 'train' in arm 'over' must be 'all' or 'head', found the text 'heads'\n"
        "      | arm[over].train='heads'\n"
        "      | ^^^^^^^^^^^^^^^^^^^^^^^ did you mean 'head'?\n"
        "2 mistakes, nothing was run"
    )
