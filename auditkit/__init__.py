"""auditkit: what does oversampling one attribute do to predicting another, and to the gaps between groups?

The public face. Names are imported when first used, so that ``import auditkit`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditkit.cohort import (
        MISSING,
        SPLIT_WORDS,
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
        ModelOptions,
        Need,
        Objective,
        Options,
        PretrainedFile,
        Sampler,
        ScoreMetric,
        TableMetric,
        component,
    )
    from auditkit.decoding import ImageSample, sample_images
    from auditkit.errors import AuditError, DataError
    from auditkit.hooks import hookimpl
    from auditkit.predictions import Predictions
    from auditkit.streams import generator, uniforms
    from auditkit.training.places import cache_folder

_HOMES = {
    "auditkit.cohort": (
        "MISSING", "SPLIT_WORDS", "SPLITS", "Attributes", "Checkup", "Cohort", "Draw", "GroupCount", "ImageSource",
        "OpenDataset",
    ),
    "auditkit.contracts": (
        "ArmName", "AttributeName", "Component", "Condition", "Count", "CountMetric", "Dataset", "Level", "Metric",
        "Model", "ModelOptions", "Need", "Objective", "Options", "PretrainedFile", "Sampler", "ScoreMetric",
        "TableMetric", "component",
    ),
    "auditkit.decoding": ("ImageSample", "sample_images"),
    "auditkit.errors": ("AuditError", "DataError"),
    "auditkit.hooks": ("hookimpl",),
    "auditkit.predictions": ("Predictions",),
    "auditkit.streams": ("generator", "uniforms"),
    "auditkit.training.places": ("cache_folder",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "MISSING", "SPLITS", "SPLIT_WORDS", "ArmName", "AttributeName", "Attributes", "AuditError", "Checkup", "Cohort",
    "Component", "Condition", "Count", "CountMetric", "DataError", "Dataset", "Draw", "GroupCount", "ImageSample",
    "ImageSource", "Level", "Metric", "Model", "ModelOptions", "Need", "Objective", "OpenDataset", "Options",
    "Predictions", "PretrainedFile", "Sampler", "ScoreMetric", "TableMetric", "cache_folder", "component", "generator",
    "hookimpl", "sample_images", "uniforms",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'auditkit' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """All names, so that a notebook completes those that were not used yet."""
    return sorted({*globals(), *__all__})
