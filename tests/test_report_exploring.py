"""Maps of what was not declared before looking: nothing that was asked vanishes, and every effect has its noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_toys import ACCURACY, evidence, toy_panel, with_column, with_margin
from report_toys import audit, results

from auditkit.evidence.findings import derive
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import OTHER_TARGETS, Finding, Interval, Probed, Results
from auditkit.report import exploring, heat, probing, svg, view
from auditkit.report.blocks import Block, Figure, Fold, Table, Text
from auditkit.report.view import View
from auditkit.spec.model import Audit

FEW = "5 images of 5 people (needs 30 images of 10 people)"


def seen(panel: Panel, **changes: object) -> View:
    options = evidence(groups=(("Male",),), spillover=True)
    arms = tuple({"name": arm.arm, "label": f"the {arm.arm}"} for arm in panel.arms)
    raw = {"audit": {"title": "t"}, "task": ({"target": "Smiling"},), "arm": arms, "evidence": options}
    derived = derive([panel], options, ACCURACY)
    return view.of(Audit.model_validate(raw), Results(findings=derived.findings, families=derived.families))


def spilled(panel: Panel) -> tuple[Block, ...]:
    section = exploring.spillover(seen(panel))
    assert section is not None
    return section.blocks


def texts(table: Table) -> dict[str, list[str]]:
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def lacking() -> Panel:
    """Attributes with one level, without a value, with few images; and an arm that was not tested on the round."""
    panel = toy_panel()
    number = np.arange(len(panel.row))
    panel = with_column(panel, "Only", 0 * number, ("yes",))
    panel = with_column(panel, "Gone", 0 * number - 1)
    panel = with_column(panel, "Rare", number % 300 == 0)
    panel = with_column(panel, "Shape", number % 3, ("oval", "round", "long"))
    margin = panel.arms[2].margin.copy()
    margin[:, panel.attributes["Shape"] == 1] = np.nan
    return with_margin(panel, 2, margin)


def test_what_is_estimable_in_no_arm_is_named_with_its_reason() -> None:
    panel = lacking()
    panel = replace(panel, arms=panel.arms[:2])
    figure, lost = spilled(panel)
    assert isinstance(figure, Figure)
    assert isinstance(lost, Table)
    assert lost.columns == ("", "not estimable because")
    assert texts(lost) == {
        "Only yes": ["outside of Only yes: no image of this group was tested"],
        "Gone": ["outside of Gone: no image of this group was tested"],
        "Rare": [FEW],
    }
    assert not {"Only yes", "Gone", "Rare"} & texts(figure.table).keys()


def test_what_is_lost_in_one_arm_keeps_its_row_and_says_why() -> None:
    figure, *_ = spilled(lacking())
    assert isinstance(figure, Figure)
    known, gone, _ = texts(figure.table)["Shape round"]
    assert known.startswith(("+", "-", "0"))
    assert gone == "not estimable (a)"
    assert figure.table.notes[1] == "(a) Shape round: arm 'the arm2' has no prediction for any image of this group"
    tiles = {(tile["row"], tile["column"]): tile for tile in figure.chart["data"]["values"]}
    assert tiles["Shape round", "the arm2"]["value"] is None
    assert tiles["Shape round", "the arm2"]["shown"] == "not estimable"
    assert len(tiles) == len(figure.table.rows) * 2


def test_a_map_with_a_lost_tile_is_drawn() -> None:
    (figure,) = [block for block in spilled(lacking()) if isinstance(block, Figure)]
    drawn = svg.inline(figure, svg.WIDE)
    assert drawn.count(">not estimable<") == 1
    assert drawn.count("<title>") == len(figure.table.rows) * 2 - 1, "every tile has its tooltip"
    assert "NaN" not in drawn


def test_nothing_estimable_leaves_the_reasons() -> None:
    panel = toy_panel(n=25, people=25)
    (lost,) = spilled(panel)
    assert isinstance(lost, Table)
    assert sum(len(row[0].text.split(", ")) for row in lost.rows) == len(panel.attributes)


def test_every_effect_stands_beside_the_noise_of_the_seeds() -> None:
    known = seen(toy_panel())
    section = exploring.spillover(known)
    assert section is not None
    (figure,) = section.blocks
    assert isinstance(figure, Figure)
    assert figure.table.columns == ("", "the arm1", "the arm2", "seeds alone")
    spilled = [f for f in known.results.findings if f.family.startswith("spillover")]
    for name, *_, said in figure.table.rows:
        noise = max(f.noise or 0.0 for f in spilled if f.at[0][0] == name.text.removeprefix("not "))
        assert said.text == f"\N{PLUS-MINUS SIGN}{100 * noise:.1f}"


def test_a_scan_says_why_in_the_row_and_on_which_images() -> None:
    rows = [replace(row, share_valid=0.02, share_by=(("Male=1", 0.9),)) for row in results().scan]
    rows = [replace(row, difference=replace(row.error_outside, quantity="signed_gap")) for row in rows]
    section = exploring.scan(view.of(audit(), results(scan=tuple(rows))))
    assert section is not None
    lead, table = section.blocks
    assert isinstance(lead, Text)
    assert lead.text.endswith("inside and outside of it, measured on the validation images.")
    assert isinstance(table, Table)
    assert table.columns[3:5] == ("% men in it", "inside")
    assert len(table.notes) == 2, "of what the shares are, and what an error needs; no row's own reason, no star"
    assert table.notes[1].startswith("Not estimable: needs 30 images of 10 people")
    bald = texts(table)["Bald"]
    assert bald[3:5] == ["11 images of 4 people", "not estimable"]
    assert bald[6] == "not estimable"
    assert texts(table)["Big_Nose"][6].startswith("+4.0 [+3.2, +4.8]")


def test_a_scan_explains_its_stars_and_reasons_that_are_not_support() -> None:
    rows = [replace(row, difference=row.error_outside) for row in results().scan]
    wide = Interval(0.01, 0.08)
    rows[1] = replace(rows[1], difference=replace(rows[1].error_outside, quantity="signed_gap", simultaneous=wide))
    rows[0] = replace(rows[0], error_inside=replace(rows[0].error_inside, estimate=None, reason="one class"))
    section = exploring.scan(view.of(audit(), results(scan=tuple(rows))))
    assert section is not None
    table = section.blocks[1]
    assert isinstance(table, Table)
    assert table.notes[-1] == heat.NOTE
    assert [cell.text.endswith(" *") for cell in table.rows[1]].count(True) == 1
    assert "not estimable: one class" in [cell.text for cell in table.rows[0]]


def test_flips_have_the_number_of_images_they_are_of_and_are_no_evidence() -> None:
    section = exploring.flips(view.of(audit(), results()))
    assert section is not None
    lead, table, *_ = section.blocks
    assert isinstance(lead, Text)
    assert "no evidence of a change" in lead.text
    assert isinstance(table, Table)
    tested = {row[3].text: row[table.columns.index("images tested")].text for row in table.rows}
    values = {f.at: f.images for f in results().findings if f.quantity == "value" and f.metric == "accuracy"}
    assert tested == {"women": str(values[(("Male", 0),)]), "men": str(values[(("Male", 1),)])}


# -------------------------------------------------------------------------------------------------------------- probes


def probed(finding: Finding, name: str, **changes: object) -> Finding:
    """A declared change of the toys, as if it were of a probe."""
    return replace(finding, task=name, family=f"{OTHER_TARGETS} of Male", probe=Probed(name, "Male"), **changes)  # type: ignore[arg-type]


@pytest.fixture
def probes() -> list[Finding]:
    """Hats are lost everywhere, smiles in one arm, necklaces nowhere."""
    changes = [f for f in results().findings if f.quantity == "change" and f.over == () and f.against == "original"]
    lost = {"estimate": None, "interval": None, "simultaneous": None, "noise": None, "status": "not estimable"}
    found = [probed(f, "Wearing_Hat", **lost, reason=FEW) for f in changes]
    found += [probed(f, "Smiling", **(lost if f.arm == "placebo" else {}), reason="one class") for f in changes]
    return [*found, *(probed(f, "Wearing_Necklace") for f in changes)]


def test_targets_that_are_lost_are_named_with_their_reason(probes: list[Finding]) -> None:
    section = probing.other_targets(view.of(audit(), Results(findings=tuple(probes))))
    assert section is not None
    _, figure, lost = section.blocks
    assert isinstance(figure, Figure)
    assert isinstance(lost, Table)
    assert texts(lost) == {"Wearing_Hat": [FEW]}
    assert list(texts(figure.table)) == ["Wearing_Necklace", "Smiling"]
    assert texts(figure.table)["Smiling"][2] == "not estimable (a)"
    assert figure.table.columns[-1] == "seeds alone"
    assert {row[-1].text for row in figure.table.rows} == {"\N{PLUS-MINUS SIGN}0.3"}


def test_a_gap_within_a_group_is_folded_with_what_it_lacks(probes: list[Finding]) -> None:
    within = [replace(f, quantity="change_in_gap", over=("Male", "Young"), at=(("Male", 1),)) for f in probes]
    section = probing.other_targets(view.of(audit(), Results(findings=(*probes, *within))))
    assert section is not None
    fold = section.blocks[-1]
    assert isinstance(fold, Fold)
    assert [type(block) for block in fold.blocks] == [Table, Table]
