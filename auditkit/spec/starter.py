"""A first audit file, commented so that it teaches the format."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from auditkit.contracts import Level
from auditkit.spec.words import likely_positive

_BARE = re.compile(r"[A-Za-z0-9_-]+")
DRAWN, DRAWN_SMALL = 10_000, 1_200
"""So many images are drawn for training at most, and with the small profile."""
_STEPS, _STEPS_SMALL = 390, 110
"""Steps that a training takes at least: as many as 10 epochs of DRAWN in batches of 256, 6 of DRAWN_SMALL in 64."""
_LARGEST_BATCH, _LARGEST_BATCH_SMALL, _SMALLEST_BATCH = 256, 64, 32
_STEPS_PER_EPOCH = 18
_MOST_EPOCHS = 100


@dataclass(frozen=True, slots=True)
class TableColumns:
    """What the columns of a user's table are: levels of each attribute are sorted, the rarest is named too.

    training: images that can be trained on; lacking: by attribute, what of it has too little support in the test set.
    """

    image: str
    attributes: tuple[tuple[str, tuple[Level, ...], Level], ...]
    training: int = DRAWN
    identity: str | None = None
    split: str | None = None
    has_valid: bool = False
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Study:
    """What a first audit asks: does balancing one attribute change how well another is predicted?"""

    data: str
    target: str
    positive: Level
    balanced: str
    level: Level
    training: int
    small: str = ""
    rest: str = ""
    lacking: tuple[str, ...] = ()


def starter() -> str:
    """An audit of CelebA, with rendered faces standing in where there is no CelebA."""
    data = """\
[data]
dataset = "celeba"                   # the place comes from --data, from AUDITKIT_DATA, or from `place` here
train   = { from = ["train"], draw = 10_000 }   # hold_out = 0.1 keeps a valid split, for select = "best"
test    = { from = ["test"] }
"""
    stand_in = """
# Where no CelebA was configured, rendered faces stand in for it, loudly; --require-data refuses them.
[stand_in]
dataset = { use = "faces", images = 2_000 }
profile = "small"
"""
    small = 'train = { from = ["train"], draw = 1_200 }\n'
    return _file(_Study(data, "Male", 1, "Young", 0, DRAWN, small, stand_in))


def starter_for_table(columns: TableColumns, place: str) -> str:
    """An audit of the user's own table; there are at least two attributes."""
    (target, levels, _), (balanced, _, rare), *_ = sorted(columns.attributes, key=lambda one: len(one[1]) != 2)
    small = f"train = {_train(columns, DRAWN_SMALL)}\n" if columns.training > DRAWN_SMALL else ""
    data, lacking = _table_data(columns, place), columns.lacking.get(balanced, ())
    return _file(
        _Study(data, target, likely_positive(levels), balanced, rare, columns.training, small, lacking=lacking)
    )


def _train(columns: TableColumns, most: int) -> str:
    """The training pool. Splits yet to be drawn leave no image to a valid that nothing looks at."""
    source = ["train"] if columns.split is not None else ["train", "valid"]
    draw = f", draw = {most:_}" if columns.training > most else ""
    return f"{{ from = {_array(source)}{draw} }}"


def _table_data(columns: TableColumns, place: str) -> str:
    options = [f"image = {_toml(columns.image)}"]
    if columns.identity is not None:
        options.append(f"identity = {_toml(columns.identity)}")
    if columns.split is not None:
        options.append(f"split = {_toml(columns.split)}")
    names = [name for name, _, _ in columns.attributes]
    options.append(f"attributes = {_array(names)}")
    valid = 'valid   = { from = ["valid"] }\n' if columns.has_valid else ""
    told = ""
    if columns.identity is None:
        told += "# no column seems to say who is who: every image counts as another person; `identity` may name one\n"
    if columns.split is None:
        told += "# no column seems to say train, valid and test: people are split at random; `split` may name one\n"
    return f"""\
{told}[data]
place   = {_toml(place)}
train   = {_train(columns, DRAWN)}
{valid}test    = {{ from = ["test"] }}

[data.dataset]                       # auditkit plugins show table
use = "table"
{chr(10).join(options)}
"""


def _file(study: _Study) -> str:
    sections = (_task, _recipe, _arms, _evidence, _small)
    return f"{_about(study)}{study.data}\n{''.join(section(study) for section in sections)}{study.rest}"


