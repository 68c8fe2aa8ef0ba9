"""Seeds: one, few, and other numbers of them in other arms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_toys import (
    ACCURACY,
    evidence,
    pick,
    right,
    toy_panel,
    value,
    with_margin,
)

from auditkit.evidence.findings import derive
from auditkit.evidence.judgements import judge_gates, judge_published
from auditkit.evidence.layout import lay_out
from auditkit.evidence.seeds import seed_variances
from auditkit.spec.model import Gate, Published

PANEL = toy_panel()


@pytest.mark.parametrize(("arms", "seeds", "paired", "df"), [(2, 3, False, 4), (3, 3, False, 6), (4, 3, True, 6)])
def test_few_seeds_of_few_arms_are_not_paired(arms: int, seeds: int, paired: bool, df: int) -> None:
    """The variance is that of the differences where seeds are paired, else the sum of the arms' own variances."""
    panel = toy_panel(arms=arms, seeds=seeds)
    layout = lay_out(panel, np.random.default_rng(0))
    each = np.stack([right(panel, arm).mean(axis=1) for arm in range(arms)])
    influence = np.zeros((1, arms * seeds, layout.blocks), dtype=np.float32)
    found = seed_variances(layout, each.reshape(1, -1), influence, [[""] * arms], [(1, 0)])
    left = each - each.mean(axis=1, keepdims=True)
    left = left - left.mean(axis=0) if paired else left
    assert found.df[0, 0] == df
    assert found.measured[0, 0] == pytest.approx(2 * (left**2).sum() / df / seeds)
    said = "Smiling: arms and seeds are too few to pair seeds; the variance of a change is that of independent networks"
    assert (said in derive([panel], evidence(), ACCURACY).remarks) is not paired


@pytest.mark.parametrize(("mine", "theirs", "words"), [(1, 3, "one seed"), (2, 3, "")])
def test_arms_with_unlike_numbers_of_seeds(mine: int, theirs: int, words: str) -> None:
    """With one seed nothing is called changed and a gate says so; two against three are two independent samples."""
    three = toy_panel(effect=2.0)
    fewer = replace(three.arms[1], seeds=tuple(range(mine)), margin=three.arms[1].margin[:mine])
    panel = replace(three, arms=(three.arms[0], fewer, three.arms[2]))
    asked = evidence(groups=(("Bald",),))
    findings = derive([panel], asked, ACCURACY).findings
    change = pick(findings, over=("Bald",), at=(("Bald", 1),), quantity="change")
    assert (change.seeds, change.per_seed) == (mine, ())
    assert change.verdict == ("cannot tell" if mine == 1 else "changed")
    at = {"Bald": 1}
    selector = {"task": "Smiling", "arm": "arm1", "over": ("Bald",), "at": at, "quantity": "change"}
    gate = Gate.model_validate({"finding": selector, "at_most": -0.01})
    (row,) = judge_gates((gate,), findings, asked)
    assert row.outcome == ("insufficient evidence" if mine == 1 else "pass")
    assert ("training variance not measured with one seed" in row.detail) is (words == "one seed")
    printed = Published.model_validate({"where": "x", "finding": selector, "value": 0.5, "protocol": "same"})
    (judged,) = judge_published((printed,), findings, asked)
    told = "training variance was not measured" if mine == 1 else "two arms with unlike seeds"
    assert judged.judgement == "cannot tell"
    assert any(told in note for note in judged.notes)


def test_one_seed_never_says_changed() -> None:
    found = derive([toy_panel(seeds=1, effect=3.0)], evidence(groups=(("Bald",),)), ACCURACY)
    change = value(found, over=("Bald",), at=(("Bald", 1),), quantity="change")
    assert change.simultaneous is not None
    assert change.simultaneous.high < 0
    assert (change.verdict, change.seed_sd, change.noise) == ("cannot tell", None, None)
    assert change.explanation.startswith("training variance not measured: with one seed, -")
    assert change.because == "training variance not measured with one seed"
    assert found.remarks == (
        "Smiling: training variance not measured: every arm has one seed, so no change is called one, and intervals "
        "leave it out",
    )


def test_arms_with_one_seed_beside_others_are_named() -> None:
    def told(*arms: int) -> str:
        panel = PANEL
        for arm in arms:
            panel = with_margin(panel, arm, PANEL.arms[arm].margin[:1])
        return derive([panel], evidence(), ACCURACY).remarks[0].removeprefix("Smiling: training variance not measured ")

    assert told(1) == (
        "in arm 'arm1', which has one seed: no change to or from it is called one, and its own intervals leave it out"
    )
    assert told(1, 2) == (
        "in arms 'arm1' and 'arm2', which have one seed: no change to or from them is called one, and their own "
        "intervals leave it out"
    )


def test_arms_with_different_numbers_of_seeds_are_compared_unpaired() -> None:
    panel = with_margin(PANEL, 1, np.concatenate([PANEL.arms[1].margin, PANEL.arms[2].margin[:2]]))
    found = derive([panel], evidence(), ACCURACY)
    change = value(found, quantity="change")
    assert change.per_seed == ()
    assert change.estimate == pytest.approx(right(panel, 1).mean() - right(panel, 0).mean())
    assert change.interval is not None
    told = [remark for remark in found.remarks if "seeds" in remark]
    assert told == [
        "Smiling: arms have different numbers of seeds: seeds are not paired in a change between two such arms; the "
        "variance between seeds is pooled over arms, which supposes that it is the same in all"
    ]
