"""Does auditkit claim changes where there are none, and find one that was planted? With trained networks, on faces.

    python benchmarks/faces.py [--splits 400] [--folder DIR] [--out benchmarks/results]

One arm is trained with many seeds, twice: on rendered faces, and on the same faces where one group's cue for gender was
removed (`remove_cue`). Two times three seeds of the first pool, drawn at random, make an audit of an arm against itself
(A/A): every change that it claims is false. Three of the first against three of the second make an audit of the planted
effect; the effect of the two whole pools stands for the truth. Training takes about five minutes on two cores;
`--folder` keeps what was trained.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.audit import run
from auditkit.contracts import Metric
from auditkit.engine.panels import make_panels
from auditkit.evidence.findings import derive
from auditkit.evidence.panel import ArmScores, Panel
from auditkit.evidence.results import Finding
from auditkit.spec.model import Evidence
from auditkit_plugins.metrics.counting import Accuracy, SelectionRate

POOL, PLANTED_POOL, SEEDS = 24, 12, 3
GROUP, LEVEL = "Young", 0
METRICS: dict[str, Metric] = {"accuracy": Accuracy(None), "selection_rate": SelectionRate(None)}
EVIDENCE = Evidence(groups=(("Male",), ("Young",), ("Male", "Young")), margin=0.005, spillover=False, replicates=2_000)
AUDIT = """\
[audit]
title = "One arm, many seeds"
[data]
dataset = {{ use = "faces", images = 2_000{cue} }}
train = {{ from = ["train", "valid"], draw = 600, hold_out = 0.1 }}
test = {{ from = ["test"] }}
image = {{ size = 32 }}
[[task]]
target = "Male"
[recipe]
model = "resnet18"
init = "none"
optimizer = {{ use = "sgd", lr = 0.015, momentum = 0.9, nesterov = true, weight_decay = 0.0005 }}
schedule = {{ use = "one-cycle" }}
budget = {{ epochs = 6 }}
batch_size = 32
flip = true
seeds = {seeds}
[[arm]]
name = "original"
[evidence]
groups = [["Male"]]
metrics = ["accuracy"]
"""


def pool(folder: Path, name: str, seeds: int, cue: str = "") -> Panel:
    """The predictions of all seeds, trained where they are not there yet."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder / name / f"{name}.toml"
    path.write_text(AUDIT.format(cue=cue, seeds=list(range(seeds))), encoding="utf-8")
    done = run(path, store=folder / "store", reports=folder / name)
    plan, store = done.prepared.plan, done.prepared.store
    predictions = {unit.digest: store.predictions(unit.digest) for unit in plan.units}
    (panel,) = make_panels(plan, predictions, done.prepared.dataset)
    return panel


def beside(reference: Panel, other: Panel, pick: Sequence[NDArray[np.int64]]) -> Panel:
    """An audit of two arms of some seeds of two pools, which were tested on the same images."""
    names = ("first", "second")
    arms = tuple(
        ArmScores(name, tuple(range(SEEDS)), panel.arms[0].margin[seeds])
        for name, panel, seeds in zip(names, (reference, other), pick, strict=True)
    )
    return replace(reference, arms=arms)


def changes(panel: Panel, seed: int) -> list[Finding]:
    """What an audit says about changes."""
    derived = derive([panel], EVIDENCE, METRICS, seed=seed)
    return [f for f in derived.findings if "change" in f.quantity and f.verdict]


def against_itself(panel: Panel, splits: int) -> Iterator[list[Finding]]:
    """Random splits of one pool, three seeds against three others."""
    for k in range(splits):
        order = np.random.default_rng([1, k]).permutation(POOL)
        yield changes(beside(panel, panel, (order[:SEEDS], order[SEEDS : 2 * SEEDS])), k)


def against_planted(panel: Panel, planted: Panel, splits: int) -> Iterator[list[Finding]]:
    """Three seeds of one pool against three of the other."""
    for k in range(splits):
        rng = np.random.default_rng([2, k])
        pick = rng.permutation(POOL)[:SEEDS], rng.permutation(PLANTED_POOL)[:SEEDS]
        yield changes(beside(panel, planted, pick), k)


@dataclass(frozen=True, slots=True)
class Planted:
    """The planted effect on accuracy, in the group and outside it, and how audits of three seeds told it."""

    effect: float
    outside: float
    found: float
    wrong_sign: float
    plain_holds: float
    simultaneous_holds: float


def told(panel: Panel, planted: Panel, splits: int) -> Planted:
    """How often audits find the planted effect, with its sign, inside their intervals."""
    inside = panel.attributes[GROUP] == LEVEL
    moved = (right(planted) - right(panel)).astype(np.float64)
    effect = float(moved[inside].mean())
    ours = [
        next(f for f in found if (f.quantity, f.metric, f.at) == ("change", "accuracy", ((GROUP, LEVEL),)))
        for found in against_planted(panel, planted, splits)
    ]
    changed = [f for f in ours if f.verdict == "changed"]
    return Planted(
        effect=effect,
        outside=float(moved[~inside].mean()),
        found=len(changed) / splits,
        wrong_sign=sum((f.estimate or 0.0) * effect < 0 for f in changed) / splits,
        plain_holds=sum(f.interval is not None and f.interval.low <= effect <= f.interval.high for f in ours) / splits,
        simultaneous_holds=sum(
            f.simultaneous is not None and f.simultaneous.low <= effect <= f.simultaneous.high for f in ours
        )
        / splits,
    )


def right(panel: Panel) -> NDArray[np.float64]:
    """(n,) share of the seeds that are right about each image."""
    return np.asarray(((panel.arms[0].margin > 0) == (panel.truth == 1)).mean(axis=0), dtype=np.float64)


def main() -> None:
    """Train, split, count, and write faces.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=400)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        folder = options.folder or Path(aside)
        panel = pool(folder, "pool", POOL)
        planted = pool(folder, "planted", PLANTED_POOL, f", remove_cue = {{ {GROUP} = {LEVEL} }}")
    if not (np.array_equal(panel.row, planted.row) and np.array_equal(panel.truth, planted.truth)):
        raise SystemExit("the two pools were not tested on the same images")
    false = [[f for f in found if f.verdict == "changed"] for found in against_itself(panel, options.splits)]
    result = {
        "pool": POOL,
        "planted_pool": PLANTED_POOL,
        "seeds_per_arm": SEEDS,
        "splits": options.splits,
        "accuracy": float(right(panel).mean()),
        "audits_that_claim_a_change": sum(map(bool, false)) / options.splits,
        "changes_claimed": sum(map(len, false)),
        "planted": asdict(told(panel, planted, options.splits)),
    }
    text = json.dumps(result, indent=1) + "\n"
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "faces.json").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
