"""The rules of a metric."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.contracts import CountMetric, Metric, ScoreMetric, TableMetric
from auditkit.testing.rules import demand, options_of


def check_metric(metric: type[Metric], **options: Any) -> Metric:
    """Check a metric of one of the three kinds with these options, and return it built.

    * counts: numerator and denominator have the shape of the counts, and are sums: those of two groups together are
      the sums of theirs (unless the metric describes the test set alone); without images there is no warning;
    * scores: the order of the images does not matter, nor the size of all weights, and a whole weight is as good as as
      many images; `influence`, where there is one, has a value for every image;
    * table: the shape is kept, and replicates in front do not see each other.
    """
    built = metric(options_of(metric, options))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if isinstance(built, CountMetric):
            _check_counts(built)
        elif isinstance(built, TableMetric):
            _check_table(built)
        else:
            kind = isinstance(built, ScoreMetric)
            demand(kind, f"{metric.__name__} must be a CountMetric, a ScoreMetric or a TableMetric")
            _check_scores(built)  # type: ignore[arg-type]
    return built


def _counts(shape: tuple[int, ...]) -> list[NDArray[np.int64]]:
    rng = np.random.default_rng(3)
    return [rng.integers(1, 50, shape) for _ in range(4)]


def _same_shape(found: tuple[NDArray[Any], NDArray[Any]], shape: tuple[int, ...]) -> None:
    demand(isinstance(found, tuple) and len(found) == 2, "compute must return (numerator, denominator)")
    for name, values in zip(("numerator", "denominator"), found, strict=True):
        demand(np.shape(values) == shape, f"the {name} of counts {shape} has the shape {np.shape(values)}")


def _check_counts(metric: CountMetric) -> None:
    one, other = _counts((3, 2)), [values[::-1] for values in _counts((3, 2))]
    found, more = metric.compute(*one), metric.compute(*other)
    both = metric.compute(*(a + b for a, b in zip(one, other, strict=True)))
    for values in (found, more, both):
        _same_shape(values, (3, 2))
    if metric.describes_test:
        return
    for name, total, left, right in zip(("numerator", "denominator"), both, found, more, strict=True):
        demand(np.allclose(total, left + right), f"the {name} of two groups together is not the sum of theirs")
    _same_shape(metric.compute(*(np.zeros(2, dtype=np.int64),) * 4), (2,))


def _check_table(metric: TableMetric) -> None:
    counts = _counts((4, 3))
    found = metric.compute(*counts)
    _same_shape(found, (4, 3))
    alone = metric.compute(*(values[1] for values in counts))
    _same_shape(alone, (3,))
    for name, values, row in zip(("numerator", "denominator"), found, alone, strict=True):
        demand(np.allclose(values[1], row), f"the {name} of a replicate depends on the other replicates")


def _check_scores(metric: ScoreMetric) -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 60).astype(np.int8)
    score = np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.2, 60), 0.01, 0.99)
    weight = rng.integers(1, 4, 60)
    value = metric.compute(truth, score, weight.astype(float))
    order = rng.permutation(60)
    repeated = np.repeat(np.arange(60), weight)
    same = {
        "the order of the images matters": (truth[order], score[order], weight[order].astype(float)),
        "the size of all weights matters": (truth, score, weight * 2.0),
        "a weight of 2 is not as good as the image twice": (truth[repeated], score[repeated], np.ones(len(repeated))),
    }
    for said, arguments in same.items():
        again = metric.compute(*arguments)
        demand(bool(np.isclose(again, value, atol=1e-9)), f"{said}: {value} became {again}")
    influence = metric.influence(truth, score, weight.astype(float))
    if influence is not None:
        demand(np.shape(influence) == (60,), f"influence of 60 images has the shape {np.shape(influence)}")
