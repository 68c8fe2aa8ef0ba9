"""Heads for other targets, fitted on what a unit's network makes of its training draw; runs where torch is."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from auditkit.cohort import Draw, Rows
from auditkit.engine.probes import ProbeMargins
from auditkit.training import heads, predict
from auditkit.training.batches import Pictures
from auditkit.training.device import Compute
from auditkit.training.network import Network
from auditkit.training.pixels import Pixels


def tested(draw: Draw) -> Rows:
    """The test images that are asked: each once, in the order of the data set, copies left out."""
    return np.unique(draw.rows[draw.copy == 0])


def probe(
    network: Network,
    pixels: Pixels,
    compute: Compute,
    draws: tuple[Draw, Draw],
    questions: dict[str, NDArray[np.int8]],
    features: torch.Tensor | None,
) -> ProbeMargins:
    """Fit a head per question on the frozen features of the training draw, and ask them of the test images.

    draws: of train and test. Each image of the training draw is looked at once, as it is, and counts as often as it was
    drawn, augmented copies included. questions: key -> (images of the data set,) int8 of 0 and 1, -1 where missing.
    features: those of the `tested` images, where they are known already.
    """
    rows, times = np.unique(draws[0].rows, return_counts=True)
    asked = tested(draws[1])
    if not len(asked):
        return ProbeMargins(asked, {key: np.zeros(0, dtype=np.float32) for key in questions})
    labels: NDArray[np.int8] = np.stack(list(questions.values()), axis=1)
    weight = torch.from_numpy(times.astype(np.float32)).to(compute.device)
    seen = predict.features(network, Pictures.plain(pixels, rows), compute)
    fitted = heads.fit(seen, torch.from_numpy(labels[rows]).to(compute.device), weight)
    if features is None:
        features = predict.features(network, Pictures.plain(pixels, asked), compute)
    margins = fitted.margins(features).cpu().numpy()
    return ProbeMargins(asked, {key: margins[:, column] for column, key in enumerate(questions)})
