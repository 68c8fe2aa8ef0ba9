"""Reading: order of precedence, profiles, files that cannot be read, and where a value came from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from valid_audits import FILE, line, load_valid

from auditkit.errors import AuditError
from auditkit.spec.merge import merged
from auditkit.spec.reader import parse, read
from auditkit.spec.scale import scaled


def test_a_valid_file_gives_an_audit(file: Path) -> None:
    audit, _ = load_valid(file)
    assert [arm.name for arm in audit.arm] == ["original", "over", "placebo"]
    assert audit.arm[1].sampler.options == {"where": {"Bald": 1}, "until": "balanced"}
    assert audit.recipe.seeds == (0, 1)


def test_a_profile_merges_tables_and_replaces_arrays(file: Path) -> None:
    audit, source = load_valid(file, profile="small")
    assert audit.recipe.seeds == (7,)
    assert audit.recipe.model.options == {"width": 8}
    assert (audit.recipe.budget.epochs, audit.recipe.budget.steps) == (None, 5)
    assert audit.recipe.optimizer.model_dump() == {
        "use": "sgd", "lr": 0.2, "momentum": 0.5, "nesterov": False, "weight_decay": 0.0,
    }  # fmt: skip
    assert source.profiles == ("small",)
    assert line(source, "recipe", "optimizer", "lr") == (41, 20, "0.2")
    assert line(source, "recipe", "optimizer", "momentum") == (15, 49, "0.5")
    assert line(source, "recipe", "budget", "steps") == (40, 20, "5")


def test_a_profile_keeps_arms_and_tasks_and_drops_what_names_the_others(file: Path) -> None:
    audit, source = load_valid(file, profile="small")
    assert [arm.name for arm in audit.arm] == ["original", "over"]
    assert [task.label for task in audit.task] == ["Male"]
    assert [gate.finding.arm for gate in audit.gate] == ["over"]
    assert audit.evidence.placebo is None
    assert line(source, "arm", 1, "name") == (20, 8, '"over"')
    assert line(source, "gate", 0, "at_most") == (31, 11, "0.1")


def test_a_profile_drops_the_placebo_of_an_arm_that_it_drops(file: Path) -> None:
    placebo = 'evidence.placebo={ over = "placebo", original = "over" }'
    audit, _ = load_valid(file, sets=(placebo,))
    assert audit.evidence.placebo_of("over") == "placebo"
    assert audit.evidence.placebo_of("placebo") is None
    text = file.read_text(encoding="utf-8").replace('placebo = "placebo"', 'placebo = { over = "placebo" }')
    file.write_text(text, encoding="utf-8")
    assert load_valid(file, profile="small")[0].evidence.placebos == ()


def test_another_use_replaces_the_whole_component(file: Path) -> None:
    audit, _ = load_valid(file, profile="faster")
    assert audit.recipe.optimizer.model_dump() == {"use": "adamw", "lr": 0.001, "weight_decay": 0.01}


def test_the_stand_in_brings_its_dataset_and_profile(file: Path) -> None:
    audit, source = load_valid(file, stand_in=True)
    assert (audit.data.dataset.use, audit.data.dataset.options) == ("faces", {"images": 500})
    assert audit.recipe.optimizer.use == "adamw"
    assert (source.profiles, source.stand_in) == (("faster",), True)
    assert line(source, "data", "dataset", "images") == (46, 37, "500")


def test_the_profile_asked_for_goes_over_the_stand_ins(file: Path) -> None:
    audit, source = load_valid(file, profile="small", stand_in=True)
    assert source.profiles == ("faster", "small")
    assert audit.recipe.optimizer.model_dump() == {"use": "adamw", "lr": 0.2, "weight_decay": 0.01}


def test_a_table_that_the_file_leaves_out_keeps_its_default_use(file: Path) -> None:
    file.write_text(FILE.replace('model = "resnet18"\n', "").replace("optimizer = ", "# ", 1))
    sets = ["recipe.optimizer.lr=0.25", "recipe.model.width=2", "recipe.objective.smoothing=0.5"]
    recipe = load_valid(file, sets=sets)[0].recipe
    assert recipe.optimizer.model_dump(include={"use", "lr"}) == {"use": "sgd", "lr": 0.25}
    assert (recipe.model.use, recipe.model.options) == ("resnet18", {"width": 2})
    assert (recipe.objective.use, recipe.objective.options) == ("cross-entropy", {"smoothing": 0.5})
    file.write_text(FILE.replace('{ use = "sgd", lr = 0.1, momentum = 0.5 }', "{ lr = 0.1 }"))
    assert load_valid(file)[0].recipe.optimizer.use == "sgd"
    assert load_valid(file, sets=['recipe.optimizer={use="adamw"}'])[0].recipe.optimizer.use == "adamw"
    assert load_valid(file, profile="small")[0].recipe.optimizer.model_dump(include={"use", "lr"}) == {
        "use": "sgd", "lr": 0.2,
    }  # fmt: skip


def test_files_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    with pytest.raises(AuditError) as missing:
        read(tmp_path / "b.toml")
    assert str(missing.value) == f"{tmp_path}/b.toml: there is no such file\n  there is 'a.toml'"
    with pytest.raises(AuditError, match=r"a_: there is no such file\n  did you mean 'a\.toml'\?"):
        read(tmp_path / "a_")
    with pytest.raises(AuditError) as folder:
        read(tmp_path)
    assert str(folder.value) == f"{tmp_path}: this is a folder, not an audit file\n  in it: {file}"
    with pytest.raises(AuditError) as deep:
        read(tmp_path / "none" / "b.toml")
    assert str(deep.value) == f"{tmp_path}/none/b.toml: there is no such file"


def test_a_file_that_is_not_there_may_lie_in_another_folder(file: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.audit]\n")
    with pytest.raises(AuditError) as other:
        read(tmp_path / "none.toml")
    assert str(other.value) == f"{tmp_path}/none.toml: there is no such file\n  there is 'a.toml'"
    (tmp_path / "audits").mkdir()
    moved = file.rename(tmp_path / "audits" / "bald.toml")
    for place in ("bald.toml", "audit/bald.toml"):
        with pytest.raises(AuditError) as elsewhere:
            read(tmp_path / place)
        hint = f"did you mean '{moved}'?"
        assert str(elsewhere.value) == f"{tmp_path / place}: there is no such file\n  {hint}"


def test_a_file_that_is_nested_too_deeply(tmp_path: Path) -> None:
    deep = tmp_path / "deep.toml"
    deep.write_text(f"notes = {'[' * 5000}{']' * 5000}\n")
    with pytest.raises(AuditError) as caught:
        read(deep)
    assert str(caught.value) == f"{deep}: the file is nested too deeply\n  arrays in arrays go two deep at most"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(file: Path) -> None:
    file.chmod(0)
    with pytest.raises(AuditError, match="cannot read the file: Permission denied"):
        read(file)


def test_a_place_that_leads_through_a_file(file: Path) -> None:
    with pytest.raises(AuditError, match="cannot read the file: Not a directory"):
        read(file / "b.toml")


def test_a_profile_that_does_not_exist(file: Path) -> None:
    with pytest.raises(AuditError) as caught:
        read(file, profile="smal")
    said = "did you mean 'small'? there are 'small' and 'faster'"
    assert str(caught.value) == f"--profile: there is no profile 'smal' in {file}\n  {said}"


def test_a_byte_order_mark_is_skipped(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    assert load_valid(file)[0].audit.title == "x"


def test_what_remains_of_a_bad_file_can_still_be_checked(file: Path) -> None:
    file.write_text(FILE.replace('title = "x"', "titel = 1").replace("seeds = [0, 1]", 'seeds = [0, "b"]'))
    audit, problems = parse(read(file))
    assert len(problems) == 2
    assert audit is not None
    assert [arm.name for arm in audit.arm] == ["original", "over", "placebo"]
    assert audit.recipe.seeds == (0,)


def test_scaling_multiplies_draws_and_cells(file: Path) -> None:
    audit = load_valid(file)[0]
    half = scaled(audit, 0.05)
    assert half.data.train.draw == 5
    assert half.data.train.hold_out == 0.1
    assert half.data.test is not None
    assert [cell.count for cell in half.data.test.cells] == [1]
    assert half.data.valid is None
    assert scaled(audit, 1.0) is audit


def test_neither_table_changes_when_one_is_laid_over_the_other() -> None:
    base = {"a": {"b": [1, 2]}, "sampler": "none"}
    over = {"a": {"c": [3]}, "sampler": {"k": 1}}
    assert merged(base, over) == {"a": {"b": [1, 2], "c": [3]}, "sampler": {"use": "none", "k": 1}}
    assert (base, over) == ({"a": {"b": [1, 2]}, "sampler": "none"}, {"a": {"c": [3]}, "sampler": {"k": 1}})
