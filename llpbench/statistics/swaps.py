"""Which divisions are swapped: the partitions that a permutation test goes through."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

DRAWS_AT_ONCE = 500  # bounds memory


def swap_signs(divisions: int, draws: int, random_state: int) -> Iterator[NDArray[np.int8]]:
    """Signs of the divisions, -1 where a swap is made: all of them if they fit, else a sample."""
    if all_fit(divisions, draws):
        return _all_signs(divisions)
    return random_signs(divisions, draws, random_state)


def all_fit(divisions: int, draws: int) -> bool:
    """Whether there are no more than draws + 1 swaps, 2 to the number of divisions."""
    return divisions < (draws + 1).bit_length()


def _all_signs(divisions: int) -> Iterator[NDArray[np.int8]]:
    bits = (np.arange(2**divisions)[:, np.newaxis] >> np.arange(divisions)) & 1
    for start in range(0, len(bits), DRAWS_AT_ONCE):
        yield (2 * bits[start : start + DRAWS_AT_ONCE] - 1).astype(np.int8)


def random_signs(divisions: int, draws: int, random_state: int) -> Iterator[NDArray[np.int8]]:
    """Signs of the divisions in a sample of swaps, some at a time."""
    generator = np.random.default_rng(random_state)
    for start in range(0, draws, DRAWS_AT_ONCE):
        size = (min(DRAWS_AT_ONCE, draws - start), divisions)
        yield 2 * generator.integers(0, 2, size, dtype=np.int8) - 1
