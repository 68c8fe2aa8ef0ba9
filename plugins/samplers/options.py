"""Options of the built-in samplers; importing them imports nothing heavy."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from auditkit import ArmName, AttributeName, Condition, Count, Options

Where = Annotated[
    Condition | tuple[Condition, ...] | Literal["anyone"],
    Field(
        description="which images: a condition such as { Bald = 1, Male = 1 }, an array of conditions of which one "
        'must hold, or "anyone"'
    ),
]
Copies = Literal["augmented", "duplicate"]
Over = Annotated[
    tuple[AttributeName, ...],
    Field(description="attributes whose combinations of levels are the groups"),
]


class NoneOptions(Options):
    """Every image once."""


class OversampleOptions(Options):
    """Exactly one of `until`, `times`, `extra` and `like` says how many copies are added; every image itself stays."""

    where: Where = "anyone"
    until: Literal["balanced"] | None = Field(
        default=None,
        description="add copies until matching images, copies included, are as many as all others; spread evenly, so "
        "that no image has two copies more than another; images of which a missing value leaves open whether they "
        "match are trained on and count for neither",
    )
    times: int | None = Field(
        default=None, gt=0, description="this many copies of each matching image, beside the image itself"
    )
    extra: float | None = Field(
        default=None, ge=0, description="this fraction, of what `of` names, is added as copies of matching images"
    )
    of: Literal["dataset", "attribute"] | None = Field(
        default=None,
        description='what `extra` is a fraction of: all images ("dataset") or the matching ones ("attribute")',
    )
    like: ArmName | None = Field(
        default=None,
        description="a placebo of that arm: as many different images as it copied are copied, each as often as there",
    )
    distinct: bool = Field(
        default=False, description="with like: as many copies as in that arm, but all of different images"
    )
    replacement: bool = Field(
        default=False,
        description="with until or extra: draw the images to copy independently, with replacement; otherwise extra "
        "copies no image twice",
    )
    copies: Copies | None = Field(
        default=None, description="augmented copies or plain duplicates; default augmented, with like as in that arm"
    )

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        given = [name for name in ("until", "times", "extra", "like") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"give exactly one of until, times, extra and like; found {found}")
        self._check_company(given[0])
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of which one must hold; none means anyone."""
        if isinstance(self.where, str):
            return ()
        return self.where if isinstance(self.where, tuple) else (self.where,)

    @property
    def whom(self) -> str:
        """The conditions in words: "Male=1, Young=1 or Male=0, Young=0"."""
        return " or ".join(map(str, self.conditions)) or "anyone"

    def _check_company(self, given: str) -> None:
        if given == "extra" and self.of is None:
            raise ValueError('extra needs of = "dataset" or of = "attribute": a fraction of what?')
        if given != "extra" and self.of is not None:
            raise ValueError(f"of goes with extra, not with {given}")
        if self.where == ():
            raise ValueError('where is an empty array; write where = "anyone" for every image')
        if given == "until" and self.where == "anyone":
            raise ValueError('until = "balanced" needs a condition in where: anyone has no others to balance')
        if self.distinct and given != "like":
            raise ValueError(f"distinct goes with like, not with {given}")
        if self.replacement and given not in ("until", "extra"):
            raise ValueError(f"replacement goes with until or extra, not with {given}")


class AugmentEveryoneOptions(Options):
    """Every image is replaced by one augmented copy, so that an augmented look says nothing about an attribute."""

    like: ArmName | None = Field(
        default=None, description="take the images of that arm, each as often as there; default every image once"
    )


class UndersampleOptions(Options):
    """Exactly one of `where` (matching images and the others) and `over` says what the groups are."""

    where: Condition | None = Field(
        default=None,
        description="two groups: images that match, and the others; those of which a missing value leaves it open are "
        "left out",
    )
    over: Over = ()
    to: Count | None = Field(
        default=None, gt=0, description="images kept of each group; default as many as the smallest group has"
    )

    @model_validator(mode="after")
    def _one_grouping(self) -> Self:
        if (self.where is None) == (not self.over):
            raise ValueError("give exactly one of where and over")
        return self


class BalanceOptions(Options):
    """Groups of equal size by repeating images of the smaller ones."""

    over: Over = Field(min_length=1)
    how: Literal["upsample", "reweight"] = Field(
        default="upsample",
        description="upsample: every image, and copies spread evenly until every group is as large as the largest; "
        "reweight: as many draws as images, with replacement, each group equally likely",
    )
    copies: Copies = Field(default="duplicate", description="augmented copies or plain duplicates")


class Cell(Options):
    """An exact number of rows that satisfy a condition."""

    where: Condition = Field(description="a condition such as { Male = 1, Young = 0 }")
    count: Count = Field(gt=0, description="rows of this cell, copies included")


class CellsOptions(Options):
    """Exact numbers of rows per cell; images in no cell are left out."""

    cells: tuple[Cell, ...] = Field(min_length=1, description="cells that exclude each other")
    copies: Literal["none", "augmented", "duplicate"] = Field(
        default="none", description="what fills a cell that has fewer images than asked for; none makes it an error"
    )


class UpweightErrorsOptions(Options):
    """Just train twice: images that another arm gets wrong are repeated."""

    arm: ArmName = Field(description="the arm whose predictions on its training images are read")
    times: int = Field(gt=0, description="this many copies of each misclassified image, beside the image itself")
    copies: Copies = Field(default="duplicate", description="augmented copies or plain duplicates")
