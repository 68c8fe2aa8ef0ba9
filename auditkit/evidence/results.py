"""All that an audit found, as plain frozen values: what findings.json holds and every report is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from auditkit.contracts import Level
from auditkit.evidence.facts import Facts
from auditkit.spec.quantities import Quantity

REVISION = 18
"""Raise whenever the same predictions would lead to other findings."""

SPILLOVER, SCAN, OTHER_TARGETS = "spillover", "scan", "other targets"
EXPLORATORY = (SPILLOVER, SCAN, OTHER_TARGETS)
"""Families whose names begin so were not declared before looking; their findings stand apart and are not compared."""

Status = Literal["estimable", "not estimable", "undefined by definition"]
Verdict = Literal["", "changed", "no change larger than the margin", "cannot tell"]
Judgement = Literal["consistent", "not consistent", "cannot tell", "other protocol", "not judged"]
Outcome = Literal["pass", "fail", "insufficient evidence", "not judged"]
Leaked = Literal["image", "identity", "identical file"]
FEWEST_EFFECTIVE = 4
"""An effective number of people below which the interval of a change may hold less often than it says. In simulated
settings whose median is at least this, intervals of one seed hold in 93 % at worst with 60 people or more, and in 91 %
with fewer; where it is 1 to 2, in half at worst (`benchmarks/few_people.py`)."""
FEW = "resting on few people"
"""What is said of a change that fewer carry."""
FEW_MEANS = "the interval may hold less often than it says"
NOT_MEASURED = "training variance not measured with one seed"
"""Why a change from or to an arm with one seed cannot be told."""
ONE_SEED = "one seed, so it holds for these trained networks only"
"""What is said of a gate that was decided without training variance."""
Place = tuple[tuple[str, Level], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; both ends finite."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe was asked, such as an attribute, and the task whose networks it reads."""

    name: str
    task: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A number with its support.

    `over` are the attributes that make the groups, `at` the group. Of a gap, `at` are the attributes of `over` held at
    a level, and the gap is over the others within it; a signed gap is its second level minus its first. `against`
    is the arm a change is measured from. `estimate` is the mean over seeds of the per-seed values; but a gap or ratio
    is that of the groups' means over seeds, and a change in gap the difference of two such gaps. `per_seed` are each
    seed's own values, gaps, ratios or changes, `seed_sd` their standard deviation, both paired: there are none where
    two arms have different numbers of seeds. Numerator and denominator are means over seeds; `images` and `identities`
    are distinct. `interval` is the plain one, `simultaneous` holds over the whole family; verdicts are decided on it.
    `seeds`: how many there are, the fewer of two arms; `because`: why a change cannot be told, or what tells it where
    its interval holds 0; `probe`: None but for findings of probes; `effective_identities`: the effective number of
    people (of images, where identities are unknown) who carry the variance of a change.
    """

    task: str
    arm: str
    metric: str
    over: tuple[str, ...] = ()
    at: Place = ()
    quantity: Quantity = "value"
    test: str = "plain"
    against: str = ""
    estimate: float | None = None
    interval: Interval | None = None
    simultaneous: Interval | None = None
    numerator: float | None = None
    denominator: float | None = None
    images: int = 0
    identities: int | None = None
    effective_identities: float | None = None
    seeds: int = 0
    per_seed: tuple[float | None, ...] = ()
    seed_sd: float | None = None
    noise: float | None = None
    people_error: float | None = None
    undefined_replicates: int = 0
    status: Status = "estimable"
    reason: str = ""
    verdict: Verdict = ""
    explanation: str = ""
    because: str = ""
    family: str = ""
    probe: Probed | None = None

    @property
    def rests_on_few(self) -> bool:
        """Whether so few people carry a change that its interval may hold less often than it says."""
        known = self.effective_identities
        return self.interval is not None and known is not None and known < FEWEST_EFFECTIVE


@dataclass(frozen=True, slots=True)
class CellCount:
    """Images of one group before (the reference draw) and after (the arm's draw), copies included."""

    at: Place
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Marginal:
    """Share of an attribute's level in the training rows before (the reference draw) and after (the arm's draw)."""

    attribute: str
    level: Level
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Composition:
    """What an arm trains on.

    effective_images, effective_identities: (sum of copies)^2 / sum of squared copies, of an image or of a person.
    """

    task: str
    arm: str
    rows: int
    originals: int
    copies: int
    distinct_images: int
    distinct_identities: int | None
    effective_images: float
    effective_identities: float | None
    most_copies_of_one: int
    cells: tuple[CellCount, ...]
    marginals: tuple[Marginal, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """Test rows whose image, person or identical file the arm also trained on."""

    task: str
    arm: str
    test: str
    what: Leaked
    touched: int
    total: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Training curve of a unit, one value per epoch; `accuracy` is on valid, None without one."""

    task: str
    arm: str
    seed: int
    loss: tuple[float, ...]
    accuracy: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ScanRow:
    """Table 3 for one attribute: its minority level, share and mix, and the reference arm's error inside and outside.

    split: on whose images the errors were measured, "valid" or "test".
    share_by: ("Male=1", share of that level among the minority's training images), ...; a share is None where no value
    is known; difference: error inside minus outside, in the family "scan".
    """

    task: str
    attribute: str
    minority: Level
    share_train: float | None
    share_valid: float | None
    share_by: tuple[tuple[str, float | None], ...]
    error_inside: Finding
    error_outside: Finding
    difference: Finding | None = None
    split: Literal["valid", "test"] = "test"


@dataclass(frozen=True, slots=True)
class Flip:
    """A test image that an arm turned right or wrong against another, by majority over seeds."""

    task: str
    arm: str
    against: str
    file_name: str
    row: int
    direction: Literal["turned right", "turned wrong"]
    seeds: int
    at: Place = ()


@dataclass(frozen=True, slots=True)
class FlipCount:
    """Number of flips in a group."""

    task: str
    arm: str
    against: str
    at: Place
    turned_right: int
    turned_wrong: int


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A published figure beside ours.

    `where` it was printed and `what` it is.
    """

    where: str
    what: str
    value: float
    ours: Finding | None
    judgement: Judgement
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateRow:
    """A gate and how it came out; `place` is file:line of the gate."""

    name: str
    sentence: str
    outcome: Outcome
    finding: Finding | None
    detail: str = ""
    place: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def title(self) -> str:
        """What the gate is called everywhere: its name, or else what it demands."""
        return self.name or self.sentence


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a report is drawn from."""

    findings: tuple[Finding, ...] = ()
    compositions: tuple[Composition, ...] = ()
    leaks: tuple[Leak, ...] = ()
    curves: tuple[Curve, ...] = ()
    scan: tuple[ScanRow, ...] = ()
    flips: tuple[Flip, ...] = ()
    flip_counts: tuple[FlipCount, ...] = ()
    published: tuple[PublishedRow, ...] = ()
    gates: tuple[GateRow, ...] = ()
    families: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)


def exploratory(family: str) -> bool:
    """Whether a family of comparisons was not declared before looking."""
    return family.startswith(EXPLORATORY)
