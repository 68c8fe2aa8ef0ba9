"""What is known of a run that is no finding; every key may be missing, further ones are kept in findings.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


class DatasetFacts(TypedDict, total=False):
    """Which data it was. `kind` as in OpenDataset; `images` and `identities` count the whole data set."""

    kind: str
    synthetic: bool
    place: str
    images: int
    identities: int | None
    fingerprint: str
    notes: Sequence[str]


class UnitFacts(TypedDict, total=False):
    """How one unit was trained. `visits` are images shown to the network, copies and epochs included; `pixels` is
    "device", or "host" where the images had no room there. `steps` were "compiled", "captured" (as a CUDA graph,
    without a compiler) or "eager", or several of these where the unit was continued otherwise: "captured and eager"."""

    task: str
    arm: str
    seed: int
    digest: str
    device: str
    pixels: str
    precision: str
    steps: str
    threads: int
    seconds: float
    images_per_second: float
    visits: int


class MetricFacts(TypedDict, total=False):
    """How a metric is printed: as a share in percent (the default) or as a plain number."""

    percent: bool


@with_config(ConfigDict(extra="allow"))
class Facts(TypedDict, total=False):
    """Everything about a run that is no finding.

    `splits` maps "train", "valid" and "test" to images, and "test_identities" to people. `metrics` maps a metric's id
    to how it is printed. `command` makes the report again, wherever its units are stored. `scale` is the factor of
    --scale, `profile` the name of the profile, `stand_in` whether the data set stands in for another. `overrides`
    are the arguments of --set. `samplers` maps an arm to the options that its sampler ran with, defaults and scale
    applied. `digests` maps an arm whose predictions were made elsewhere to a digest of them. `words` are those for
    levels, as in the audit file. `audit` is the resolved audit as JSON values, for `compare`.
    """

    title: str
    dataset: DatasetFacts
    splits: Mapping[str, int | None]
    units: Sequence[UnitFacts]
    versions: Mapping[str, str]
    plugins: Sequence[str]
    command: str
    protocol: str
    scale: float
    profile: str | None
    stand_in: bool
    overrides: Sequence[str]
    samplers: Mapping[str, Mapping[str, Any]]
    warnings: Sequence[str]
    digests: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    metrics: Mapping[str, MetricFacts]
    audit: Mapping[str, Any]
