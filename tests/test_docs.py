"""The documentation says what the program does: pages are fresh, links lead somewhere, samples work."""

from __future__ import annotations

import ast
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import pytest
import tomlkit
from installed_plugins import register
from PIL import Image

import auditkit
from auditkit.cli import group
from auditkit.engine.data import examine
from auditkit.engine.discovery import HOOKS
from auditkit.spec.meanings import MEANINGS
from auditkit.spec.model import Arm, Audit
from auditkit.spec.reference import TABLES, keys
from auditkit.spec.shape import every_table, fields
from auditkit.testing import audit_project, check_sampler, toy_cohort

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`(auditkit [a-z][^`]*)`(?!`)")
BASE = """\
[audit]
title = "the audit around a sample"
[[task]]
target = "Male"
[[arm]]
name = "original"
[[arm]]
name = "oversampled"
sampler = { use = "oversample", where = { Bald = 1 }, until = "balanced" }
[evidence]
reference = "original"
groups = [["Male"], ["Male", "Young"]]
metrics = ["accuracy", "selection_rate"]
"""
"""What a sample of part of an audit file is laid over."""
TABLE = "file,person,split,Male,Bald,Young\n"
"""The header of a user's own table, which is all that validating reads."""


def regenerate() -> ModuleType:
    spec = spec_from_file_location("regenerate", ROOT / "docs" / "regenerate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(page: Path, *languages: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for language, text in found if language in languages]


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


# ----------------------------------------------------------------------------------------------------- generated pages


def test_generated_pages_are_fresh() -> None:
    for file, text in regenerate().pages().items():
        told = f"{file.name} is out of date; run: python docs/regenerate.py"
        assert file.read_text(encoding="utf-8").split() == text.split(), told


@pytest.mark.parametrize("table", [*TABLES.values(), Audit], ids=lambda table: table.__name__)
def test_every_key_of_the_file_has_a_meaning(table: type[Any]) -> None:
    missing = [row.name for row in keys(table) if not row.meaning]
    assert missing == []


def test_meanings_have_one_home_and_are_of_keys_that_there_are() -> None:
    tables = {home.__name__: home for table in every_table(Audit) for home in table.__mro__}
    said = {(name, key) for name, meanings in MEANINGS.items() for key in meanings}
    assert {(name, key) for name, key in said if key not in fields(tables[name])} == set()
    own = [(table, key) for table in every_table(Audit) for key, field in fields(table).items() if field.description]
    assert own == []


def test_markdown_of_the_schema_is_the_reference() -> None:
    project = audit_project({})
    out = project.run("schema", "--markdown").assert_success().out
    assert regenerate().audit_file() == out
    assert project.run("schema", "--markdown", "-o", "page.md").assert_success().out == "page.md: written\n"
    assert project.read("page.md") == out


# --------------------------------------------------------------------------------------------------------------- links


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        assert place.exists(), f"{page.name} links to {target}"
        assert place.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(place), f"{page.name} links to {target}"


def test_the_index_knows_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in DOCS if page.name != "README.md" and f"({page.name})" not in index] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_pages_are_plain_and_of_no_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"(?:/work|/tmp|/root|/home)/\S*", text) == []
    long = [line for line in prose(page).splitlines() if len(line) > 120 and not line.startswith("|")]
    assert long == []


# ------------------------------------------------------------------------------------------------------------ commands


def commands(page: Path) -> Iterator[str]:
    """Every command line of a page: in blocks of a console, and in the text."""
    for text in blocks(page, "sh", "console"):
        for line in text.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s&&\s", line.removeprefix("$ ")):
                if re.match(r"(\.venv/bin/)?auditkit\s", part):
                    yield part
    yield from (" ".join(text.split()) for text in INLINE.findall(prose(page)))


LINES = [(page.name, line) for page in PAGES for line in commands(page)]


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page}: {line}" for page, line in LINES])
def test_commands_parse(page: str, line: str) -> None:
    _, *words = shlex.split(line, comments=True)
    command: click.Command | None = group
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        command = command.get_command(click.Context(command), name)
        assert command is not None, f"{page}: there is no command {name!r}"
    if isinstance(command, click.Command) and words:
        command.make_context("auditkit", words)


def codes(text: str) -> dict[int, str]:
    """Codes and what they mean, without the remarks in brackets."""
    parts = re.sub(r"\s*\([^)]*\)", "", " ".join(text.split())).split(" · ")
    found = [re.fullmatch(r".*?(\d+) ([a-z ]+)(?:\..*)?", part) for part in parts]
    return {int(one[1]): one[2] for one in found if one is not None}


def test_exit_codes_are_listed_once_and_the_same_everywhere() -> None:
    told, readme = codes((group.help or "").split("Exit codes:")[1]), codes(prose(ROOT / "README.md"))
    assert told == readme
    assert list(told) == [0, 1, 2, 3, 4, 130]
    assert [page.name for page in DOCS if "1 a gate failed" in page.read_text(encoding="utf-8")] == ["commands.md"]


