"""The pytest plugin: gates of audit files as tests, and no trace of it anywhere else."""

from __future__ import annotations

from pathlib import Path

import hypothesis  # noqa: F401
import pytest
from judged_toys import SIMULATED, prepared, simulate

import auditkit.testing.gates  # noqa: F401 - else every inner run of pytest imports it again, and hypothesis too

pytest_plugins = ["pytester"]
TINY = """\
[audit]
title = "Tiny"

[data]
dataset = { use = "faces", images = 120 }
image = { size = 16 }

[[task]]
target = "Male"

[recipe]
model = "small-cnn"
init = "none"
budget = { steps = 1 }

[[arm]]
name = "original"

[evidence]
replicates = 200
spillover = false
scan = false

[[gate]]
finding = { task = "Male", arm = "original" }
at_least = 0.5
"""
ORDINARY = "def test_ordinary():\n    pass\n"


def stored_in(folder: Path) -> tuple[str, str]:
    return ("--auditkit-store", str(folder))


@pytest.fixture
def audits(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one audit; nothing is stored for it yet."""
    monkeypatch.delenv("AUDITKIT_STORE", raising=False)
    folder = pytester.mkdir("audits")
    (folder / "s.toml").write_text(SIMULATED)
    return folder


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with predictions of every unit of the audit, which nothing was trained for."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "s.toml").write_text(SIMULATED)
    simulate(prepared(folder / "s.toml", folder / "store"))
    return folder / "store"


def test_every_gate_is_a_test(pytester: pytest.Pytester, audits: Path, filled: Path) -> None:
    result = pytester.runpytest("audits", "-rs", *stored_in(filled))
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*fail: accuracy of everyone, oversampled, task Male · at least 99.9 % · 8*plain interval",
            "SKIPPED*insufficient evidence: change in accuracy*at most 0.0 points*reaches across the bound*",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_bound_reads_as_in_the_file(pytester: pytest.Pytester, audits: Path, filled: Path) -> None:
    result = pytester.runpytest("audits", "-v", *stored_in(filled))
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    unnamed = "accuracy, arm oversampled, task Male, at least 0.999"
    result.stdout.fnmatch_lines([f"audits/s.toml::{unnamed} FAILED*", f"*_ gate '{unnamed}' _*"])


def test_a_gate_can_be_chosen_by_its_name(pytester: pytest.Pytester, audits: Path, filled: Path) -> None:
    pytester.runpytest("audits/s.toml", "-k", "young", *stored_in(filled)).assert_outcomes(passed=1, deselected=2)
    pytester.runpytest("audits/s.toml::young stay right", *stored_in(filled)).assert_outcomes(passed=1)
    unnamed = "accuracy, arm oversampled, task Male, at least 0.999"
    pytester.runpytest(f"audits/s.toml::{unnamed}", *stored_in(filled)).assert_outcomes(failed=1)


def test_insufficient_evidence_can_be_made_a_failure(pytester: pytest.Pytester, audits: Path, filled: Path) -> None:
    pytester.runpytest("audits", "--auditkit-strict", *stored_in(filled)).assert_outcomes(passed=1, failed=2)


def test_missing_units_are_errors_that_name_the_command(pytester: pytest.Pytester, audits: Path) -> None:
    result = pytester.runpytest("audits", "--auditkit-store", "elsewhere")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(
        [
            "audits/s.toml: 6 of its 6 units are not in the store elsewhere, such as Male · original · seed 0",
            "  train them: auditkit run audits/s.toml --store elsewhere",
        ]
    )
    result.stdout.no_fnmatch_line("During handling*")


def test_units_are_trained_when_asked_for(pytester: pytest.Pytester, audits: Path) -> None:
    (audits / "s.toml").write_text(TINY)
    result = pytester.runpytest("audits", "--auditkit-run")
    assert sum(result.parseoutcomes().get(kind, 0) for kind in ("passed", "failed", "skipped")) == 1
    assert (pytester.path / ".auditkit" / "index.json").is_file()


def test_mistakes_in_an_audit_are_errors_of_collection(pytester: pytest.Pytester, audits: Path) -> None:
    (audits / "s.toml").write_text(SIMULATED.replace("at_least = 0.6", "at_leest = 0.6"))
    result = pytester.runpytest("audits")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*audits/s.toml:35:1: *at_leest*"])


def test_nothing_is_collected_unless_asked_for(pytester: pytest.Pytester, audits: Path, filled: Path) -> None:
    pytester.makepyfile(ORDINARY)
    pytester.runpytest().assert_outcomes(passed=1)
    pytester.runpytest(".").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\ntestpaths = audits .\n")
    pytester.runpytest().assert_outcomes(passed=1)
    pytester.runpytest("--auditkit", *stored_in(filled)).assert_outcomes(passed=2, failed=1, skipped=1)


def test_other_toml_files_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ORDINARY)
    texts = {"pyproject": "[tool.x]", "broken": "[audit]\n[", "cargo": "[audit]\nx = []", "odd": "[audit]\nx = '\xff'"}
    for name, text in texts.items():
        (pytester.path / f"{name}.toml").write_text(text, encoding="latin-1")
    pytester.runpytest(".", "--auditkit").assert_outcomes(passed=1)


def test_a_run_without_audits_imports_nothing_of_auditkit_but_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\n"
        "def test_what_is_imported():\n"
        "    ours = sorted(name for name in sys.modules if name.partition('.')[0] == 'auditkit')\n"
        "    assert ours == ['auditkit', 'auditkit.pytest_plugin']\n"
        "    assert not {'numpy', 'pydantic', 'torch', 'pandas'} & set(sys.modules)\n"
    )
    pytester.runpytest_subprocess("-W", "error", timeout=60).assert_outcomes(passed=1)
