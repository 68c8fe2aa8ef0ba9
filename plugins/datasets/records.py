"""Records of the built-in datasets: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component, Options, component

CELEBA_PLACE = "data/celeba"


class CelebAOptions(Options):
    """CelebA has no options: what a copy is made of is found by looking at it."""


DATASETS: tuple[Component, ...] = (
    component(
        "celeba",
        "auditkit_plugins.datasets.celeba:CelebA",
        options=CelebAOptions,
        summary="CelebA in a folder, official or as it is passed around; a consistent subset is accepted and labelled",
    ),
)