# ------------------------------------------------------------------------------------------------- samples of the file


SAMPLES = [(page.name, text) for page in PAGES for text in blocks(page, "toml") if "[project]" not in text]


def whole(text: str) -> str:
    """A sample as a whole audit: what is only a part is laid over the base."""
    sample = tomllib.loads(text)
    if {"audit", "task", "arm"} <= sample.keys():
        return text
    values = tomllib.loads(BASE)
    if sample.keys() <= fields(Arm).keys() - {"recipe"}:
        sample = {"arm": [{"name": "shown", **sample}]}
    arms = {arm["name"]: arm for arm in [*values["arm"], *sample.pop("arm", [])]}
    tables = {key: {**values[key], **sample.pop(key)} for key in ("audit", "evidence") if key in sample}
    return tomlkit.dumps({**values, **tables, **sample, "arm": list(arms.values())})


@pytest.mark.parametrize(("page", "text"), SAMPLES, ids=[page for page, _ in SAMPLES])
def test_samples_of_audit_files_are_valid(page: str, text: str) -> None:
    project = audit_project({"sample.toml": whole(text), "table.csv": TABLE})
    project.run("validate", "sample.toml").assert_success()


# ----------------------------------------------------------------------------------------------------------- plugins


def module(name: str, code: str) -> ModuleType:
    made = ModuleType(name)
    sys.modules[name] = made
    exec(compile(code, name, "exec"), made.__dict__)
    return made


@pytest.fixture(scope="module")
def shown() -> Iterator[ModuleType]:
    pytest.importorskip("torch")
    yield module("docs_plugins", "\n".join(blocks(ROOT / "docs" / "plugins.md", "python")))
    del sys.modules["docs_plugins"]


def test_the_sampler_of_the_readme_is_the_one_that_is_tested() -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    first, *_ = blocks(ROOT / "docs" / "plugins.md", "python")
    installed = ROOT / "tests" / "plugins" / "every_other" / "auditkit_every_other" / "__init__.py"
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(first))
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(installed.read_text(encoding="utf-8")))
    sampler = module("docs_readme", code)
    cohort = toy_cohort()
    draw = check_sampler(sampler.EveryOther, cohort, where={"Male": 1}, k=3)
    men = int(cohort.column("Male").sum())
    assert len(draw) == len(cohort) - men + -(-men // 3)
    assert [one.id for one in sampler.auditkit_samplers()] == ["every-other"]


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "plugins.md"], ids=lambda page: page.name)
def test_the_package_that_is_shown_is_whole(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, *_ = blocks(page, "python")
    (text,) = [text for text in blocks(page, "toml") if "[project]" in text]
    about = tomllib.loads(text)["project"]
    (value,) = about["entry-points"]["auditkit"].values()
    assert f"`{value}.py`" in page.read_text(encoding="utf-8")
    (tmp_path / f"{value}.py").write_text(code, encoding="utf-8")
    register(about, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    out = audit_project({}).run("plugins", "show", "every-other").assert_success().out
    del sys.modules[value]
    assert out.startswith("sampler every-other  (auditkit-every-other 0.1)\n")


def test_plugins_of_the_page_register(shown: ModuleType) -> None:
    ids = [one.id for hook in HOOKS for one in getattr(shown, hook)()]
    assert ids == ["every-other", "linear", "hinge", "dice", "log-loss", "share-of-false-alarms", "squares"]


def test_tests_of_the_page_pass(shown: ModuleType) -> None:
    tests = [value for name, value in vars(shown).items() if name.startswith("test_")]
    assert len(tests) == 4
    for test in tests:
        test()


def test_the_network_and_the_loss_of_the_page_train(shown: ModuleType) -> None:
    torch = shown.torch
    linear = shown.Linear(shown.Linear.Options())
    network = linear.build(2)
    assert isinstance(network.get_submodule(linear.head()), torch.nn.Linear)
    logits = network(torch.rand(4, 3, 32, 32))
    loss = shown.Hinge(None).build((4,))(logits[:, 1] - logits[:, 0], torch.tensor([0.0, 1, 0, 1]), torch.zeros(4))
    loss.backward()
    assert loss.isfinite()


def test_the_dataset_of_the_page_opens(shown: ModuleType) -> None:
    opened = shown.BlackAndWhite(shown.BlackAndWhite.Options(images=20)).open(None)
    assert examine(opened).problems == ()
    with Image.open(BytesIO(opened.images.read(0))) as image:
        assert np.asarray(image).max() == 255 * int(opened.attributes.codes[0, 0])


def test_the_page_on_plugins_names_every_hook_and_every_public_name() -> None:
    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert [name for name in HOOKS if f"`{name}`" not in text] == []
    assert {*auditkit.__all__} <= {*dir(auditkit)}  # which is what a notebook completes
    assert [name for name in auditkit.__all__ if not re.search(rf"\bauditkit\.{name}\b", text)] == []