def _about(study: _Study) -> str:
    return f"""\
# An audit: train the same network several ways (the arms), and see what changed, for whom, and by how much.
#
#   auditkit validate FILE      every mistake, each at its place
#   auditkit plan FILE          what would be trained
#   auditkit run FILE           train and report
#
# Every key that is left out has a default. Editors complete the rest once `auditkit schema -o audit.schema.json` has
# been run and this file begins with  #:schema ./audit.schema.json

[audit]
title    = {_toml(f"Oversampling {study.balanced}, predicting {study.target}")}
question = {_toml(f"Does balancing {study.balanced} change how well {study.target} is predicted, and for whom?")}

"""


def _task(study: _Study) -> str:
    positive = "" if study.positive == 1 else f"positive = {_toml(study.positive)}\n"
    return f"""\
# What a network learns to predict; each task is trained separately.
[[task]]
target = {_toml(study.target)}
{positive}
"""


def _recipe(study: _Study) -> str:
    batch, epochs = _fitting(min(study.training, DRAWN), _LARGEST_BATCH, _STEPS, fewest=10)
    budget = f"{{ epochs = {epochs} }}"
    return f"""\
# How every arm is trained, unless the arm says otherwise.
[recipe]
model      = "resnet18"
init       = "imagenet"              # or "none", "checkpoint:FILE", the name of an arm
optimizer  = {{ use = "sgd", lr = 0.001, momentum = 0.9 }}
budget     = {budget:<24}# or {{ steps = 6000 }}
batch_size = {batch}
seeds      = [0, 1, 2]               # with a single seed nothing can be called changed

"""


def _fitting(images: int, largest: int, steps: int, *, fewest: int) -> tuple[int, int]:
    """Batch size and epochs for so many images: batches small enough for an epoch of some steps, epochs enough for
    `steps` in all, `fewest` at least."""
    batch = largest
    while batch > _SMALLEST_BATCH and images < batch * _STEPS_PER_EPOCH:
        batch //= 2
    return batch, min(max(fewest, ceil(steps * batch / max(images, batch))), _MOST_EPOCHS)


def _arms(study: _Study) -> str:
    where = f"{{ {_key(study.balanced)} = {_toml(study.level)} }}"
    return f"""\
[[arm]]
name = "original"

[[arm]]
name    = "oversampled"              # auditkit plugins list shows all samplers
sampler = {{ use = "oversample", where = {where}, until = "balanced", copies = "augmented" }}

# As many images copied, each as often, but of anyone: what this does too is not due to the attribute.
[[arm]]
name    = "placebo"
role    = "placebo"
sampler = {{ use = "oversample", like = "oversampled", where = "anyone" }}

"""


def _evidence(study: _Study) -> str:
    finding = f'task = {_toml(study.target)}, arm = "oversampled", over = [{_toml(study.balanced)}]'
    lacking = "".join(f"# not estimable, since rare in the test set: {one}\n" for one in study.lacking)
    return f"""\
# What is asked, declared before looking.
{lacking}[evidence]
reference = "original"
placebo   = "placebo"
groups    = [[{_toml(study.balanced)}]]
metrics   = ["accuracy", "selection_rate", "true_positive_rate", "false_positive_rate"]
margin    = 0.005                    # a change smaller than half a point is no change

# A condition on the interval of a finding; it decides the exit code.
[[gate]]
name    = {_toml(f"Balancing {study.balanced} must not widen the accuracy gap by 2 points")}
at_most = 0.02
finding = {{ {finding}, quantity = "change_in_gap" }}

"""


def _small(study: _Study) -> str:
    batch, epochs = _fitting(min(study.training, DRAWN_SMALL), _LARGEST_BATCH_SMALL, _STEPS_SMALL, fewest=6)
    return f"""\
# --profile small: two cores, no downloaded weights.
[profile.small.data]
{study.small}image = {{ size = 64 }}
[profile.small.recipe]
init       = "none"
optimizer  = {{ use = "sgd", lr = 0.05, momentum = 0.9, nesterov = true, weight_decay = 0.0005 }}
schedule   = {{ use = "one-cycle" }}
budget     = {{ epochs = {epochs} }}
batch_size = {batch}
"""


def _toml(value: Level) -> str:
    """A text, number or truth value; JSON writes them as TOML does."""
    return json.dumps(value, ensure_ascii=False)


def _array(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_toml, names))}]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _toml(name)
