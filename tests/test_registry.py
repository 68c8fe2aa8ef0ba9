"""Discovery of plugins, each in isolation: one that is broken is told, and the others are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from installed_plugins import FOLDER, Install, write_plugin
from registry_toys import audit_of, chosen

from auditkit.contracts import Sampler
from auditkit.engine.registry import Registry


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
