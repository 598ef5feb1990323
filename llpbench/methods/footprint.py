"""What a fitted method costs: weights, work, its time in Python, and labels sent up.

What it costs as a file that flies is measured on the file, see :mod:`llpbench.exported.process`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llpbench.methods import gate
from llpbench.methods.method import Method

if TYPE_CHECKING:
    import xarray as xr

PIXEL_LABEL_BYTES = 100 * 100
"""Bytes of a chip's pixel labels, one each."""


def measure_footprint(method: Method, train: xr.Dataset) -> dict[str, float | None]:
    """All that a fitted method costs where bytes and watts are few.

    Parameters
    ----------
    method : Method
        Fitted.
    train : Dataset
        The split it was fitted to; up to 50 of its chips are predicted once more, one at a time,
        to measure how long that takes.

    Returns
    -------
    dict
        Those of :meth:`~llpbench.methods.method.Method.footprint`, :func:`label_bytes` and
        :func:`measure_latency`.
    """
    return {
        **method.footprint(),
        **label_bytes(train, method.supervision),
        **measure_latency(method, train),
    }


def label_bytes(train: xr.Dataset, supervision: str) -> dict[str, int]:
    """Bytes of the labels that training needs, and of pixel labels for the same chips.

    Shares are sent as 2-byte floats: 2 K for each division or chip, with K categories.

    Examples
    --------
    >>> import xarray as xr
    >>> train = xr.Dataset({"division_proportions": (("division", "category"), np.ones((30, 5)))})
    >>> label_bytes(train.expand_dims(chip=200), "division")
    {'label_uplink_bytes': 300, 'pixel_label_bytes': 2000000}
    """
    pixels = PIXEL_LABEL_BYTES * train.sizes["chip"]
    if supervision == "pixel":
        return {"label_uplink_bytes": pixels, "pixel_label_bytes": pixels}
    sent = 2 * train.sizes["category"] * train.sizes[supervision]
    return {"label_uplink_bytes": sent, "pixel_label_bytes": pixels}


def measure_latency(
    method: Method, ds: xr.Dataset, *, chips: int = 50, seconds: float = 5.0
) -> dict[str, float | None]:
    """Wall time to predict a single chip in Python, on a single core, as quantiles.

    What can be prepared for all chips is not measured: factors of divisions are found on the
    ground, while on board each chip is predicted and multiplied by its own. None where the system
    cannot keep a process on one core.

    Parameters
    ----------
    chips : int
        How many to predict, one at a time, after one to warm up.
    seconds : float
        When to be content with fewer.
    """
    if not hasattr(os, "sched_setaffinity"):
        return {"latency_p50_ms": None, "latency_p95_ms": None}
    chosen = ds.isel(chip=slice(chips))
    predict = gate.chip_predictor(method, chosen)
    taken: list[float] = []
    with _one_core():
        predict(0)
        for number in range(chosen.sizes["chip"]):
            start = time.perf_counter()
            _ = predict(number).segmentation
            taken.append(1000 * (time.perf_counter() - start))
            if sum(taken) > 1000 * seconds:
                break
    p50, p95 = np.percentile(taken, [50, 95])
    return {"latency_p50_ms": round(float(p50), 3), "latency_p95_ms": round(float(p95), 3)}


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep all threads that this process has, and those of its libraries, on one core."""
    from threadpoolctl import threadpool_limits

    before = os.sched_getaffinity(0)
    with threadpool_limits(1):
        _pin({min(before)})
        try:
            yield
        finally:
            _pin(before)


def _pin(cores: set[int]) -> None:
    for task in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), cores)
        except ProcessLookupError:  # the thread ended meanwhile
            continue
