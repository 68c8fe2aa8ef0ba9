"""Who is on the rendered images: people with CelebA's joint statistics of attributes, and a few images of each.

Eight attributes are drawn from CelebA's exact joint counts; the other 32 follow one after the other, each with its rate
given five attributes that come before it (a Bayesian network; rates and structure measured on CelebA).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit import generator
from auditkit_plugins.datasets.celeba_facts import ATTRIBUTES

Codes = NDArray[np.int8]

PER_PERSON = (3, 7)
"""Fewest and most images of one person."""

BALD_SHARE, BALD_WOMEN, OLD_SHARE = 0.14, 0.25, 0.40
"""The enrichment: bald among people, women among the bald, old among those who are not bald."""

MISLABELLED = MappingProxyType({"Male": 0.005, "Young": 0.02, "Big_Nose": 0.03})
"""Share of images whose label says the opposite of what is drawn; bald images lose their label with BALD_MISSED."""
BALD_MISSED = 0.03

SPLIT_PATTERN = (0, 2, 0, 0, 1, 2, 0, 0, 2, 0)
"""Splits of ten people in a row of the same gender, age and baldness: 60 % train, 10 % valid, 30 % test."""

_PASSING = frozenset(
    {
        "Blurry", "Heavy_Makeup", "High_Cheekbones", "Mouth_Slightly_Open", "Narrow_Eyes", "Rosy_Cheeks",
        "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie",
    }
)  # fmt: skip
_KEPT, _KEPT_PASSING = 0.97, 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """drawn: (images, 40) int8, what is in the picture; labels: the same with mistakes; splits: (images,) int8.

    identities: (images,) int64 from 1, the images of one person in a row.
    """

    drawn: Codes
    labels: Codes
    identities: NDArray[np.int64]
    splits: NDArray[np.int8]


def population(images: int, seed: int, enrich: bool) -> Population:
    """Draw the people and their images."""
    rng = generator(seed, "faces people")
    owner = _owners(images, rng)
    persons = _persons(int(owner[-1]) + 1, cell_shares(enrich), rng)
    drawn = _images_of(persons, owner, rng)
    return Population(drawn, _with_mistakes(drawn, rng), owner + 1, _splits(persons, rng)[owner])


def cell_shares(enrich: bool) -> NDArray[np.float64]:
    """(256,) share of people in each cell of the eight attributes, CelebA's own or enriched."""
    shares = np.array(_joint()["cells"], dtype=np.float64)
    shares /= shares.sum()
    if not enrich:
        return shares
    bits = dict(zip(_joint()["core"], _bits(np.arange(256)).T, strict=True))
    male, old, bald = bits["Male"] == 1, bits["Young"] == 0, bits["Bald"] == 1
    wanted = (
        (bald & male, BALD_SHARE * (1 - BALD_WOMEN)),
        (bald & ~male, BALD_SHARE * BALD_WOMEN),
        (~bald & old, (1 - BALD_SHARE) * OLD_SHARE),
        (~bald & ~old, (1 - BALD_SHARE) * (1 - OLD_SHARE)),
    )
    for cells, share in wanted:
        shares[cells] *= share / shares[cells].sum()
    return shares


@cache
def _joint() -> Mapping[str, Any]:
    text = (files("auditkit_plugins.datasets") / "faces_joint.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))


def _owners(images: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(images,) int64: whose face, from 0."""
    low, high = PER_PERSON
    counts = rng.integers(low, high, size=images // low + 1, endpoint=True)
    return np.repeat(np.arange(len(counts)), counts)[:images]


def _bits(cells: NDArray[np.int64]) -> Codes:
    """(n, 8) int8: the core attributes of a cell, the first one being the most significant bit."""
    shifts = np.arange(len(_joint()["core"]))[::-1]
    return ((cells[:, None] >> shifts) & 1).astype(np.int8)


def _persons(count: int, shares: NDArray[np.float64], rng: np.random.Generator) -> Codes:
    codes = np.zeros((count, len(ATTRIBUTES)), dtype=np.int8)
    codes[:, _columns(_joint()["core"])] = _bits(_pick(np.broadcast_to(shares, (count, 256)), rng))
    _follow_chain(codes, np.zeros(len(ATTRIBUTES)), rng)
    return codes


def _images_of(persons: Codes, owner: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    """An image keeps its person's core; smile and glasses are drawn anew, the rest mostly kept or mostly drawn anew."""
    codes = persons[owner]
    core = _columns(_joint()["core"])
    kind = codes[:, core[:6]].astype(np.int64) @ (1 << np.arange(6)[::-1])
    moods = np.array(_joint()["cells"], dtype=np.float64).reshape(64, 4)
    codes[:, core[6:]] = _bits(_pick(moods[kind] / moods[kind].sum(axis=1, keepdims=True), rng))[:, 6:]
    keep = np.array([_KEPT_PASSING if name in _PASSING else _KEPT for name in ATTRIBUTES])
    _follow_chain(codes, keep, rng)
    return codes


def _pick(shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) int64: one column per row, drawn with the shares of the row."""
    edges = np.cumsum(shares, axis=1)
    at: NDArray[np.int64] = (rng.random((len(shares), 1)) * edges[:, -1:] >= edges).sum(axis=1)
    return at


def _follow_chain(codes: Codes, keep: NDArray[np.float64], rng: np.random.Generator) -> None:
    """Draw the attributes outside the core in place, each given its parents, unless they are kept (a probability)."""
    for link in _joint()["chain"]:
        rates = np.array([rate or 0.0 for rate in link["rates"]])
        parents = codes[:, _columns(link["parents"])].astype(np.int64)
        rate = rates[parents @ (1 << np.arange(parents.shape[1])[::-1])]
        at = ATTRIBUTES.index(link["attribute"])
        fresh = rng.random(len(codes)) >= keep[at]
        codes[:, at] = np.where(fresh, rng.random(len(codes)) < rate, codes[:, at])


def _with_mistakes(drawn: Codes, rng: np.random.Generator) -> Codes:
    labels = drawn.copy()
    for name, share in MISLABELLED.items():
        labels[:, ATTRIBUTES.index(name)] ^= rng.random(len(labels)) < share
    labels[:, ATTRIBUTES.index("Bald")] &= rng.random(len(labels)) >= BALD_MISSED
    return labels


def _splits(persons: Codes, rng: np.random.Generator) -> NDArray[np.int8]:
    """(people,) int8: people of the same gender, age and baldness are dealt to the splits in turn."""
    strata = persons[:, _columns(("Male", "Young", "Bald"))] @ np.array([4, 2, 1])
    splits = np.zeros(len(persons), dtype=np.int8)
    for stratum in range(8):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        splits[members] = np.resize(np.array(SPLIT_PATTERN, dtype=np.int8), len(members))
    return splits


def _columns(names: tuple[str, ...] | list[str]) -> list[int]:
    return [ATTRIBUTES.index(name) for name in names]
