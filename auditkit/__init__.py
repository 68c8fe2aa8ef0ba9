"""auditkit: what does oversampling one attribute do to predicting another, and to the gaps between groups?

The public face. Names are imported when first used, so that ``import auditkit`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditkit.cohort import Attributes, Cohort, Draw, ImageSource, OpenDataset
    from auditkit.contracts import (
        ArmName,
        AttributeName,
        Component,
        Condition,
        Count,
        CountMetric,
        Dataset,
        Level,
        Metric,
        Model,
        Need,
        Objective,
        Options,
        PretrainedFile,
        Sampler,
        ScoreMetric,
        TableMetric,
        component,
    )
    from auditkit.errors import AuditError, DataError
    from auditkit.hooks import hookimpl
    from auditkit.predictions import Predictions

_HOMES = {
    "auditkit.cohort": ("Attributes", "Cohort", "Draw", "ImageSource", "OpenDataset"),
    "auditkit.contracts": (
        "ArmName", "AttributeName", "Component", "Condition", "Count", "CountMetric", "Dataset", "Level", "Metric",
        "Model", "Need", "Objective", "Options", "PretrainedFile", "Sampler", "ScoreMetric", "TableMetric", "component",
    ),
    "auditkit.errors": ("AuditError", "DataError"),
    "auditkit.hooks": ("hookimpl",),
    "auditkit.predictions": ("Predictions",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ArmName", "AttributeName", "Attributes", "AuditError", "Cohort", "Component", "Condition", "Count", "CountMetric",
    "DataError", "Dataset", "Draw", "ImageSource", "Level", "Metric", "Model", "Need", "Objective", "OpenDataset",
    "Options", "Predictions", "PretrainedFile", "Sampler", "ScoreMetric", "TableMetric", "component", "hookimpl",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'auditkit' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
