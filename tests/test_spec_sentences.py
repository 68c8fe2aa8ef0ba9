"""Selectors in words."""

from __future__ import annotations

import pytest

from auditkit.spec.model import Gate, Published, Selector
from auditkit.spec.repair import frozen
from auditkit.spec.sentences import gate_sentence, published_sentence, selector_sentence

SENTENCES = [
    ({}, "accuracy, arm a, task Male"),
    ({"metric": "true_positive_rate"}, "true positive rate, arm a, task Male"),
    ({"over": ["Young"], "at": {"Young": 1}}, "accuracy at Young=1, arm a, task Male"),
    ({"over": ["Young"], "quantity": "gap"}, "accuracy gap over Young, arm a, task Male"),
    ({"over": ["Young"], "quantity": "ratio"}, "accuracy ratio over Young, arm a, task Male"),
    (
        {"over": ["Male", "Young"], "at": {"Male": 1}, "quantity": "signed_gap"},
        "signed accuracy gap over Young within Male=1, arm a, task Male",
    ),
    ({"quantity": "change"}, "change in accuracy, arm a against original, task Male"),
    (
        {"over": ["Male", "Young"], "quantity": "change_in_gap", "against": "placebo"},
        "change in the accuracy gap over Male and Young, arm a against placebo, task Male",
    ),
    (
        {"over": ["Male"], "quantity": "change_in_signed_gap", "test": "resampled"},
        "change in the signed accuracy gap over Male, arm a against original, task Male, resampled test",
    ),
]


@pytest.mark.parametrize(("said", "sentence"), SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_a_selector_in_words(said: dict[str, object], sentence: str) -> None:
    finding = Selector.model_validate(frozen({"task": "Male", "arm": "a", **said}))
    assert selector_sentence(finding, "original") == sentence


def test_gates_and_published_figures_in_words() -> None:
    finding = Selector(task="Male", arm="a")
    assert gate_sentence(Gate(finding=finding, at_most=0.02)) == "accuracy, arm a, task Male, at most 0.02"
    both = Gate(finding=finding, at_least=0.5, at_most=0.75, name="fair")
    assert gate_sentence(both) == "accuracy, arm a, task Male, at least 0.5 and at most 0.75"
    change = Gate(finding=Selector(task="Male", arm="a", quantity="change"), at_least=0.0)
    assert gate_sentence(change) == "change in accuracy, arm a against the reference, task Male, at least 0"
    assert published_sentence(Published(where="Table 1", label="share", value=0.25)) == "Table 1: share = 0.25"
    figure = Published(where="Figure 2", finding=finding, value=0.9)
    assert published_sentence(figure) == "Figure 2: accuracy, arm a, task Male = 0.9"
