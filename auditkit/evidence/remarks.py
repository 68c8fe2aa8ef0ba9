"""What a reader must know beside the findings of a panel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence.layout import BLOCKS, Layout
from auditkit.evidence.seeds import pairs_seeds
from auditkit.spec.model import Evidence
from auditkit.spec.words import listed

_TELL_OF_IMAGES = "they tell of the images too, and not of the arms alone"


class Remark(NamedTuple):
    """A sentence, and the task that it is about."""

    about: str
    text: str


def remarks(layout: Layout, evidence: Evidence, *, compared: bool) -> Iterator[Remark]:
    """Sentences about people, seeds, attributes and predictions of one task on one test set.

    `compared`: whether any change has an interval, of whose making there is something to say.
    """
    panel = layout.panel
    task = panel.task if panel.test == "plain" else f"{panel.task}, {panel.test} test"
    said = (
        *_people(layout),
        *_one_seed(layout),
        *_seeds(layout, compared),
        *_attributes(layout, evidence),
        *_predictions(layout),
    )
    yield from (Remark(task, text) for text in said)


def together(said: Iterable[Remark]) -> tuple[str, ...]:
    """Each sentence once, behind all the tasks that it is about: "Male; Old: ..."."""
    about: dict[str, dict[str, None]] = {}
    for remark in said:
        about.setdefault(remark.text, {})[remark.about] = None
    return tuple(f"{'; '.join(tasks)}: {text}" for text, tasks in about.items())


def _people(layout: Layout) -> Iterator[str]:
    panel = layout.panel
    unknown = int((panel.identity < 0).sum())
    if not panel.identities_known:
        yield (
            "who is on the images is not known; every image counts as a person of its own, so intervals are too narrow "
            "where one person has several images"
        )
    elif unknown:
        have = "has no identity; it counts" if unknown == 1 else "have no identity; each counts"
        narrow = "intervals are too narrow where it is of one of the others"
        if unknown > 1:
            narrow = "intervals are too narrow where several are of the same person"
        yield f"{unknown} of {len(panel.row)} images {have} as a person of its own, so {narrow}"
    if layout.people > BLOCKS:
        yield f"{layout.people} people are resampled in {BLOCKS} random blocks, which leaves the variance as it is"


def _one_seed(layout: Layout) -> Iterator[str]:
    """Which arms have one seed, and what that costs."""
    alone = [arm for arm, seeds in zip(layout.arms, layout.seeds, strict=True) if len(seeds) == 1]
    said = "training variance not measured"
    if len(alone) == len(layout.arms) > 1:
        yield f"{said}: every arm has one seed, so no change is called one, and intervals leave it out"
    elif alone:
        arms, has, it, its = ("arm", "has", "it", "its") if len(alone) == 1 else ("arms", "have", "them", "their")
        change = f"no change to or from {it} is called one, and " if len(layout.arms) > 1 else ""
        which = f"{arms} {listed(alone, 'and')}, which {has} one seed"
        yield f"{said} in {which}: {change}{its} own intervals leave it out"


def _seeds(layout: Layout, compared: bool) -> Iterator[str]:
    counts = {len(seeds) for seeds in layout.seeds}
    if min(counts) == 2:
        said = "two seeds hardly tell how far training again moves a number"
        yield f"{said}, so intervals can be several times as wide as with five"
    if not compared:
        return
    if len(counts) > 1:
        yield (
            "arms have different numbers of seeds: seeds are not paired in a change between two such arms; the "
            "variance between seeds is pooled over arms, which supposes that it is the same in all"
        )
    elif max(counts) > 1:
        yield "the variance between seeds is pooled over arms, which supposes that it is the same in all"
        if not pairs_seeds(len(layout.arms), max(counts)):
            yield "arms and seeds are too few to pair seeds; the variance of a change is that of independent networks"


def _attributes(layout: Layout, evidence: Evidence) -> Iterator[str]:
    panel = layout.panel
    for name in dict.fromkeys(name for over in evidence.groups for name in over):
        missing = int((panel.attributes[name] < 0).sum())
        if missing:
            have, are = ("has", "is") if missing == 1 else ("have", "are")
            yield f"{missing} of {len(panel.row)} images {have} no value of {name!r} and {are} left out of its groups"
        present = np.unique(panel.attributes[name][panel.attributes[name] >= 0])
        if len(present) < 2:
            yield f"{name!r} has fewer than two levels in the test set, so no gap over it is estimable"


def _predictions(layout: Layout) -> Iterator[str]:
    same: dict[tuple[int, str], list[int]] = {}
    for arm in range(len(layout.arms)):
        for seed, unit in zip(layout.seeds[arm], layout.units_of(arm), strict=True):
            known = layout.cell[unit][layout.cell[unit] >= 0]
            if len(np.unique(known % 2)) == 1:
                same.setdefault((arm, "positive" if known[0] % 2 else "negative"), []).append(seed)
    for (arm, answer), seeds in same.items():
        which = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
        yield f"arm {layout.arms[arm]!r} with {which} predicts the same for every image, {answer}"
    yield from _partly_tested(layout)


def _partly_tested(layout: Layout) -> Iterator[str]:
    """One sentence for all networks that some images of the test set were not put to."""
    by_arm = [layout.cell[layout.units_of(arm)] >= 0 for arm in range(len(layout.arms))]
    if len(by_arm) > 1 and (np.sum([tested.any(axis=0) for tested in by_arm], axis=0) < 2).all():
        if not layout.panel.rows_known:
            return
        yield f"no image was put to two arms: changes are wholly between different images, so {_TELL_OF_IMAGES}"
        return
    images = layout.cell.shape[1]
    partly = [arm for arm, tested in enumerate(by_arm) if not tested.all()]
    if partly:
        counts = np.concatenate([by_arm[arm].sum(axis=1) for arm in partly])
        low, high = int(counts.min()), int(counts.max())
        names = listed((layout.arms[arm] for arm in partly), "and")
        of_arms = f" of {'arm' if len(partly) == 1 else 'arms'} {names}" if len(partly) < len(by_arm) else ""
        some = f"{low} to {high}" if low < high else f"{low}"
        shared = _shared(np.stack([tested.all(axis=0) for tested in by_arm]))
        yield f"every network{of_arms} was tested on {some} of {images} images{shared}"


def _shared(by_arm: NDArray[np.bool_]) -> str:
    """What it costs that arms were not tested on the same images; "" where they were."""
    if (by_arm == by_arm[0]).all():
        return ""
    shared = int(by_arm.all(axis=0).sum())
    if not shared:
        return f"; all arms together share none: some changes are between different images, so {_TELL_OF_IMAGES}"
    return (
        f"; all arms share {shared}: changes are partly between different images, so they tell of the images that are "
        "missing too, and not of the arms alone"
    )
