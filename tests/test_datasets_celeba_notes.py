"""What is said of data in CelebA's layout: people, splits, what it may be called, and what a check counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from celeba_toys import CODES, NAMES, PEOPLE, column, jpeg, opened

from auditkit.testing import audit_project
from auditkit_plugins.datasets.celeba_check import check
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES

AUDIT = '[audit]\ntitle = "x"\n[[task]]\ntarget = "Male"\n[[arm]]\nname = "a"\n[evidence]\nscan = false\n'


def test_whoever_is_unknown_is_no_person_among_others(official: Path) -> None:
    (official / "identity_CelebA.txt").write_bytes(column([-1] * 10 + [5, 5]))
    audit_project({"a.toml": AUDIT}).run("plan", "a.toml", "--data", str(official)).assert_success()
    assert not any("more than one split" in note for note in opened(official).notes)
    assert dict(check(official).facts)["identities"].startswith("identity_CelebA.txt: 1 person")


def test_an_identity_that_is_no_number_from_0_is_refused(official: Path) -> None:
    (official / "identity_CelebA.txt").write_bytes(column([1, 1, -7, *PEOPLE[3:]]))
    outcome = audit_project({"a.toml": AUDIT}).run("plan", "a.toml", "--data", str(official)).assert_code(2)
    assert outcome.err.startswith(f"{official}: dataset 'celeba' of auditkit ")
    assert outcome.err.endswith(
        " gives 1 image an identity below -1, first 000003.jpg\n"
        "  an identity is a number from 0, or -1 where it is unknown\n"
    )


def test_without_identities_it_says_what_that_costs(official: Path) -> None:
    (official / "identity_CelebA.txt").unlink()
    found = opened(official)
    assert found.identities is None
    assert found.notes[-1] == (
        "no identity file: intervals treat every image as another person and come out too narrow, "
        "and a hold-out may leave one person on both sides"
    )


def test_without_splits_and_with_other_splits_it_says_so(official: Path) -> None:
    (official / "list_eval_partition.txt").write_bytes(column([0, 2] * 6))
    notes = opened(official).notes
    assert "the splits are not CelebA's: figures cannot be compared with those of the official test split" in notes
    assert "6 people have images in more than one split: test accuracy is flattered" in notes
    (official / "list_eval_partition.txt").unlink()
    found = opened(official)
    assert found.splits is None
    assert found.notes[0].startswith("no list_eval_partition file: train, valid and test are drawn by the audit")


def test_rendered_faces_are_never_taken_for_photos(official: Path) -> None:
    (official / "synthetic.json").write_text("{}")
    found = opened(official)
    assert found.synthetic
    assert found.kind == "synthetic"


def test_other_file_names_are_not_called_a_subset(official: Path) -> None:
    for path in official.glob("*.txt"):
        path.write_bytes(path.read_bytes().replace(b"0000", b"face"))
    for path in (official / "img_align_celeba").iterdir():
        path.rename(path.with_name(path.name.replace("0000", "face")))
    assert opened(official).kind == "in CelebA's layout, not official CelebA"


def test_check_tells_what_is_missing_unreadable_and_odd(official: Path) -> None:
    images = official / "img_align_celeba"
    (images / NAMES[1]).unlink()
    (images / NAMES[3]).write_bytes(b"")
    (images / NAMES[5]).write_bytes(jpeg(5)[:80])
    (images / "strange.jpg").write_bytes(jpeg(1, (90, 100)))
    found = check(official)
    assert found.verdict == "subset, not official CelebA"
    facts = dict(found.facts)
    assert facts["attributes"] == "list_attr_celeba.txt: 12 images (official 202,599)"
    assert facts["identities"] == "identity_CelebA.txt: 6 people (official 10,177)"
    assert facts["images"].startswith("img_align_celeba: 11, and 1 without a row, ")
    assert facts["image size"] == "178 x 218 pixels in a sample of 9"
    assert "1 image is announced but missing from img_align_celeba: 000002.jpg" in found.problems
    assert found.refused == (
        "2 images cannot be read (every file looked at for emptiness, 11 decoded): 000004.jpg, 000006.jpg\n"
        "  restore these files, or remove them and their rows, and lower the count in the first line",
    )
    assert dict(found.shares)["Bald"] == CODES[:, ATTRIBUTES.index("Bald")].mean()
    assert [name for name, _ in found.shares] == list(ATTRIBUTES)
    counts = {count.group: (count.found, count.expected) for count in found.groups}
    assert counts["train: Bald"] == (int(CODES[:8, ATTRIBUTES.index("Bald")].sum()), None)


def test_the_official_annotations_have_the_counts_of_the_notes(shared: Path) -> None:
    place = shared / "celeba-annotations"
    found = opened(place)
    facts = json.loads((shared / "notes" / "celeba_counts.json").read_text())["splits"]
    assert found.kind == "official CelebA"
    assert found.splits is not None and found.identities is not None
    for at, split in enumerate(("train", "valid", "test")):
        rows = found.splits == at
        assert int(rows.sum()) == facts[split]["n"]
        assert len(np.unique(found.identities[rows])) == facts[split]["identities"]
        for name, known in facts[split]["marginals40"].items():
            assert int(found.attributes.column(name)[rows].sum()) == known["count"], (split, name)
            male = found.attributes.column("Male")[rows] == 1
            assert int(found.attributes.column(name)[rows][male].sum()) == known["count_male"], (split, name)
    assert not [count for count in check(place).groups if count.found != count.expected]
