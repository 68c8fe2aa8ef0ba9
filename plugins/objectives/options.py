"""Options of the built-in objectives; importing them imports nothing heavy."""

from __future__ import annotations

from pydantic import Field

from auditkit import AttributeName, Options


class CrossEntropyOptions(Options):
    """Nothing but smoothing."""

    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="share of the truth spread over both classes")


class ReweightOptions(Options):
    """Which images count more."""

    strata: tuple[AttributeName, ...] = Field(min_length=1, description="attributes whose combinations are the strata")
    power: float = Field(default=1.0, ge=0, le=2, description="weight = count ** -power: 1 balances, 0.5 is milder")


class GroupDROOptions(Options):
    """Which groups are weighed against each other, and how fast."""

    strata: tuple[AttributeName, ...] = Field(min_length=1, description="attributes whose combinations are the groups")
    step_size: float = Field(default=0.01, gt=0, le=10, description="eta in q <- q exp(eta loss)")


class FocalOptions(Options):
    """How much easy images are discounted."""

    gamma: float = Field(default=2.0, ge=0, le=10, description="exponent of (1 - p); 0 is cross-entropy")
