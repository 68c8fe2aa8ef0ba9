"""Random streams without state: each derives from a seed and a purpose, never from a global generator or a name.

`generator` gives a NumPy generator for a purpose; `uniforms` gives numbers for single (row, copy) pairs that do not
depend on which other pairs are asked for, so that augmentation is the same on every device, in every order.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def generator(seed: int, purpose: str, *more: int) -> np.random.Generator:
    """A Philox generator keyed by (seed, purpose, *more)."""
    return np.random.Generator(np.random.Philox(key=_key(seed, purpose, *more)))


def uniforms(
    seed: int, purpose: str, rows: NDArray[np.int64], copies: NDArray[np.int64], width: int, *more: int
) -> NDArray[np.float64]:
    """(n, width) float64 in [0, 1): numbers for each (row, copy), by SplitMix64 (Steele et al., OOPSLA 2014)."""
    key = np.frombuffer(_key(seed, purpose, *more).tobytes(), dtype=np.uint64)
    with np.errstate(over="ignore"):
        state = _mix(_mix(rows.astype(np.uint64) ^ key[0]) + copies.astype(np.uint64) * _GOLDEN ^ key[1])
        steps = np.arange(1, width + 1, dtype=np.uint64) * _GOLDEN
        bits = _mix(state[:, None] + steps[None, :])
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _key(seed: int, purpose: str, *more: int) -> NDArray[np.uint64]:
    text = ":".join([str(seed), purpose, *map(str, more)])
    return np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], dtype=np.uint64)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
