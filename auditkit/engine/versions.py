"""Which versions of which packages findings were derived with."""

from __future__ import annotations

from importlib.metadata import version

PACKAGES = ("auditkit", "fairlearn", "numpy", "pandas", "scipy")


def versions() -> dict[str, str]:
    """The version of every package that has a part in the evidence."""
    return {name: version(name) for name in PACKAGES}
