"""``auditkit show``: what every arm says of single images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from probed_toys import TOY, photo, prepared, story
from table_toys import AUDIT, QUICK
from table_toys import project as table_of_photos

from auditkit.engine.looking import look
from auditkit.engine.registry import Registry
from auditkit.engine.work import ComponentRef, ImageCacheRef, LookWork
from auditkit.testing import AuditProject, audit_project


@pytest.fixture(scope="module")
def project() -> AuditProject:
    return story().project


def shown(project: AuditProject, *images: str) -> list[dict[str, Any]]:
    arguments = [part for image in images for part in ("--image", image)]
    found: list[dict[str, Any]] = json.loads(project.run("show", "all.toml", *arguments, "--json").assert_success().out)
    return found


def test_a_test_photo_is_answered_by_stored_predictions(project: AuditProject) -> None:
    (found,) = shown(project, photo(project, "test"))
    ready = prepared(project)
    assert (found["split"], found["data"]) == ("test", "synthetic")
    assert [arm["arm"] for arm in found["arms"]] == ["original", "oversampled"]
    for arm in found["arms"]:
        for answer in arm["answers"]:
            stored = ready.store.predictions(ready.plan.unit("Male", arm["arm"], answer["seed"]).digest).on("test")
            margin = float(stored.margin[stored.row == found["row"]][0])
            assert (answer["source"], answer["trained_on"]) == ("test", [0, 0])
            assert answer["probability"] == pytest.approx(1 / (1 + np.exp(-margin)))
        chances = [one["probability"] for one in arm["answers"]]
        assert arm["mean"] == pytest.approx(np.mean(chances))
        assert arm["seeds_wrong"] == sum((chance > 0.5) != found["truth"]["Male"] for chance in chances)


def test_attributes_are_those_that_the_audit_names(project: AuditProject) -> None:
    (found,) = shown(project, photo(project, "test"))
    table = prepared(project).dataset.attributes
    assert found["attributes"] == {name: int(table.column(name)[found["row"]]) for name in ("Male", "Bald")}


def test_a_photo_that_was_trained_on_is_asked_of_the_weights_and_says_how_often(project: AuditProject) -> None:
    ready = prepared(project)
    train = ready.pools.train
    bald = train[ready.dataset.attributes.column("Bald")[train] == 1]
    (found,) = shown(project, ready.dataset.file_names[int(bald[0])])
    original, oversampled = found["arms"]
    assert {one["source"] for arm in found["arms"] for one in arm["answers"]} == {"weights"}
    assert original["answers"][0]["trained_on"] == [1, 0]
    assert sum(oversampled["answers"][0]["trained_on"]) > 1
    assert 0 < oversampled["mean"] < 1


def test_weights_answer_as_the_run_did(project: AuditProject) -> None:
    ready = prepared(project)
    unit = ready.plan.units[0]
    test = ready.store.predictions(unit.digest).on("test")
    (pixels,) = project.folder.glob(".cache/auditkit/images/*/pixels.npy")
    ref = ComponentRef("model", unit.arm.model.address, unit.arm.model.options.model_dump(by_alias=True))
    cache = ImageCacheRef(str(pixels), 32, len(test.row))
    item = LookWork(unit.digest, unit.label, ref, cache, test.row, str(ready.store.root), "cpu")
    np.testing.assert_allclose(look(item, Registry.load().build_ref), test.margin, atol=1e-3)


def test_the_table_fits_80_columns_and_leads_with_synthetic(project: AuditProject) -> None:
    narrow = AuditProject(project.folder, {**project.environment, "COLUMNS": "80"})
    images = ("--image", photo(project, "train"), "--image", photo(project, "test"))
    lines = narrow.run("show", "all.toml", *images).assert_success().out.splitlines()
    assert lines[0] == "! SYNTHETIC DATA (synthetic)"
    assert max(map(len, lines)) <= 80
    assert f"{photo(project, 'test')} · test split" in lines
    assert f"{photo(project, 'train')} · train split" in lines
    assert sum(line.startswith(("original", "oversampled")) for line in (one.strip() for one in lines)) == 4


def test_words_in_brackets_stay_as_they_are() -> None:
    story = table_of_photos(
        AUDIT + 'label = "[more] bald [/b]"\n[words]\nSmiling = { 1 = "[a] smile [/a]", 0 = "none" }\n'
    )
    story.run("run", "a.toml", *QUICK).assert_success()
    told = story.run("show", "a.toml", "--image", "16.png", "--image", "17.png").assert_success().out.splitlines()
    assert told[2] == "  Smiling: probability of [a] smile [/a]; it is not [a] smile [/a]"
    assert told[4].startswith("[more] bald [/b]  ")


def test_without_weights_one_message_names_the_option() -> None:
    outcome = story().shown_without_weights.assert_code(2)
    name = photo(story().project, "train")
    assert outcome.err == (
        f".auditkit: {name}: not among the images that were predicted, and no weights were kept to predict it now\n"
        "  keep them, which trains the units again: auditkit run toy.toml --keep-weights\n"
    )


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("7.jpg", "did you mean '000007.jpg'? "),
        ("img/000007.png", "did you mean '000007.jpg'? "),
        ("000170.jpeg", "did you mean '000170.jpg'? "),
        ("cat", ""),
    ],
)
def test_an_unknown_photo_is_an_error_with_the_nearest_name(project: AuditProject, given: str, hint: str) -> None:
    outcome = project.run("show", "all.toml", "--image", given).assert_code(2)
    names = "it has 240 images, 000001.jpg to 000240.jpg"
    assert outcome.err == f"--image: no image {given!r} in the data set\n  {hint}{names}\n"


def test_before_any_training_the_command_is_named() -> None:
    empty = audit_project({"toy.toml": TOY})
    outcome = empty.run("show", "toy.toml", "--image", "000001.jpg").assert_code(2)
    assert outcome.err == (
        "toy.toml: 4 of its 4 units are not in the store .auditkit, such as Male · original · seed 0\n"
        "  train them: auditkit run toy.toml\n"
    )


def test_showing_imports_no_torch_here(project: AuditProject) -> None:
    image = photo(project, "train")  # asked of the weights, in a process of its own
    code = (
        "import sys; from auditkit.cli import exit_code\n"
        "if __name__ == '__main__':\n"
        f"    code = exit_code(['show', 'all.toml', '--image', {image!r}])\n"
        "    print(code, sorted({'torch', 'fairlearn'} & set(sys.modules)))\n"
    )
    project.write({"asks.py": code})
    done = subprocess.run(
        [sys.executable, "asks.py"],
        cwd=project.folder,
        env={**os.environ, **project.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"
