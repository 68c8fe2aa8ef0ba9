"""Point tables where something is missing."""

from __future__ import annotations

import numpy as np
from evidence_toys import COUNTING

from auditkit.evidence.disparity import of_values, tabulate

TPR = {"true_positive_rate": COUNTING["true_positive_rate"]}


def test_a_rate_without_a_denominator_is_no_number_nor_is_a_gap_that_needs_it() -> None:
    counts = np.zeros((4, 2, 2, 2))
    counts[:, :] = 5
    counts[2:, 0, 1, 1] = 0
    table = tabulate(counts, TPR, (0,))["true_positive_rate"]
    assert np.isnan(table.by_group[0, 1, 1])
    assert table.by_group[0, 1, 0] == 0.5
    np.testing.assert_array_equal(table.difference, [[0, np.nan], [0, 0]])
    np.testing.assert_array_equal(table.ratio, [[1, np.nan], [1, 1]])


def test_everybody_is_one_group() -> None:
    counts = np.arange(1.0, 9.0).reshape(4, 2)
    table = tabulate(counts, TPR)["true_positive_rate"]
    np.testing.assert_allclose(table.by_group, [7 / 12, 8 / 14])


def test_values_make_the_same_table_as_counts() -> None:
    counts = np.random.default_rng(1).integers(1, 30, (4, 3, 2, 3)).astype(float)
    for held in ((), (0,), (1,)):
        table = tabulate(counts, TPR, held)["true_positive_rate"]
        same = of_values(table.by_group, held)
        np.testing.assert_allclose(same.difference, table.difference)
        np.testing.assert_allclose(same.ratio, table.ratio)


def test_no_metrics_need_no_table() -> None:
    assert tabulate(np.ones((4, 1, 2)), {}) == {}
