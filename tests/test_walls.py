"""The walls of the design: who may import whom, and what may not be read."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import auditkit

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("auditkit/**/*.py"), *ROOT.glob("plugins/**/*.py")])
BESIDE = sorted([*ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/**/*.py")])


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_import_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


PLANTED = {
    "auditkit/novelty.py": ("", "No import runs back up a floor"),
    "auditkit/report/novelty.py": ("import torch", "Only the rooms of torch import it"),
    "auditkit/engine/novelty.py": ("import auditkit.engine.unit", "Only rooms of torch import each other"),
    "auditkit/training/places.py": ("import auditkit.training.device", "Where the caches lie is known without torch"),
    "auditkit/engine/outlook.py": ("import pluggy", "Only hooks and discovery import pluggy"),
    "auditkit/engine/store.py": (
        "import auditkit.engine.registry",
        "Planning, drawing and storing need no plugins",
    ),
    "auditkit/evidence/novelty.py": ("import fairlearn.metrics", "Only disparity imports fairlearn"),
    "auditkit/report/svg.py": ("import rich.text", "Only the terminal and the command line import rich"),
    "auditkit/spec/novelty.py": ("import auditkit_plugins", "The core never imports a plugin, not even a built-in one"),
    "auditkit_plugins/novelty.py": ("import auditkit.shelf", "Plugins import only the public face"),
}
"""By file, an import that breaks a contract, in modules of today and in some that no contract can have named."""


def test_every_import_contract_is_broken_by_a_planted_import(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "auditkit", tmp_path / "auditkit")
    shutil.copytree(ROOT / "plugins", tmp_path / "auditkit_plugins")
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    for name, (line, _) in PLANTED.items():
        with (tmp_path / name).open("a") as file:
            file.write(f"\n{line}\n")
    told = lint(tmp_path).stdout
    contracts = re.findall(r"^name = (.+)$", (ROOT / "setup.cfg").read_text().split("[importlinter]")[1], re.MULTILINE)
    assert [said for _, said in PLANTED.values()] == contracts
    assert [said for said in contracts if f"{said} BROKEN" not in told] == []


@cache
def tree_of(source: Path) -> ast.Module:
    return ast.parse(source.read_text())


def imported(tree: ast.Module) -> set[str]:
    """Every module that is imported, or from which something is."""
    whole = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return whole | {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}


def imports_inside_functions(tree: ast.Module) -> Iterator[int]:
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from (n.lineno for n in ast.walk(function) if isinstance(n, (ast.Import, ast.ImportFrom)))


def test_no_import_stands_inside_a_function() -> None:
    for source in SOURCES:
        if not source.is_relative_to(ROOT / "auditkit" / "cli"):  # whose fast paths may import late
            assert not list(imports_inside_functions(tree_of(source))), source


def test_no_pickle_is_read() -> None:
    for source in SOURCES:
        text = source.read_text()
        assert not {"pickle", "dill", "joblib", "shelve"} & imported(tree_of(source)), source
        assert "allow_pickle=True" not in text, source
        assert text.count("torch.load(") == text.count("weights_only=True"), source


def test_every_random_number_comes_from_streams() -> None:
    """The checks of other people's plugins have generators of their own; a benchmark's numbers lead to none of ours."""
    outside = {ROOT / "auditkit" / "streams.py", ROOT / "auditkit" / "training" / "bench.py"}
    drawn = re.compile(r"default_rng|RandomState|np\.random\.(?!Generator\b)\w+|torch\.(rand|randn|randint|randperm)\b")
    for source in SOURCES:
        if source not in outside and not source.is_relative_to(ROOT / "auditkit" / "testing"):
            text = source.read_text()
            assert not drawn.search(text) and "random" not in imported(tree_of(source)), source


@pytest.mark.parametrize("files", [SOURCES, BESIDE], ids=["sources", "tests and benchmarks"])
def test_files_stay_short(files: list[Path]) -> None:
    assert [str(file) for file in files if len(file.read_text(encoding="utf-8").splitlines()) > 300] == []


@pytest.mark.parametrize(
    ("module", "banned"),
    [
        ("auditkit", {"numpy", "pydantic", "pluggy", "torch"}),
        ("auditkit.cli", {"numpy", "pydantic", "pandas", "torch", "rich"}),
        ("auditkit_plugins", {"numpy", "pandas", "torch", "sklearn", "fairlearn"}),
        ("auditkit.engine.registry", {"pandas", "torch", "sklearn", "fairlearn"}),
        ("auditkit.engine.prepare", {"pandas", "torch", "sklearn", "fairlearn"}),
        ("auditkit.report.document", {"pandas", "torch", "sklearn", "fairlearn", "rich"}),
    ],
)
def test_importing_stays_light(module: str, banned: set[str]) -> None:
    code = f"import sys, {module}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not banned & set(done.stdout.split())


def test_the_public_face_is_the_same_for_all_who_look() -> None:
    """For type checkers, for whoever imports a name, and for `from auditkit import *`."""
    tree = tree_of(ROOT / "auditkit" / "__init__.py")
    (seen_by_checkers,) = (node for node in tree.body if isinstance(node, ast.If))
    named = [(n.module, a.name) for n in seen_by_checkers.body if isinstance(n, ast.ImportFrom) for a in n.names]
    assert [name for _, name in sorted(named, key=lambda one: one[1])] == sorted(auditkit.__all__)
    for module, name in named:
        assert getattr(auditkit, name) is getattr(import_module(str(module)), name)


def test_planning_asks_no_clock_path_or_environment() -> None:
    names = {name.partition(".")[0] for name in imported(tree_of(ROOT / "auditkit" / "engine" / "plan.py"))}
    assert not names & {"os", "time", "datetime", "pathlib", "platform", "sys"}


def test_no_group_label_enters_the_training_wing() -> None:
    for source in (ROOT / "auditkit" / "training").glob("*.py"):
        text = source.read_text()
        assert "Attributes" not in text, source
        assert "Cohort" not in text, source


def test_no_sampler_sees_a_pixel() -> None:
    for source in (ROOT / "plugins" / "samplers").glob("*.py"):
        names = imported(tree_of(source))
        assert not {name.partition(".")[0] for name in names} & {"PIL", "torch", "torchvision"}, source
        assert "ImageSource" not in source.read_text(), source
