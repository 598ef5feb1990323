"""Predictions of many chips kept for a second look, in memory or in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from tempfile import SpooledTemporaryFile

import numpy as np

from llpbench.methods.estimate import Estimate

IN_MEMORY = 2**28
"""Bytes of pixel probabilities that are kept in memory; more go to a temporary file."""


class Spool:
    """Batches of predictions that are read again in the order they were added.

    A grid of 96 x 96 pixels and 5 categories takes 184 kB a chip, so that all chips of a large
    split do not fit in memory, while predicting them a second time would cost another pass.

    Parameters
    ----------
    file : SpooledTemporaryFile
        Empty; receives the probabilities of pixels.
    """

    def __init__(self, file: SpooledTemporaryFile[bytes]) -> None:
        self._file = file
        self._batches: list[Estimate] = []

    def add(self, batch: Estimate) -> Estimate:
        """Keep a batch, and hand it back."""
        if batch.pixels is not None:
            np.save(self._file, batch.pixels, allow_pickle=False)
        self._batches.append(replace(batch, pixels=None))
        return batch

    def __iter__(self) -> Iterator[Estimate]:
        has_pixels = self._file.tell() > 0
        self._file.seek(0)
        for batch in self._batches:
            pixels = np.load(self._file, allow_pickle=False) if has_pixels else None
            yield replace(batch, pixels=pixels)
