"""One image under several names is found wherever the files lie; where they were not compared, it is said."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
from table_toys import AUDIT, NO_EVIDENCE, PHOTOS, QUICK, picture, project
from toy_cohorts import toy
from training_toys import Photos

from auditkit.engine.identical import MOST, checksums
from auditkit.testing import AuditProject

FIRST_OF_TEST = f"{PHOTOS * 2 // 3}.png"


def test_a_test_photo_that_was_trained_on_under_another_name_is_counted() -> None:
    made = project(AUDIT + NO_EVIDENCE).write({FIRST_OF_TEST: picture(0)})
    made.run("run", "a.toml", *QUICK).assert_success()
    assert leaks(made) == {"image": 0, "identical file": 1}
    assert "identical file" in made.read("reports/a/report.md")


def leaks(of: AuditProject) -> dict[str, int]:
    found = json.loads(of.read("reports/a/findings.json"))
    return {leak["what"]: leak["touched"] for leak in found["leaks"]}


def test_only_photos_in_use_are_read_and_the_others_are_like_none() -> None:
    seen, remarks = checksums(replace(toy(5), images=Photos((b"a", b"b", b"a", b"", b"b"))), np.array([0, 1, 2]))
    assert remarks == ()
    assert seen is not None
    assert (seen[0] == seen[2], len(set(seen.tolist()))) == (True, 4)


@dataclass(frozen=True)
class Gone:
    """Images that were moved away since they were trained on."""

    def read(self, index: int) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")


def test_where_files_were_not_compared_it_is_said() -> None:
    everyone = np.arange(MOST + 1)
    assert checksums(toy(len(everyone)), everyone) == (
        None,
        ("files were not compared: 50,001 images are in use, more than 50,000",),
    )
    gone = replace(toy(5), images=Gone())
    assert checksums(gone, np.arange(5)) == (None, ("files were not compared: some could not be read",))
    assert checksums(replace(gone, synthetic=True), np.arange(5)) == (None, ())
    known = np.arange(5)
    assert checksums(replace(gone, checksums=known), np.arange(5))[0] is known
