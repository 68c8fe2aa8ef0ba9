"""The audit as a frozen, strictly typed value, without positions in the file; `meanings` says what the keys mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from auditkit.contracts import Condition, Level
from auditkit.spec.quantities import Quantity
from auditkit.spec.section import Section, named, several, unless_said, with_momentum

EVERY = "*"
"""In [evidence] targets: every attribute but the task's own."""


class Use(BaseModel):
    """A component by id, or DISTRIBUTION:ID where two share an id, with its options; in a file a bare id will do."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")
    use: str

    @property
    def id(self) -> str:
        """The id alone, which findings carry, without the distribution."""
        return self.use.rpartition(":")[2]

    @property
    def options(self) -> dict[str, Any]:
        """The options as they stand in the file."""
        return dict(self.__pydantic_extra__ or {})


Component = Annotated[Use, BeforeValidator(named)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=60)]
SplitName = Literal["train", "valid", "test"]
Splits = Annotated[tuple[SplitName, ...], Field(alias="from", min_length=1)]


class About(Section):
    """[audit]: what is asked, and who asked it first."""

    title: str
    question: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()


class Cell(Section):
    """An exact number of images that satisfy a condition."""

    where: Condition
    count: Positive


class Pool(Section):
    """Which images a split is made of: all images of the named splits, `draw` of them, or exact cells."""

    from_: Splits
    draw: Positive | None = None
    cells: tuple[Cell, ...] = ()


class TrainPool(Pool):
    """The training pool; `hold_out` is the share of people (of images, where identities are unknown) kept for valid."""

    from_: Splits = ("train",)
    hold_out: Fraction = 0.0


class ValidPool(Pool):
    """The validation pool."""

    from_: Splits = ("valid",)


class TestPool(Pool):
    """The test pool."""

    from_: Splits = ("test",)


class Image(Section):
    """Centre square of min(side, crop), then resize to `size` pixels."""

    crop: Positive = 178
    size: Annotated[int, Field(ge=16, le=512)] = 128


class AfterResampling(Section):
    """Split after resampling, as published: copies of one image fall on both sides."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.8
    valid: Annotated[float, Field(ge=0, lt=1)] = 0.1


class Data(Section):
    """[data]: the dataset, the pools of the splits, and the seed of every draw."""

    dataset: Component = Use(use="celeba")
    place: str | None = None
    seed: int = 0
    train: TrainPool = TrainPool()
    valid: ValidPool | None = None
    test: TestPool | None = TestPool()
    image: Image = Image()
    split_by: Literal["identity", "image"] = "identity"
    split_after_resampling: AfterResampling | None = None


class Task(Section):
    """What a network learns to predict: whether `target` has the level `positive`."""

    target: str
    name: Name = ""
    positive: Level = 1

    @property
    def label(self) -> str:
        """The name, or the target where none was given."""
        return self.name or self.target


class SGD(Section):
    """Stochastic gradient descent, as in torch.optim.SGD."""

    use: Literal["sgd"] = "sgd"
    lr: Annotated[float, Field(gt=0)] = 0.001
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = False
    weight_decay: Annotated[float, Field(ge=0)] = 0.0


class AdamW(Section):
    """AdamW, as in torch.optim.AdamW."""

    use: Literal["adamw"]
    lr: Annotated[float, Field(gt=0)] = 0.001
    weight_decay: Annotated[float, Field(ge=0)] = 0.01


class Constant(Section):
    """The learning rate stays."""

    use: Literal["constant"] = "constant"


class OneCycle(Section):
    """The learning rate rises over the `warm_up` share of steps, then falls to zero along a cosine."""

    use: Literal["one-cycle"]
    warm_up: Annotated[float, Field(gt=0, lt=1)] = 0.25


_Optimizer = Annotated[SGD | AdamW, Field(discriminator="use")]
_Schedule = Annotated[Constant | OneCycle, Field(discriminator="use")]


class Budget(Section):
    """How long an arm trains: passes over its own draw, or optimizer steps; one of the two is given."""

    epochs: Positive | None = None
    steps: Positive | None = None

    def total(self, *, per_epoch: int, per_step: int) -> int:
        """What the whole budget comes to, of anything that an epoch or a step has so much of."""
        if self.steps is not None:
            return self.steps * per_step
        assert self.epochs is not None  # the reader refuses a budget of neither
        return self.epochs * per_epoch


