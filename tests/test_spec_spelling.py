"""A misspelt key or name is told once, at its place, and hides nothing else that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditkit.testing import Outcome, audit_project

AUDIT = """\
[audit]
title = "x"
[data]
dataset = "faces"
train = { hold_out = 0.1 }
test = { cells = [{ where = { Male = 1 }, count = 5 }] }
[[task]]
name = "Old"
target = "Young"
positive = 0
[recipe]
seeds = [0, 1]
init = "none"
[[arm]]
name = "original"
[[arm]]
name = "oversampled"
sampler = { use = "oversample", where = { Bald = 1 }, times = 1 }
recipe.budget.epochs = 3
[evidence]
reference = "original"
groups = [["Male"], ["Male", "Young"]]
[words]
Male = { 0 = "women" }
[[gate]]
finding = { task = "Old", arm = "oversampled", over = ["Male", "Young"], at = { Young = 1 }, quantity = "gap" }
at_most = 0.5
[[gate]]
finding = { task = "Old", arm = "original", over = ["Male"], quantity = "gap" }
at_most = 0.5
[profile.small]
arms = ["original", "oversampled"]
recipe.seeds = [0, 1, 2]
[stand_in]
dataset = { use = "faces", images = 500 }
profile = "small"
"""


def validated(text: str, *more: str) -> Outcome:
    return audit_project({"a.toml": text}).run("validate", "a.toml", *more).assert_code(2)


def told(text: str, *more: str) -> list[str]:
    """What is said, without source lines and carets."""
    lines = validated(text, *more).err.splitlines()
    return [line for line in lines if line.startswith(("a.toml", "--set"))]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("[audit]", "[adit]", "1:2: unknown table 'adit'"),
        ("title =", "titel =", "2:1: unknown key 'titel' in [audit]"),
        ("[data]", "[dta]", "3:2: unknown table 'dta'"),
        ("where = { Male = 1 }", "were = { Male = 1 }", "6:21: unknown key 'were' in [data.test.cells[0]]"),
        ("count =", "cuont =", "6:43: unknown key 'cuont' in [data.test.cells[0]]"),
        ("[[task]]", "[[tsk]]", "7:3: unknown table 'tsk'"),
        ('name = "Old"', 'nme = "Old"', "8:1: unknown key 'nme' in task 'Young'"),
        ("target =", "targt =", "9:1: unknown key 'targt' in task 'Old'"),
        ("[recipe]", "[recpe]", "11:2: unknown table 'recpe'"),
        ('[[arm]]\nname = "over', '[[amr]]\nname = "over', "16:3: unknown table 'amr'"),
        ('name = "original"', 'nmae = "original"', "15:1: unknown key 'nmae' in arm 1"),
        ("sampler =", "smapler =", "18:1: unknown key 'smapler' in arm 'oversampled'"),
        ("recipe.budget", "recipe.bugdet", "19:8: unknown key 'bugdet' in the recipe of arm 'oversampled'"),
        ("budget.epochs", "budget.epocs", "19:15: unknown key 'epocs' in budget of the recipe of arm 'oversampled'"),
        ("[evidence]", "[evidnce]", "20:2: unknown table 'evidnce'"),
        ("groups =", "gruops =", "22:1: unknown key 'gruops' in [evidence]"),
        ("[words]", "[wrds]", "23:2: unknown table 'wrds'"),
        ("[[gate]]", "[[gates]]", "25:3: unknown table 'gates'"),
        ("finding =", "findng =", "26:1: unknown key 'findng' in gate 1"),
        ("task = ", "tsk = ", "26:13: unknown key 'tsk' in gate 1, finding"),
        ("over = ", "ovr = ", "26:48: unknown key 'ovr' in gate 1, finding"),
        ("at_most", "at_mots", "27:1: unknown key 'at_mots' in gate 1"),
        ("[profile.small]", "[profil.small]", "31:2: unknown table 'profil'"),
        ("arms =", "amrs =", "32:1: unknown key 'amrs' in profile 'small' (with --profile small)"),
        ("recipe.seeds", "recpe.seeds", "33:1: unknown key 'recpe' in profile 'small' (with --profile small)"),
        ("recipe.seeds", "recipe.sedes", "33:8: unknown key 'sedes' in [recipe] (with --profile small)"),
        ("[stand_in]", "[standin]", "34:2: unknown table 'standin'"),
        ("images = 500 }\n", "images = 500 }\nprofil = 'x'\n", "36:1: unknown key 'profil' in [stand_in]"),
        ('{ use = "faces"', '{ usee = "faces"', "35:13: unknown key 'usee' in [stand_in.dataset]"),
    ],
)
def test_a_misspelt_key_is_told_once(right: str, wrong: str, said: str) -> None:
    assert right in AUDIT
    assert told(AUDIT.replace(right, wrong, 1)) == [f"a.toml:{said}"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('name = "Old"', 'name = "Odl"', "8:8: nothing refers to task 'Odl', and 2 places to 'Old', which is no task"),
        (
            'name = "original"',
            'name = "orignal"',
            "15:8: nothing refers to arm 'orignal', and 3 places to 'original', which is no arm",
        ),
        ('["original"', '["orignal"', "32:9: there is no arm 'orignal' (with --profile small)"),
        ("at = { Young", "at = { Yong", "26:81: unknown attribute 'Yong' in gate 1, 'at'"),
        ('over = ["Male", "Young"]', 'over = ["Male", "Yong"]', "26:64: unknown attribute 'Yong' in gate 1, 'over'"),
        ('[["Male"], [', '[["Mael"], [', "22:12: unknown attribute 'Mael' in 'groups' of [evidence]"),
        ('target = "Young"', 'target = "Yong"', "9:10: unknown attribute 'Yong' in task 'Old'"),
        ("{ Bald = 1 }", "{ Blad = 1 }", "18:43: unknown attribute 'Blad' in sampler 'oversample', option 'where'"),
        ("\nMale = { 0", "\nMael = { 0", "24:1: unknown attribute 'Mael' in [words]"),
    ],
)
def test_a_misspelt_name_is_told_once(right: str, wrong: str, said: str) -> None:
    assert right in AUDIT
    assert told(AUDIT.replace(right, wrong, 1)) == [f"a.toml:{said}"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipe.bugdet.epochs=3", "unknown key 'bugdet' in [recipe]"),
        ("recpe.seeds=[1]", "unknown table 'recpe'"),
        ("arm[oversampled].smapler.times=2", "unknown key 'smapler' in arm 'oversampled'"),
        ('arm[oversampld].label="x"', "there is no arm 'oversampld'"),
        ("tsk[Old].positive=0", "there is no 'tsk'"),
        ('task[Old].target="Mael"', "unknown attribute 'Mael' in task 'Old'"),
        ("profile.small.recipe.sedes=[1]", "unknown key 'sedes' in [recipe] (with --profile small)"),
        ('words.Mael={ 0 = "x" }', "unknown attribute 'Mael' in [words]"),
    ],
)
def test_a_misspelling_in_an_override_is_told_once(text: str, said: str) -> None:
    assert told(AUDIT, "--set", text) == [f"--set #1: {said}"]


def test_what_stands_under_a_misspelt_key_is_checked_as_if_it_were_right() -> None:
    text = AUDIT.replace("[[task]]", "[[tsk]]").replace('"Young"\n', '"Yong"\n').replace("seeds = [0, 1]\n", "")
    assert told(text.replace("recipe.seeds = [0, 1, 2]", "recipe.sedes = 3")) == [
        "a.toml:7:3: unknown table 'tsk'",
        "a.toml:9:10: unknown attribute 'Yong' in task 'Old'",
        "a.toml:32:8: unknown key 'sedes' in [recipe] (with --profile small)",
    ]


def test_a_table_may_be_spelt_rightly_and_wrongly() -> None:
    text = AUDIT.replace("[profile.small]", "[profile.other]\n[profil.small]")
    assert told(text) == ["a.toml:32:2: unknown table 'profil'"]


def test_a_key_whose_value_does_not_fit_is_not_missed_as_well() -> None:
    assert told(AUDIT.replace("count = 5", "cuont = 'x'")) == [
        "a.toml:6:43: unknown key 'cuont' in [data.test.cells[0]]"
    ]


def test_other_profiles_may_be_mistaken(tmp_path: Path) -> None:
    text = AUDIT + "[profile.other]\nrecpe.seeds = [1]\n"
    audit_project({"a.toml": text}).run("validate", "a.toml", "--profile", "small").assert_success()
    assert told(text) == ["a.toml:38:1: unknown key 'recpe' in profile 'other' (with --profile other)"]
