"""Records of the built-in samplers: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component, component
from auditkit_plugins.samplers import options

_HOME = "auditkit_plugins.samplers"

SAMPLERS: tuple[Component, ...] = (
    component(
        "none",
        f"{_HOME}.oversample:Everyone",
        options=options.NoneOptions,
        summary="every image once, nothing resampled",
    ),
    component(
        "oversample",
        f"{_HOME}.oversample:Oversample",
        options=options.OversampleOptions,
        summary="copies of the images that match a condition, or the placebo of another arm",
    ),
    component(
        "augment-everyone",
        f"{_HOME}.oversample:AugmentEveryone",
        options=options.AugmentEveryoneOptions,
        summary="every image replaced by an augmented copy",
    ),
    component(
        "undersample",
        f"{_HOME}.groups:Undersample",
        options=options.UndersampleOptions,
        summary="images left out at random until the groups are equal",
    ),
    component(
        "balance",
        f"{_HOME}.groups:Balance",
        options=options.BalanceOptions,
        summary="smaller groups repeated until all groups are equal",
    ),
    component(
        "cells",
        f"{_HOME}.groups:Cells",
        options=options.CellsOptions,
        summary="exact numbers of rows per cell",
    ),
    component(
        "upweight-errors",
        f"{_HOME}.errors:UpweightErrors",
        options=options.UpweightErrorsOptions,
        summary="images that another arm gets wrong are repeated (just train twice)",
    ),
)
