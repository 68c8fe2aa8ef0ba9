"""Golden renderings, and that every rendering carries the same numbers."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest
from report_toys import ARMS, audit, results, tables
from rich.console import Console

from auditkit.evidence.results import NOT_MEASURED, Finding, Interval, Leak, Marginal, Results, exploratory
from auditkit.evidence.verdicts import BY_THE_TEST
from auditkit.report import document, files, html, markdown, svg, terminal
from auditkit.report.blocks import Document, Figure, Fold, Table
from auditkit.report.tables import BOTH_GAPS

LeakOf = Literal["image", "identity", "identical file"]
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def built() -> Document:
    return document.build(audit(), results())


@pytest.fixture(scope="module")
def page(built: Document) -> str:
    return html.render(built)


def on_terminal(built: Document, width: int, *, everything: bool = False) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    with console.capture() as capture:
        terminal.render(built, console, everything=everything)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def assert_golden(name: str, text: str) -> None:
    """AUDITKIT_UPDATE_GOLDEN=1 writes what is rendered now; look at the difference before committing it."""
    path = GOLDEN / name
    if os.environ.get("AUDITKIT_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal_is_as_agreed(built: Document, width: int) -> None:
    assert_golden(f"report-{width}.txt", on_terminal(built, width))


def test_everything_on_a_terminal_is_as_agreed(built: Document) -> None:
    assert_golden("report-everything-100.txt", on_terminal(built, 100, everything=True))


def test_markdown_is_as_agreed(built: Document) -> None:
    assert_golden("report.md", markdown.render(built, pictures="charts"))


@pytest.mark.parametrize("width", [80, 100, 140])
def test_nothing_is_wider_than_the_terminal(built: Document, width: int) -> None:
    lines = on_terminal(built, width, everything=True).splitlines()
    assert max(map(len, lines)) <= width


def test_what_does_not_fit_stands_apart_and_keeps_its_per_cent_signs(built: Document) -> None:
    """At 80 columns tables go on below; a line with nothing but a unit would belong to no column."""
    lines = on_terminal(built, 80, everything=True).splitlines()
    assert not [line for line in lines if line.strip() == "%"]
    further = [number for number, line in enumerate(lines) if "arm" in line.split() and "because" in line.split()]
    assert further
    assert {lines[number - 1] for number in further} == {""}


@pytest.mark.parametrize(("off", "said"), [(0.0, False), (0.003, True)])
def test_counts_that_do_not_give_the_share_say_why(off: float, said: bool) -> None:
    def counted(f: Finding) -> Finding:
        return replace(f, numerator=100 * ((f.estimate or 0) + off), denominator=100.0)

    values = tuple(counted(f) if f.quantity == "value" and f.estimate else f for f in results().findings)
    table = next(t for t in tables(document.build(audit(), results(findings=values))) if t.caption.endswith("support"))
    assert any(note.startswith("A share is the mean of each seed's own") for note in table.notes) == said


@pytest.mark.parametrize("width", [80, 140])
def test_no_number_is_cut_on_a_terminal(built: Document, width: int) -> None:
    shown = on_terminal(built, width, everything=True)
    for table in tables(built):
        for row in table.rows:
            for cell in row:
                if len(cell.text) <= terminal.WRAPPED:
                    assert cell.text in shown


# ------------------------------------------------------------------------------------------------------- same numbers


class Tables(HTMLParser):
    """Texts of the tables of a page, row by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.tables[-1][-1][-1] += data.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")