class Augment(Section):
    """Random change of a picture; each parameter is drawn per (row, copy) from a stateless key."""

    flip: bool = True
    rotate: Annotated[float, Field(ge=0, le=45)] = 10.0
    scale: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    brightness: Annotated[float, Field(ge=0, lt=1)] = 0.2
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.2
    saturation: Annotated[float, Field(ge=0, lt=1)] = 0.2


class Recipe(Section):
    """[recipe]: how every arm is trained, unless the arm says otherwise."""

    model: Component = Use(use="resnet18")
    init: str = "imagenet"
    optimizer: Annotated[_Optimizer, BeforeValidator(unless_said("sgd")), AfterValidator(with_momentum)] = SGD()
    schedule: Annotated[_Schedule, BeforeValidator(unless_said("constant"))] = Constant()
    budget: Budget = Budget(epochs=10)
    batch_size: Positive = 256
    objective: Component = Use(use="cross-entropy")
    augment: Augment = Augment()
    flip: bool = False
    select: Literal["last", "best"] = "last"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)


class Arm(Section):
    """One way of training: five independent fields, a partial recipe, and seeds if they differ."""

    name: Name
    init: str | None = None
    train: Literal["all", "head"] = "all"
    on: Literal["train", "valid"] = "train"
    sampler: Component = Use(use="none")
    objective: Component | None = None
    recipe: dict[str, Any] = Field(default={})
    seeds: tuple[int, ...] | None = None
    label: str = ""
    role: Literal["arm", "placebo", "control", "baseline"] = "arm"


class Selector(Section):
    """Names a finding: in gates, published figures, compare and findings.json alike."""

    task: str
    arm: str
    metric: str = "accuracy"
    over: tuple[str, ...] = ()
    at: Condition | None = None
    quantity: Quantity = "value"
    test: Literal["plain", "resampled"] = "plain"
    against: str | None = None


class Evidence(Section):
    """[evidence]: the confirmatory family, declared before looking."""

    reference: str = ""
    placebo: str | dict[str, str] | None = None
    groups: tuple[tuple[str, ...], ...] = ()
    metrics: tuple[Component, ...] = Field(default=(Use(use="accuracy"),), min_length=1)
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.005
    confidence: Annotated[float, Field(gt=0.5, le=0.99)] = 0.95
    replicates: Annotated[int, Field(ge=200, le=100_000)] = 10_000
    minimum_images: Positive = 30
    minimum_identities: Positive = 10
    spillover: bool = True
    scan: bool = True
    targets: Annotated[tuple[str, ...], BeforeValidator(several, json_schema_input_type=str | tuple[str, ...])] = ()

    @property
    def placebos(self) -> tuple[str, ...]:
        """The placebos that are named, each once."""
        named = self.placebo.values() if isinstance(self.placebo, dict) else (self.placebo,)
        return tuple(dict.fromkeys(name for name in named if name))

    def placebo_of(self, arm: str) -> str | None:
        """The placebo that an arm's changes are measured from."""
        return self.placebo.get(arm) if isinstance(self.placebo, dict) else self.placebo


class Published(Section):
    """A figure someone printed, to stand beside ours."""

    where: str
    finding: Selector | None = None
    value: float
    label: str = ""
    protocol: Literal["same", "as published"] = "as published"
    precision: Literal["exact", "rounded", "truncated", "approximate"] = "rounded"
    note: str = ""


class Gate(Section):
    """A condition on a finding's interval that decides the exit code."""

    finding: Selector
    at_most: float | None = None
    at_least: float | None = None
    name: str = ""


class StandIn(Section):
    """[stand_in]: profile and dataset used, loudly, when the data was not configured."""

    dataset: Component
    profile: str | None = None


class Audit(Section):
    """The whole file, after profile, overrides and scale were applied."""

    audit: About
    data: Data = Data()
    task: tuple[Task, ...] = Field(min_length=1)
    recipe: Recipe = Recipe()
    arm: tuple[Arm, ...] = Field(min_length=1)
    evidence: Evidence = Evidence()
    published: tuple[Published, ...] = ()
    gate: tuple[Gate, ...] = ()
    words: dict[str, dict[str, str]] = Field(default={})
    profile: dict[str, dict[str, Any]] = Field(default={})
    stand_in: StandIn | None = None
