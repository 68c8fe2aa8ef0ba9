"""Logistic regressions on frozen features, many at once: the last layer that a network would need for other questions.

The labels are opaque columns of 0 and 1. Each column is a problem of its own; they share the products with the
features, which is what they cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

RIDGE = 1e-3
"""Weight of the squared coefficients of standardised features: C = 1 of scikit-learn at a thousand images."""
_NEWTON, _CONJUGATE, _HALVINGS = 25, 30, 8
_TOLERANCE = 5e-6
_FORCING = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """mean, scale: (width,) of the features; coefficients: (width + 1, columns), the last row the intercepts."""

    mean: torch.Tensor
    scale: torch.Tensor
    coefficients: torch.Tensor

    def margins(self, features: torch.Tensor) -> torch.Tensor:
        """(n, columns) float32 logit margins of (n, width) features; NaN in a column that had nothing to tell apart."""
        return _design(features, self.mean, self.scale) @ self.coefficients


def fit(features: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor) -> Heads:
    """Fit a head per column by Newton's method with conjugate gradients (Lin, Weng & Keerthi, JMLR 2008).

    features: (n, width) float32; labels: (n, columns) int8 of 0 and 1, -1 where unknown, which leaves the row out of
    that column; weight: (n,) float32, how often each row counts. Minimises the weighted mean loss plus RIDGE / 2 times
    the squared coefficients of the standardised features; the intercept is free. The coefficients of a column in which
    one of the two labels never occurs are NaN.
    """
    common = weight / weight.sum()
    mean = common @ features
    deviation = (common @ (features - mean) ** 2).sqrt()
    scale = torch.where(deviation > 1e-6 * (1 + mean.abs()), deviation, torch.ones_like(deviation))
    design = _design(features, mean, scale)
    known = (labels >= 0) * weight[:, None]
    truth = (labels == 1).to(features.dtype)
    positive, total = (known * truth).sum(dim=0), known.sum(dim=0)
    told = (positive > 0) & (positive < total)
    coefficients = torch.full((design.shape[1], labels.shape[1]), torch.nan, device=features.device)
    if bool(told.any()):
        coefficients[:, told] = _newton(design, truth[:, told], (known / total)[:, told], common)
    return Heads(mean, scale, coefficients)


def _design(features: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Standardised features and a column of ones."""
    ones = torch.ones(len(features), 1, device=features.device)
    return torch.cat([(features - mean) / scale, ones], dim=1)


def _newton(design: torch.Tensor, truth: torch.Tensor, share: torch.Tensor, common: torch.Tensor) -> torch.Tensor:
    """(width + 1, columns) coefficients. share: (n, columns), sums to one; common: (n,), for the preconditioner."""
    penalty = torch.full((design.shape[1], 1), RIDGE, device=design.device)
    penalty[-1] = 0
    factor = _preconditioner(design, common, penalty)
    found = torch.zeros(design.shape[1], truth.shape[1], device=design.device)
    margin = design @ found
    for _ in range(_NEWTON):
        chance = margin.sigmoid()
        slope = design.T @ (share * (chance - truth)) + penalty * found
        if float(slope.abs().max()) < _TOLERANCE:
            break
        curve = share * chance * (1 - chance)
        step = _solve(lambda v, curve=curve: design.T @ (curve * (design @ v)) + penalty * v, -slope, factor)  # type: ignore[misc]
        moved = design @ step
        length = _length(truth, share, penalty, (found, step), (margin, moved))
        found, margin = found + length * step, margin + length * moved
    return found


def _preconditioner(design: torch.Tensor, common: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
    """Cholesky factor of the curvature at the start, which bounds every later one (Böhning & Lindsay, 1988)."""
    curvature = design.T @ (design * (common / 4)[:, None]) + torch.diag(penalty[:, 0] + 1e-6)
    factor: torch.Tensor = torch.linalg.cholesky(curvature)
    return factor


def _solve(product: Callable[[torch.Tensor], torch.Tensor], right: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Conjugate gradients, every column on its own, until the residual is a small part of the right side."""
    found = torch.zeros_like(right)
    residual = right
    ready = torch.cholesky_solve(residual, factor)
    direction, energy = ready, (residual * ready).sum(dim=0)
    enough = _FORCING**2 * energy
    for _ in range(_CONJUGATE):
        open_ = energy > enough
        if not bool(open_.any()):
            break
        image = product(direction)
        bent = (direction * image).sum(dim=0)
        length = torch.where(open_ & (bent > 0), energy / bent, torch.zeros_like(bent))
        found, residual = found + length * direction, residual - length * image
        ready = torch.cholesky_solve(residual, factor)
        renewed = (residual * ready).sum(dim=0)
        direction = ready + torch.where(open_, renewed / energy, torch.zeros_like(energy)) * direction
        energy = torch.where(open_, renewed, energy)
    return found


def _length(
    truth: torch.Tensor,
    share: torch.Tensor,
    penalty: torch.Tensor,
    coefficients: tuple[torch.Tensor, torch.Tensor],
    margins: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """(columns,) the longest of 1, 1/2, 1/4, ... that does not raise a column's loss; 0 where none does."""
    (found, step), (margin, moved) = coefficients, margins

    def loss(length: torch.Tensor) -> torch.Tensor:
        at, where = margin + length * moved, found + length * step
        each = torch.nn.functional.softplus(at) - truth * at
        return (share * each).sum(dim=0) + (penalty * where**2).sum(dim=0) / 2

    length = torch.ones_like(margin[0])
    before = loss(torch.zeros_like(length))
    for _ in range(_HALVINGS):
        worse = ~(loss(length) <= before)
        if not bool(worse.any()):
            return length
        length = torch.where(worse, length / 2, length)
    return torch.where(loss(length) <= before, length, torch.zeros_like(length))
