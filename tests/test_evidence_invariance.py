"""What must not matter to a finding: order, names, and whatever it does not need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from evidence_toys import (
    ACCURACY,
    COUNTING,
    MALE,
    SCORING,
    WOMEN,
    evidence,
    pick,
    shuffled,
    toy_panel,
    with_column,
    with_margin,
)

from auditkit.evidence.findings import derive
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import Finding, Interval

PANEL = toy_panel()


def test_an_arm_against_itself_is_exactly_nothing() -> None:
    found = derive([with_margin(PANEL, 1, PANEL.arms[0].margin)], evidence(), ACCURACY | SCORING).findings
    own = [f for f in found if f.arm == "arm1" and "change" in f.quantity]
    assert own
    for f in own:
        assert f.estimate == 0.0
        assert f.interval == f.simultaneous == Interval(0.0, 0.0)
        assert f.explanation == "the two arms made the very same predictions"
        assert f.noise is None


def test_no_other_interval_has_zero_width() -> None:
    margin = PANEL.arms[0].margin.copy()
    margin[0, 0] *= 1.01
    found = derive([with_margin(PANEL, 1, margin)], evidence(groups=(MALE, ("Bald",))), ACCURACY).findings
    assert all(f.interval.high > f.interval.low for f in found if f.interval is not None)


def test_the_order_of_rows_does_not_matter() -> None:
    options = evidence(groups=(MALE, ("Male", "Young")), spillover=True)
    assert derive([shuffled(PANEL)], options, ACCURACY) == derive([PANEL], options, ACCURACY)


def test_names_do_not_matter() -> None:
    def renamed(panel: Panel) -> Panel:
        arms = tuple(replace(arm, arm=arm.arm.replace("arm", "z")) for arm in panel.arms)
        names = {"Male": "y_true", "Young": "unit", "Bald": "Bald", "Smiling": "Smiling"}
        return replace(
            panel,
            arms=arms,
            attributes={names[name]: codes for name, codes in panel.attributes.items()},
            levels={names[name]: levels for name, levels in panel.levels.items()},
        )

    plain = derive([PANEL], evidence(groups=(("Male", "Young"),)), ACCURACY).findings
    other = derive([renamed(PANEL)], evidence(groups=(("y_true", "unit"),), reference="z0"), ACCURACY).findings
    assert intervals(plain) == intervals(other)


def intervals(findings: Iterable[Finding]) -> list[tuple[float | None, Interval | None, Interval | None]]:
    return [(f.estimate, f.interval, f.simultaneous) for f in findings]


def test_the_order_of_groups_and_metrics_does_not_matter() -> None:
    panel = toy_panel(effect=2.0)
    metrics = {name: COUNTING[name] for name in ("accuracy", "selection_rate", "precision")}
    first = derive([panel], evidence(groups=(MALE, ("Young",), ("Male", "Young"))), metrics).findings
    turned = dict(reversed(metrics.items()))
    other = derive([panel], evidence(groups=(("Male", "Young"), ("Young",), MALE)), turned).findings
    assert {f.verdict for f in first} == {"", "changed", "cannot tell"}
    assert sorted(map(repr, first)) == sorted(map(repr, other))


def test_predictions_that_are_missing_change_no_interval_that_does_not_need_them() -> None:
    """One arm lacks the men: nothing else moves, not even by chance."""
    margin = PANEL.arms[2].margin.copy()
    margin[:, PANEL.attributes["Male"] == 1] = np.nan
    plain = derive([PANEL], evidence(groups=(MALE,)), ACCURACY | SCORING).findings
    other = derive([with_margin(PANEL, 2, margin)], evidence(groups=(MALE,)), ACCURACY | SCORING).findings
    women = [f for f in plain if f.at == WOMEN and f.quantity in ("value", "change")]
    assert {f.arm for f in women} == {"arm0", "arm1", "arm2"}
    for f in women:
        same = {n: getattr(f, n) for n in ("arm", "metric", "over", "at", "quantity")}
        assert f.interval == pick(other, **same).interval


def test_what_is_not_estimable_changes_no_other_interval() -> None:
    rare = with_column(PANEL, "Rare", np.arange(1500) < 3)
    plain = derive([PANEL], evidence(groups=(MALE,)), ACCURACY).findings
    more = derive([rare], evidence(groups=(MALE, ("Rare",))), ACCURACY).findings
    for f in plain:
        assert f.interval == pick(more, **{n: getattr(f, n) for n in ("arm", "over", "at", "quantity")}).interval
    bald = pick(more, over=("Rare",), at=(("Rare", 1),), quantity="change")
    assert bald.status == "not estimable"
    common = pick(more, over=("Rare",), at=(("Rare", 0),), quantity="change")
    assert common.status == "estimable"
    only_rare = replace(
        rare, attributes=rare.attributes | {"Rare": np.where(np.arange(1500) < 3, 1, -1).astype(np.int8)}
    )
    never = derive([only_rare], evidence(groups=(MALE, ("Rare",))), ACCURACY).findings
    for f in plain:
        assert (
            f.simultaneous == pick(never, **{n: getattr(f, n) for n in ("arm", "over", "at", "quantity")}).simultaneous
        )
