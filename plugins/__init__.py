"""The built-in components, registered through the same entry-point group as anybody else's."""

from __future__ import annotations

from auditkit import Component, hookimpl
from auditkit_plugins.datasets.records import DATASETS
from auditkit_plugins.metrics.records import METRICS
from auditkit_plugins.models.records import MODELS
from auditkit_plugins.objectives.records import OBJECTIVES
from auditkit_plugins.samplers.records import SAMPLERS


@hookimpl
def auditkit_samplers() -> list[Component]:
    """Samplers."""
    return list(SAMPLERS)


@hookimpl
def auditkit_models() -> list[Component]:
    """Models."""
    return list(MODELS)


@hookimpl
def auditkit_objectives() -> list[Component]:
    """Objectives."""
    return list(OBJECTIVES)


@hookimpl
def auditkit_metrics() -> list[Component]:
    """Metrics."""
    return list(METRICS)


@hookimpl
def auditkit_datasets() -> list[Component]:
    """Datasets."""
    return list(DATASETS)