def in_markdown(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for before, line in zip(["", *text.splitlines()], text.splitlines(), strict=False):
        if not line.startswith("|"):
            continue
        if not before.startswith("|"):
            found.append([])
        cells = [cell.strip() for cell in line.replace(r"\|", "\0").strip("|").split("|")]
        if not set("".join(cells)) <= set(":-"):
            found[-1].append([cell.replace("\0", "|").replace("\\", "") for cell in cells])
    return found


def expected(built: Document) -> list[list[list[str]]]:
    return [[list(t.columns), *([cell.text for cell in row] for row in t.rows)] for t in tables(built)]


def test_html_has_every_cell_of_every_table(built: Document, page: str) -> None:
    assert Tables(page).tables == expected(built)


def test_markdown_has_every_cell_of_every_table(built: Document) -> None:
    assert in_markdown(markdown.render(built)) == expected(built)


def test_the_chart_of_the_effect_shows_what_its_table_says(built: Document) -> None:
    (figure,) = built.effect
    drawn = {(row["group"], row["arm"]): row["x"] for row in figure.chart["data"]["values"]}
    said = {(row[0].text, row[1].text): float(row[3].text.split()[0]) for row in figure.table.rows[:2]}
    assert drawn == pytest.approx(said, abs=0.0501)


# ------------------------------------------------------------------------------------------------------------ content


def test_synthetic_data_leads_every_rendering(built: Document, page: str) -> None:
    warning = "SYNTHETIC DATA (faces): these numbers say nothing about people."
    assert on_terminal(built, 80).splitlines()[0] == warning
    assert markdown.render(built).splitlines()[0] == f"> **{warning}**"
    assert page.index(warning) < page.index("<h1>")


def test_official_data_has_no_banner() -> None:
    built = document.build(audit(), results(facts={"dataset": {"kind": "official CelebA", "synthetic": False}}))
    assert built.banner == ()


def test_a_subset_is_announced() -> None:
    built = document.build(audit(), results(facts={"dataset": {"kind": "subset, not official CelebA"}}))
    assert built.banner == ("SUBSET: subset, not official CelebA.",)


def test_without_a_placebo_the_answer_is_against_the_reference() -> None:
    evidence = {"reference": "original", "groups": (("Male",),), "margin": 0.01}
    built = document.build(audit(evidence=evidence), results())
    assert built.effect[0].title == "Male: change in accuracy against original, in points"
    assert "against original" in built.answer[0]


def test_arms_with_placebos_of_their_own_are_told_against_them() -> None:
    """The control's changes from the second placebo are invented: those of the first arm, relabelled."""
    more = ({"name": "half"}, {"name": "half-placebo", "role": "placebo"})
    evidence = {
        "reference": "original",
        "placebo": {"oversampled": "placebo", "half": "half-placebo"},
        "groups": (("Male",),),
        "margin": 0.01,
    }
    raw = audit().model_dump(by_alias=True)
    findings = results().findings
    mine = [f for f in findings if (f.arm, f.against, f.over) == ("oversampled", "placebo", ("Male",))]
    theirs = tuple(replace(f, arm="half", against="half-placebo") for f in mine)
    built = document.build(audit(arm=(*raw["arm"], *more), evidence=evidence), results(findings=(*findings, *theirs)))
    assert built.answer[0].startswith("oversampled against placebo, accuracy of women: changed by -2.0 points")
    assert built.answer[1].startswith("half against half-placebo, accuracy of women: changed by -2.0 points")
    (figure,) = built.effect
    assert figure.title == "Male: change in accuracy against their placebos, in points"
    told = {row[1].text for row in figure.table.rows}
    assert told == {"oversampled against placebo", "half against half-placebo"}


def test_everyone_is_told_beside_the_groups(built: Document) -> None:
    """Once for every arm that changes are from: below the headline, or in a table of its own."""
    told = [
        (re.findall(r"against (\w+), in points", table.caption), row[1].text)
        for table in tables(built)
        for row in table.rows
        if row[0].text == "everyone" and "verdict" in table.columns
    ]
    assert told == [(["placebo"], "oversampled"), (["original"], "oversampled"), (["original"], "placebo")]


def test_other_metrics_are_told_without_groups_too() -> None:
    evidence = {"reference": "original", "metrics": ({"use": "accuracy"}, {"use": "true_positive_rate"})}
    whole = [f for f in results().findings if f.over == ()]
    rates = [replace(f, metric="true_positive_rate") for f in whole]
    built = document.build(audit(evidence=evidence), results(findings=(*whole, *rates)))
    section = next(section for section in built.sections if section.id == "metrics")
    assert [fold.summary for fold in section.blocks if isinstance(fold, Fold)] == ["True positive rate"]


@pytest.mark.parametrize(
    ("compared", "said"),
    [
        (("image",), "none: no image of the test set was trained on; files were not compared"),
        (("image", "identity"), "none: no image or person of the test set was trained on; files were not compared"),
        (("image", "identical file"), "none: no image or identical file of the test set was trained on"),
        (
            ("image", "identity", "identical file"),
            "none: no image, person or identical file of the test set was trained on",
        ),
    ],
)
def test_no_leak_says_what_was_compared(compared: tuple[LeakOf, ...], said: str) -> None:
    leaks = tuple(Leak("Male", arm, "plain", what, 0, 1200) for arm in ARMS for what in compared)
    built = document.build(audit(), results(leaks=leaks))
    assert next(item.text for item in built.trust if item.label == "Leaks") == said


def test_published_figures_are_told_once_each_with_their_unit() -> None:
    first, second = results().published
    first = replace(first, what="accuracy of men", notes=("as published; or so it seems", "synthetic data"))
    second = replace(second, what="bald women", notes=("synthetic data",))
    built = document.build(audit(), results(published=(first, second)))
    table = next(t for t in tables(built) if "published" in t.columns)
    assert [[cell.text for cell in row[1:]] for row in table.rows] == [
        ["accuracy of men", "72.72 %", "94.4 % [93.6, 95.2]", "other protocol", "as published; or so it seems"],
        ["bald women", "0.0024", "", "not judged", ""],
    ]
    assert table.notes == ("of every row: synthetic data",)


def test_a_gate_on_stand_in_data_is_not_judged_and_never_will_be(built: Document, page: str) -> None:
    assert ("Gates", "1 passed, 1 failed, 1 not judged") in built.strip
    assert "judged yet" not in page


def test_what_is_undefined_by_definition_is_told_once() -> None:
    """No table of changes in which nothing could ever stand, and one reason, whichever group comes first."""
    reason = "the groups are defined by 'Male', which the task predicts"
    known = [f for f in results().findings if f.metric == "accuracy" and f.over == ("Male",)]
    gone = [
        replace(f, metric="true_positive_rate", estimate=None, status="undefined by definition")
        for f in known
        if f.quantity in {"value", "signed_gap", "change", "change_in_gap"}
    ]
    gone = [replace(f, reason=reason) for f in gone]
    built = document.build(audit(), results(findings=(*known, *gone)))
    (fold,) = next(section for section in built.sections if section.id == "metrics").blocks
    assert isinstance(fold, Fold)
    (table,) = fold.blocks
    assert isinstance(table, Table)
    assert table.notes == (f"(a) {reason}",)


def test_changes_that_rest_on_few_people_are_marked_and_explained() -> None:
    few = tuple(replace(f, effective_identities=2.0) if f.against else f for f in results().findings)
    built = document.build(audit(), results(findings=few))
    table = next(t for t in tables(built) if t.caption.startswith("Male: change in accuracy against"))
    assert all(row[3].text.endswith("] (a)") for row in table.rows)
    assert table.notes == (
        BOTH_GAPS,
        "(a) resting on few people: the interval may hold less often than it says",
    )
    assert any(sentence.endswith("], resting on few people).") for sentence in built.answer)
    (told,) = (item for item in built.trust if item.label == "Few people")
    counted = [f for f in few if f.family and f.quantity != "change_in_gap" and not exploratory(f.family)]
    number = len(counted)
    assert told.text == (
        f"{number} of {number} declared changes of groups and signed gaps rest on few people (effective number "
        "below 4); such intervals may hold less often than they say"
    )


def test_a_change_that_only_the_step_down_test_tells_from_0_says_so() -> None:
    beside = tuple(
        replace(f, verdict="changed", simultaneous=Interval(-0.001, 0.05), because=BY_THE_TEST) if f.simultaneous else f
        for f in results().findings
    )
    said = {cell.text for t in tables(document.build(audit(), results(findings=beside))) for r in t.rows for cell in r}
    assert {"changed", "the step-down test tells it from 0"} <= said


def test_an_arm_without_changes_is_no_placebo_that_the_answer_is_against() -> None:
    evidence = {
        "reference": "original",
        "placebo": {"oversampled": "placebo", "half": "absent"},
        "groups": (("Male",),),
    }
    built = document.build(audit(evidence=evidence), results())
    assert built.effect[0].title == "Male: change in accuracy, oversampled against placebo, in points"


def test_a_placebo_by_evidence_is_called_one() -> None:
    raw = audit().model_dump(by_alias=True)
    arms = tuple(arm | {"label": f"the {arm['name']}", "role": "arm"} for arm in raw["arm"])
    built = document.build(audit(arm=arms), results())
    assert ("Arms", "the original (reference) · the oversampled · the placebo (placebo)") in built.strip


def test_the_attributes_that_moved_most_are_shown_and_none_is_lost() -> None:
    moved = [
        Marginal(f"A{n}", 1, 0.5, 0.5 + share) for n, share in enumerate((0.001, *(0.02 * k for k in range(1, 13))))
    ]
    composition = replace(results().compositions[1], marginals=tuple(moved))
    built = document.build(audit(), results(compositions=(composition,)))
    most, rest = (t for t in tables(built) if t.caption.startswith("Attributes that moved"))
    assert [row[1].text for row in most.rows] == [f"A{n}" for n in range(12, 4, -1)]
    assert [row[1].text for row in rest.rows] == ["A4", "A3", "A2", "A1", "A0"]


def test_reasons_stand_below_the_table(built: Document) -> None:
    table = next(t for t in tables(built) if "Male and Young, plain 95 %" in t.caption)
    assert table.rows[0][1].text == "not estimable (a)"
    assert table.notes[0] == "(a) women, old: 3 images of 2 people (needs 30 images of 10 people)"


def test_what_is_not_estimable_is_named_once_per_metric_and_group() -> None:
    """The group that lacks the headline metric leads; another metric is named, with the fewest images of any arm."""
    missing = {"status": "not estimable", "estimate": None, "interval": None}
    whole = next(f for f in results().findings if f.quantity == "value" and not f.over)
    rates = tuple(
        replace(whole, metric="true_positive_rate", arm=arm, images=n, reason=f"{n} images of 2 people", **missing)
        for arm, n in zip(ARMS, (5, 4, 6), strict=True)
    )
    built = document.build(audit(), results(findings=(*rates, *results().findings)))
    (item,) = (item for item in built.trust if item.label == "Not estimable")
    assert item.text == (
        "accuracy of women, old: 3 images of 2 people (needs 30 images of 10 people); "
        "true positive rate of everyone: 4 images of 2 people"
    )


def test_what_is_missing_leaves_no_section() -> None:
    bare = document.build(audit(), Results())
    assert [section.id for section in bare.sections] == ["methods", "facts"]
    assert bare.answer == ("No change between arms could be measured.",)
    for width in (80, 140):
        assert on_terminal(bare, width, everything=True)
    assert html.render(bare)
    assert markdown.render(bare)


def test_a_varying_option_is_drawn_as_a_dose() -> None:
    arms = tuple(
        {"name": name, "sampler": {"use": "oversample", "extra": dose}}
        for name, dose in zip(ARMS, (0.0, 0.1, 0.225), strict=True)
    )
    built = document.build(audit(arm=arms), results())
    section = next(section for section in built.sections if section.id == "dose")
    figure = section.blocks[0]
    assert isinstance(figure, Figure)
    assert [row[0].text for row in figure.table.rows] == ["0", "0.1", "0.225"]
    assert figure.table.columns == ("oversample: extra", "arm", "women", "men")


def test_one_seed_is_no_ground_to_call_anything_changed() -> None:
    single = tuple(replace(f, seeds=1, per_seed=f.per_seed[:1], seed_sd=None, noise=None) for f in results().findings)
    built = document.build(audit(), results(findings=single))
    item = next(item for item in built.trust if item.label == "Seeds")
    assert item.text == 'one seed: training variance not measured, so nothing is called "changed"'


def untold(arm: str) -> tuple[Finding, ...]:
    """The toys' findings, had one arm one seed."""
    why = {"seeds": 1, "noise": None, "verdict": "cannot tell", "because": NOT_MEASURED}
    return tuple(
        replace(f, **why) if f.estimate is not None and f.against and arm in (f.arm, f.against)
        else replace(f, seeds=1) if f.arm == arm else f
        for f in results().findings
    )  # fmt: skip


def test_an_arm_with_one_seed_is_named_and_is_the_reason_in_the_answer() -> None:
    built = document.build(audit(), results(findings=untold("oversampled")))
    assert built.answer == (
        "oversampled against placebo, accuracy of women: cannot tell (-2.0 points [-3.0, -1.0]); men: cannot tell "
        "(+0.2 points [-0.8, +1.2]); training variance not measured with one seed. Against original (reference), "
        "women: cannot tell (-1.8 points [-2.8, -0.8]); men: cannot tell (+0.4 points [-0.6, +1.4]); training variance "
        "not measured with one seed.",
        "Accuracy of men minus women: +2.0 points in placebo, +4.2 in oversampled; cannot tell (+2.2 points "
        "[+1.2, +3.2]); training variance not measured with one seed.",
        "Of 16 other declared changes of groups and gaps, none is called changed.",
        "All intervals above are simultaneous: at 95 % they hold for all 30 declared changes of task Male at once.",
    )
    first, second = (item.text for item in built.trust if item.label == "Seeds")
    assert first == (
        'one seed in oversampled: training variance not measured, so no change to or from it is called "changed"'
    )
    assert second.startswith(
        "1 to 3 seeds per arm; seeds alone move a change in accuracy by up to 0.3 points (everyone"
    )
    assert dict(built.strip)["Seeds"] == "1 to 3 (0, 1, 2)"


def test_many_changes_that_one_seed_leaves_untold_are_counted_with_the_reason() -> None:
    evidence = {"reference": "original", "placebo": "placebo", "groups": (("Male", "Young"),), "margin": 0.01}
    more = ({"name": "second"},)
    raw = audit().model_dump(by_alias=True)
    beside = tuple(replace(f, arm="second") for f in untold("oversampled") if f.arm == "oversampled")
    built = document.build(
        audit(arm=(*raw["arm"], *more), evidence=evidence), results(findings=(*untold("oversampled"), *beside))
    )
    assert built.answer[0] == (
        "Of 8 changes in accuracy against placebo (2 arms, 4 groups): 6 cannot be told (training variance not measured "
        "with one seed), 2 not estimable. Against original (reference): 6 cannot be told (training variance not "
        "measured with one seed), 2 not estimable."
    )


def test_the_noise_of_the_seeds_says_of_whom(built: Document) -> None:
    item = next(item for item in built.trust if item.label == "Seeds")
    assert item.text == (
        "3 seeds per arm; seeds alone move a change in accuracy by up to 0.3 points (everyone in oversampled); one "
        "training draw"
    )


def test_people_with_photos_in_several_groups_are_explained() -> None:
    def notes(each: int) -> list[tuple[str, ...]]:
        """Of the support of women and men, so many of either among 70."""
        findings = tuple(replace(f, identities=each) if f.over == ("Male",) else f for f in results().findings)
        found = tables(document.build(audit(), results(findings=findings)))
        return [table.notes for table in found if table.caption.endswith("by Male: support")]

    assert notes(35) == [()]
    told = (
        "The groups have 90 people together and everyone is 70: labels are given image by image, so that one person "
        "can have images in several groups."
    )
    assert notes(45) == [(told,)]


def test_nothing_is_assumed_of_levels_or_their_number() -> None:
    levels = ("Asian", "Black", "White")
    template = next(f for f in results().findings if f.quantity == "value")
    findings = tuple(
        replace(template, arm=arm, over=("Race",), at=(("Race", level),), task="Skin")
        for arm in ARMS
        for level in levels
    )
    evidence = {"reference": "original", "groups": (("Race",),)}
    built = document.build(audit(task=({"target": "Skin"},), evidence=evidence), results(findings=findings))
    assert built.glance[0].columns == ("", "Race Asian", "Race Black", "Race White")


def test_the_scan_says_of_what_its_shares_are_and_where_errors_were_measured(built: Document) -> None:
    (table,) = (t for t in tables(built) if t.columns[0] == "minority")
    assert table.caption == "Male: attributes, and errors in valid, plain 95 % intervals"
    assert table.columns[1:5] == ("% of train", "% of valid", "% men in it", "% young in it")
    assert table.notes[0].startswith("% of train, of valid: of all images there. In it: of the minority's training")


def test_remarks_on_the_data_are_told_apart(built: Document) -> None:
    assert "- **Remarks on the data**: rendered; rare cells enriched\n" in markdown.render(built)


def test_markdown_is_escaped() -> None:
    assert markdown.escape("a|b <i> *x* `y` Big_Nose _z_ $1$") == r"a\|b \<i\> \*x\* \`y\` Big_Nose \_z\_ \$1\$"


def test_all_files_are_written(built: Document, tmp_path: Path) -> None:
    paths = files.write(built, results(), tmp_path / "out")
    names = {str(path.relative_to(tmp_path / "out")) for path in paths}
    assert {"report.html", "report.md", "findings.json", "findings.csv", "charts/effect-male.svg"} <= names
    assert all(path.is_file() for path in paths)
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    for picture in (tmp_path / "out" / "charts").iterdir():
        assert f"(charts/{picture.name})" in text
        assert "var(--" not in picture.read_text(encoding="utf-8")


def test_charts_of_an_earlier_report_are_removed_and_foreign_ones_stay(built: Document, tmp_path: Path) -> None:
    before = set(files.write(built, results(), tmp_path))
    (tmp_path / "charts" / "effect-mine.svg").write_text("mine")
    fewer = results(curves=(), flips=())
    after = set(files.write(document.build(audit(), fewer), fewer, tmp_path))
    gone = {path.relative_to(tmp_path).as_posix() for path in before - after}
    assert "flips.csv" in gone and any(name.startswith("charts/curve-") for name in gone)
    there = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {*after, tmp_path / "charts" / "effect-mine.svg"}


def test_charts_are_drawn_once(built: Document, tmp_path: Path) -> None:
    """What was kept is what is shown; a folder that cannot be made costs nothing but time."""
    svg._vega.cache_clear()
    files.write(built, results(), tmp_path / "first", tmp_path / "drawings")
    kept = sorted((tmp_path / "drawings").iterdir())
    assert {path.suffix for path in kept} == {".svg"}
    for path in kept:
        path.write_text(path.read_text(encoding="utf-8").replace("<svg ", '<svg data-kept="yes" ', 1), encoding="utf-8")
    svg._vega.cache_clear()
    files.write(built, results(), tmp_path / "second", tmp_path / "drawings")
    assert "data-kept" in (tmp_path / "second" / "charts" / "effect-male.svg").read_text(encoding="utf-8")
    svg._vega.cache_clear()
    (tmp_path / "taken").touch()
    files.write(built, results(), tmp_path / "third", tmp_path / "taken")
    first, third = (tmp_path / name / "report.html" for name in ("first", "third"))
    assert first.read_bytes() == third.read_bytes()
    svg._vega.cache_clear()
