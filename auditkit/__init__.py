"""auditkit: what does oversampling one attribute do to predicting another, and to the gaps between groups?

The public face. Names are imported when first used, so that ``import auditkit`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditkit.cohort import (
        MISSING,
        SPLITS,
        Attributes,
        Checkup,
        Cohort,
        Draw,
        GroupCount,
        ImageSource,
        OpenDataset,
    )
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
    from auditkit.streams import generator, uniforms

_HOMES = {
    "auditkit.cohort": (
        "MISSING", "SPLITS", "Attributes", "Checkup", "Cohort", "Draw", "GroupCount", "ImageSource", "OpenDataset",
    ),
    "auditkit.contracts": (
        "ArmName", "AttributeName", "Component", "Condition", "Count", "CountMetric", "Dataset", "Level", "Metric",
        "Model", "Need", "Objective", "Options", "PretrainedFile", "Sampler", "ScoreMetric", "TableMetric", "component",
    ),
    "auditkit.errors": ("AuditError", "DataError"),
    "auditkit.hooks": ("hookimpl",),
    "auditkit.predictions": ("Predictions",),
    "auditkit.streams": ("generator", "uniforms"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "MISSING", "SPLITS", "ArmName", "AttributeName", "Attributes", "AuditError", "Checkup", "Cohort", "Component",
    "Condition", "Count", "CountMetric", "DataError", "Dataset", "Draw", "GroupCount", "ImageSource", "Level",
    "Metric", "Model", "Need", "Objective", "OpenDataset", "Options", "Predictions", "PretrainedFile", "Sampler",
    "ScoreMetric", "TableMetric", "component", "generator", "hookimpl", "uniforms",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'auditkit' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
