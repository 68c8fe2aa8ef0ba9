"""The whole extension surface: five hooks, each asked once when the registry loads."""

from __future__ import annotations

import pluggy

from auditkit.contracts import Component

PROJECT = "auditkit"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def auditkit_samplers() -> list[Component]:  # type: ignore[empty-body]
    """Return components whose factory is an `auditkit.Sampler`."""


@hookspec
def auditkit_models() -> list[Component]:  # type: ignore[empty-body]
    """Return components whose factory is an `auditkit.Model`."""


@hookspec
def auditkit_objectives() -> list[Component]:  # type: ignore[empty-body]
    """Return components whose factory is an `auditkit.Objective`."""


@hookspec
def auditkit_metrics() -> list[Component]:  # type: ignore[empty-body]
    """Return components whose factory is an `auditkit.Metric` of one of the three kinds."""


@hookspec
def auditkit_datasets() -> list[Component]:  # type: ignore[empty-body]
    """Return components whose factory is an `auditkit.Dataset`."""
