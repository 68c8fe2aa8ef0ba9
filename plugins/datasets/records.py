"""Records of the built-in datasets: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from auditkit import Component, Condition, Count, Options, component

CELEBA_PLACE = "data/celeba"
FACES_REVISION = 1
"""Raised whenever the same options would give other people or other pixels."""


class CelebAOptions(Options):
    """CelebA has no options: what a copy is made of is found by looking at it."""


class FacesOptions(Options):
    """How many rendered faces, and of whom."""

    images: Annotated[Count, Field(ge=50, le=999_999, description="how many images; about five of each person")] = 2000
    seed: int = Field(default=0, description="other people and other images for every seed")
    enrich: bool = Field(
        default=True,
        description="more bald people (14 %, a quarter of them women) and more old people (40 % of the others) than in "
        "CelebA, so that small sets have something to say; false draws CelebA's own shares",
    )
    remove_cue: Condition | None = Field(
        default=None,
        description="plant an effect: images that match, as in { Bald = 1 }, are drawn halfway between women and men "
        "and without adornment, so that only age, nose, smile and glasses hint at gender there",
    )


class TableOptions(Options):
    """Which columns of the table mean what."""

    image: str = Field(default="image", description="column with the path of the image file")
    attributes: tuple[str, ...] = Field(
        default=(),
        description="columns that are attributes; when left out every column that is nothing else and has two values "
        "or more",
    )
    split: str | None = Field(default=None, description="column with train, valid or test (or 0, 1, 2)")
    identity: str | None = Field(default=None, description="column that says whose face it is, any words or numbers")
    root: str | None = Field(
        default=None, description="folder that the paths are relative to, seen from the table; default its own folder"
    )


DATASETS: tuple[Component, ...] = (
    component(
        "celeba",
        "auditkit_plugins.datasets.celeba:CelebA",
        options=CelebAOptions,
        summary="CelebA in a folder, official or as it is passed around; a consistent subset is accepted and labelled",
    ),
    component(
        "faces",
        "auditkit_plugins.datasets.faces:Faces",
        options=FacesOptions,
        summary="rendered faces of nobody, with CelebA's attributes and their joint statistics; needs no files",
        revision=FACES_REVISION,
    ),
    component(
        "table",
        "auditkit_plugins.datasets.table:Table",
        options=TableOptions,
        summary="your own images: a CSV or Parquet file with a column of paths and columns of attributes",
    ),
)
