"""The JSON Schema says what the reader says."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from installed_plugins import Install
from jsonschema import Draft7Validator

from auditkit.testing import audit_project

ROOT = Path(__file__).parents[1]


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(audit_project({}).run("schema").assert_success().out)
    return found


def mistakes(text: str) -> list[str]:
    validator = Draft7Validator(schema())
    return [".".join(map(str, error.path)) for error in validator.iter_errors(tomllib.loads(text))]


def test_it_is_a_schema_without_the_later_drafts_words() -> None:
    found = schema()
    Draft7Validator.check_schema(found)
    text = json.dumps(found)
    for word in ("$defs", "prefixItems", "discriminator"):
        assert f'"{word}"' not in text


@pytest.mark.parametrize("path", sorted(ROOT.glob("audits/*.toml")), ids=lambda path: path.stem)
def test_the_audits_of_the_project_fit(path: Path) -> None:
    assert mistakes(path.read_text(encoding="utf-8")) == []


def test_editors_are_told_what_every_key_means() -> None:
    definitions = schema()["definitions"]
    keys = {
        (name, key): told for name, table in definitions.items() for key, told in table.get("properties", {}).items()
    }
    assert len(keys) > 250
    assert [key for key, told in keys.items() if not told.get("description")] == []
    assert keys["Recipe", "batch_size"]["description"] == "images per step"
    assert keys["partial.Recipe", "batch_size"]["description"] == "images per step"
    beside = [key for key, told in keys.items() if "$ref" in told and len(told) > 1]
    assert beside == [], "draft 7 reads nothing beside a reference"


def test_a_table_of_the_recipe_may_leave_out_its_default_use() -> None:
    text = """
    [audit]
    title = "x"
    [[task]]
    target = "Male"
    [recipe]
    optimizer = { lr = 0.1 }
    [[arm]]
    name = "a"
    recipe.optimizer = { weight_decay = 0.1 }
    [profile.small]
    recipe.optimizer = { lr = 0.2 }
    """
    assert mistakes(text) == []


def test_what_the_reader_refuses_does_not_fit() -> None:
    text = """
    [audit]
    title = "x"
    [[task]]
    target = "Male"
    [recipe]
    epochs = 3
    optimizer = { use = "adam" }
    [[arm]]
    name = "a"
    sampler = { use = "oversample", untl = "balanced" }
    recipe = { budget = { epochs = 1 }, batchsize = 4 }
    [[arm]]
    name = "b"
    sampler = "oversampel"
    [profile.small]
    arms = ["a"]
    recipe.seeds = ["x"]
    """
    places = [
        "recipe",
        "recipe.optimizer",
        "arm.0.sampler",
        "arm.0.recipe",
        "arm.1.sampler",
        "profile.small.recipe.seeds.0",
    ]
    assert sorted(mistakes(text)) == sorted(places)


def test_options_of_other_peoples_plugins_are_in_it(install: Install) -> None:
    install("second_look", "namesake")
    found = schema()["definitions"]
    options = found["sampler.auditkit-second-look.second-look"]["properties"]
    assert options["use"]["enum"] == ["second-look", "auditkit-second-look:second-look"]
    assert options["first"]["description"] == "the arm whose errors are looked at again"
    assert "auditkit-namesake:oversample" in found["kind.sampler"]["anyOf"][0]["enum"]


def test_it_is_written_where_it_is_wanted() -> None:
    project = audit_project({})
    said = project.run("schema", "-o", "s.json").assert_success().out
    assert said == "s.json: an audit file beside it begins with  #:schema ./s.json\n"
    assert json.loads(project.read("s.json")) == schema()
    refused = project.run("schema", "-o", "none/s.json").assert_code(2)
    assert refused.err == "none/s.json: cannot write the schema: No such file or directory\n"
