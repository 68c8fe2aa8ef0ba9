"""Intervals hold the truth as often as they say: six small cases; `benchmarks/coverage.py` runs the whole grid."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from scipy.stats import binomtest

RUNS = 240


def load() -> ModuleType:
    """The benchmark, which is no package."""
    path = Path(__file__).parents[1] / "benchmarks" / "coverage.py"
    sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location("coverage_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCHMARK = load()


@pytest.mark.parametrize(
    ("groups", "people", "correlation", "seeds", "variance", "effect", "least"),
    [
        (2, 60, 0.1, 1, 0.0, False, 0.93),
        (4, 60, 0.3, 1, 0.0, True, 0.93),
        (8, 20, 0.1, 1, 0.0, False, 0.90),
        (2, 60, 0.0, 3, 1.0, True, 0.91),
        (2, 60, 0.1, 5, 4.0, False, 0.93),
        (4, 20, 0.3, 5, 1.0, True, 0.90),
    ],
)
def test_coverage(
    groups: int, people: int, correlation: float, seeds: int, variance: float, effect: bool, least: float
) -> None:
    setting = BENCHMARK.Setting(groups, people, 10, correlation, seeds, variance, effect)
    found = BENCHMARK.cover(setting, RUNS, replicates=300)
    gaps = found.gap_runs
    looked_at = {"change": 2 * RUNS, "family": RUNS, "signed": gaps, "gap": gaps, "widened": gaps}
    for what, count in looked_at.items():
        held = round(getattr(found, what) * count)
        assert binomtest(held, count, least, alternative="less").pvalue > 0.005, what
