"""Whether a plugin's code may change between two runs without its version changing, and a hash of it if so."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path


@cache
def source_hash(distribution_name: str, factory: str) -> str:
    """16 hexadecimal digits over the Python files of the package that holds a factory; "" unless installed editable.

    Only that package: changing a metric must not make every sampler of the same distribution look new.
    """
    if not _is_editable(distribution_name):
        return ""
    digest = hashlib.sha256()
    for name, file in _files(factory.partition(":")[0]):
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _is_editable(name: str) -> bool:
    try:
        text = distribution(name).read_text("direct_url.json")
        return bool(text and json.loads(text).get("dir_info", {}).get("editable"))
    except (PackageNotFoundError, ValueError, AttributeError):
        return False


def _files(module: str) -> list[tuple[str, Path]]:
    """Python files beside a module, with names relative to its package; the module alone where it has no package."""
    found = find_spec(module)
    if found is None or found.origin is None:
        return []
    origin = Path(found.origin)
    if found.submodule_search_locations is None and "." not in module:
        return [(origin.name, origin)]
    folder = origin.parent
    return [(file.relative_to(folder).as_posix(), file) for file in sorted(folder.rglob("*.py"))]
