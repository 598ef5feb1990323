"""All batches of an estimate at once, with few pixels, while all pixels wait in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from tempfile import SpooledTemporaryFile

import numpy as np

from llpbench.methods.estimate import Estimate

SIDE = 24
"""Pixels along a chip, at most, that post-processors are fitted to: all chips fit in memory."""


def few(batches: Iterable[Estimate]) -> Estimate:
    """All batches together, with few pixels."""
    return Estimate.join([batch.thin(SIDE) for batch in batches])


def spool(
    batches: Iterable[Estimate], file: SpooledTemporaryFile[bytes]
) -> tuple[Estimate, Iterator[Estimate]]:
    """All batches together, with few pixels, and one by one, with all pixels read from a file.

    A grid of 96 x 96 pixels and 5 categories takes 184 kB a chip, so that all chips of a large
    split do not fit in memory, while predicting them a second time would cost another pass.
    """
    thinned, rest = list[Estimate](), list[Estimate]()
    for batch in batches:
        thinned.append(batch.thin(SIDE))
        rest.append(replace(batch, pixels=None))
        if batch.pixels is not None:
            np.save(file, batch.pixels, allow_pickle=False)
    if file.tell() == 0:
        return Estimate.join(thinned), iter(rest)
    file.seek(0)
    again = (replace(batch, pixels=np.load(file, allow_pickle=False)) for batch in rest)
    return Estimate.join(thinned), again
