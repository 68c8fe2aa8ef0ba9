"""The report says how the networks were trained, and what the command line changed."""

from __future__ import annotations

from report_toys import FACTS, audit, results

from auditkit.evidence.results import Results
from auditkit.report import document, html, markdown
from auditkit.report.blocks import Document, Items, Section, Table

RECIPE = {
    "init": "none",
    "optimizer": {"use": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True},
    "schedule": {"use": "one-cycle"},
    "budget": {"steps": 600},
    "batch_size": 64,
}
ARMS = (
    {"name": "original", "role": "baseline"},
    {
        "name": "oversampled",
        "label": "bald oversampled",
        "init": "original",
        "train": "head",
        "sampler": {"use": "oversample", "where": ({"Bald": 1, "Male": 0}, {"Bald": 1}), "times": 4},
        "recipe": {"batch_size": 32},
        "seeds": (4, 5),
    },
    {"name": "placebo", "sampler": {"use": "oversample", "like": "oversampled"}},
)


def built(**facts: object) -> Document:
    return document.build(audit(recipe=RECIPE, arm=ARMS), results(facts=FACTS | facts))


def section(of: Document) -> Section:
    return next(section for section in of.sections if section.id == "recipe")


def table(of: Document, first: str) -> dict[str, tuple[str, ...]]:
    tables = [block for block in section(of).blocks if isinstance(block, Table)]
    found = next(table for table in tables if table.columns[0] == first)
    return {row[0].text: tuple(cell.text for cell in row[1:]) for row in found.rows}


def test_every_key_of_the_recipe_is_told() -> None:
    keys = table(built(), "key")
    assert keys["optimizer"] == ("sgd: lr 0.05, momentum 0.9, nesterov yes, weight decay 0",)
    assert keys["schedule"] == ("one-cycle: warm up 0.25",)
    assert keys["budget"] == ("600 steps",)
    assert keys["batch size"] == ("64",)
    assert keys["starts from"] == ("random weights",)
    assert keys["image"] == ("centre square of at most 178 pixels, resized to 128",)


def test_arms_are_told_with_their_samplers_and_what_is_their_own() -> None:
    arms = table(built(), "arm")
    assert arms["original"] == ("random weights", "all layers on train", "every image once", "nothing")
    assert arms["bald oversampled"] == (
        "original",
        "the last layer on train",
        "oversample: where Bald = 1 and Male = 0 or Bald = 1, times 4",
        "batch size 32; seeds 4, 5",
    )
    assert arms["placebo"][2] == "oversample: like bald oversampled"


def test_options_that_a_sampler_ran_with_go_before_those_in_the_file() -> None:
    ran = {"oversampled": {"where": {"Bald": 1}, "times": 1, "distinct": False, "of": None}}
    assert table(built(samplers=ran), "arm")["bald oversampled"][2] == "oversample: where Bald = 1, times 1"


def test_profile_overrides_and_scale_are_named() -> None:
    changed = built(overrides=["evidence.margin=0.02", 'recipe.init="none"'], scale=0.25)
    items = next(block for block in section(changed).blocks if isinstance(block, Items))
    assert [(item.label, item.text) for item in items.items] == [
        ("Profiles applied", "small"),
        ("Overridden (--set)", 'evidence.margin = 0.02; recipe.init = "none"'),
        ("Scaled (--scale)", "every number of images times 0.25"),
    ]


def test_the_first_screen_has_the_essentials() -> None:
    said = dict(built().strip)["Recipe"]
    assert (
        said == "resnet18 from random weights, sgd, lr 0.05, one-cycle schedule, 600 steps, batches of 64, 128 pixels"
    )


def test_overrides_lead_every_rendering() -> None:
    changed = built(overrides=["evidence.margin=0.02"])
    assert "Overridden: evidence.margin = 0.02." in changed.banner


def test_both_pages_hold_it() -> None:
    whole = built()
    assert "nesterov yes" in markdown.render(whole)
    assert "nesterov yes" in html.render(whole)


def test_where_nothing_was_trained_there_is_no_recipe() -> None:
    bare = document.build(audit(), Results())
    assert "recipe" not in [section.id for section in bare.sections]
    assert "Recipe" not in dict(bare.strip)
