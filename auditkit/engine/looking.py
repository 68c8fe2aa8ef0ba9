"""A look at a few images with a finished unit's weights; stores nothing. Runs where torch is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from auditkit.engine.store import WEIGHTS, Store
from auditkit.engine.work import ComponentRef, LookWork
from auditkit.training import predict, weights
from auditkit.training.batches import Pictures
from auditkit.training.device import Compute, choose_algorithms, choose_device, choose_precision
from auditkit.training.network import build_network
from auditkit.training.pixels import open_pixels


def look(item: LookWork, build: Callable[[ComponentRef], Any]) -> list[float]:
    """Logit margins of the work item's images, in their order, in the precision that the unit was trained with."""
    store = Store(Path(item.store))
    device = choose_device(item.device)
    choose_algorithms(device, deterministic=False)
    facts = store.facts(item.digest)
    compute = Compute(device, choose_precision(facts["precision"], device), facts["threads"])
    compute.set_up()
    network = build_network(build(item.model), 0, device)
    network.load(weights.load(store.unit(item.digest) / WEIGHTS), where=item.label)
    pixels = open_pixels(Path(item.images.path), device, item.images.used)
    found: list[float] = predict.margins(network, Pictures.plain(pixels, item.rows), compute).tolist()
    return found
