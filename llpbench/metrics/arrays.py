"""What every metric checks of its arrays, and how it walks through large ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Literal, Protocol, cast, overload

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import MetricError

FloatArray = NDArray[np.float64]
Per = Literal["chip", "category", "cell"]

CHIPS_AT_ONCE = 16  # temporaries of so many 96x96 chips stay in a core's cache


class ShareMetric(Protocol):
    """A metric of class shares: a number over all chips, or an array with ``per``."""

    @overload
    def __call__(self, truth: ArrayLike, predicted: ArrayLike, *, per: None = None) -> float: ...
    @overload
    def __call__(self, truth: ArrayLike, predicted: ArrayLike, *, per: Per) -> FloatArray: ...


def share_metric(metric: Callable[..., float | FloatArray]) -> ShareMetric:
    """Declare the type of a metric of shares, which stays the function that it is."""
    return cast("ShareMetric", metric)


def as_shares(values: ArrayLike, name: str) -> FloatArray:
    """Class shares as float64 (n, K), refused unless finite and with at least one chip."""
    shares = np.asarray(values, dtype=np.float64)
    if shares.ndim != 2 or 0 in shares.shape:
        raise MetricError(
            f"{name} must be an array (chips, categories) with at least one of each, "
            f"not one of shape {shares.shape}"
        )
    if not np.isfinite(shares).all():
        chips = np.flatnonzero(~np.isfinite(shares).all(axis=1))
        raise MetricError(
            f"{name} must be finite, but {len(chips)} rows are not (the first is row {chips[0]}): "
            "leave chips without labels out before scoring"
        )
    return shares


def share_pair(truth: ArrayLike, predicted: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two arrays of class shares of one shape."""
    first, second = as_shares(truth, "truth"), as_shares(predicted, "predicted")
    if first.shape != second.shape:
        raise MetricError(
            "truth and predicted shares must have one shape (chips, categories), "
            f"found {first.shape} and {second.shape}"
        )
    return first, second


def non_negative(*arrays: FloatArray) -> None:
    """Refuse shares below zero, of which no root or logarithm can be taken."""
    for shares in arrays:
        if shares.min() < 0:
            raise MetricError(f"shares must not be negative, found {shares.min():g}")


def quotient(numerator: ArrayLike, denominator: ArrayLike) -> FloatArray:
    """Divide elementwise; what is divided by 0 is NaN."""
    above, below = np.broadcast_arrays(numerator, denominator)
    result: FloatArray = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below != 0, dtype=np.float64)
    number: FloatArray = result[()]  # a number instead of an array without dimensions
    return number


def check_per(per: str | None, allowed: tuple[str, ...]) -> None:
    """Refuse a ``per`` that a metric does not have."""
    if per is not None and per not in allowed:
        raise MetricError(f"per must be None or one of {', '.join(allowed)}, not {per!r}")


def as_groups(division: ArrayLike, chips: int) -> NDArray[Any]:
    """Division of each chip as an array (n,)."""
    groups = np.asarray(division)
    if groups.shape != (chips,):
        raise MetricError(
            f"division must name one division for each of the {chips} chips, "
            f"found an array of shape {groups.shape}"
        )
    return groups


def group_sums(values: FloatArray, group: NDArray[Any], groups: int) -> FloatArray:
    """Sum of the rows (n, m) of each group, numbered 0..groups-1: (groups, m)."""
    rows = np.arange(len(values))
    members = scipy.sparse.csr_array((np.ones(len(values)), (group, rows)), (groups, len(values)))
    sums: FloatArray = members @ values
    return sums


def with_count(terms: FloatArray) -> FloatArray:
    """Append a column of ones, which adds up to the number of chips."""
    return np.column_stack([terms, np.ones(len(terms))])


def average(cells: FloatArray, per: Per | None) -> float | FloatArray:
    """Mean of values (n, K) over what ``per`` does not name."""
    if per == "cell":
        return cells
    if per is None:
        return float(cells.mean())
    means: FloatArray = cells.mean(axis=1 if per == "chip" else 0)
    return means


def group_means(
    values: FloatArray, group: NDArray[Any], weights: FloatArray, groups: int
) -> FloatArray:
    """Mean of the rows of each group, NaN for a group without weight."""
    weighted = group_sums(values * weights[:, np.newaxis], group, groups)
    return quotient(weighted, np.bincount(group, weights, groups)[:, np.newaxis])


def check_images(images: Any, name: str, dimensions: int = 3) -> None:
    """Refuse what is not a stack of square images, integer labels or probabilities of classes."""
    layout = "(chips, rows, columns)" if dimensions == 3 else "(chips, rows, columns, categories)"
    shape = tuple(images.shape)
    if len(shape) != dimensions or shape[1] != shape[2] or 0 in shape[2:]:
        raise MetricError(f"{name} must be square images {layout}, not an array of shape {shape}")
    expected = "biu" if dimensions == 3 else "f"
    if np.dtype(images.dtype).kind not in expected:
        kind = "integer labels" if dimensions == 3 else "floating-point probabilities"
        raise MetricError(f"{name} must hold {kind}, not {images.dtype}")


def check_image_pair(fine: Any, coarse: Any) -> None:
    """Refuse two stacks whose numbers of chips differ or whose sides do not divide each other."""
    (chips, side, *_), (others, other_side, *_) = fine.shape, coarse.shape
    if chips != others:
        raise MetricError(
            f"truth and prediction must hold the same chips, found {chips} and {others} of them"
        )
    if max(side, other_side) % min(side, other_side):
        raise MetricError(
            "one side must divide the other, so that pixels can be enlarged to match: "
            f"found {side} and {other_side}"
        )


def check_number_of_classes(number_of_classes: int) -> None:
    """Refuse numbers of classes whose labels do not fit a byte beside one for "none"."""
    if not 1 <= number_of_classes <= 255:
        raise MetricError(f"number_of_classes must be 1 to 255, not {number_of_classes}")


def array_like(values: Any) -> Any:
    """Turn lists into arrays; arrays, also chunked ones, stay as they are."""
    return values if hasattr(values, "shape") and hasattr(values, "dtype") else np.asarray(values)


def batches(*arrays: Any) -> Iterator[tuple[NDArray[Any], ...]]:
    """Walk along the chips: one chunk of a chunked array in memory at a time, a few chips a batch.

    Chunked are arrays whose ``chunks`` name the sizes along each dimension, as dask's do. No chips
    are one empty batch.
    """
    for start, stop in pairwise(_chunk_edges(arrays)):
        loaded = [np.asarray(array[start:stop]) for array in arrays]
        for first in range(0, max(stop - start, 1), CHIPS_AT_ONCE):
            yield tuple(block[first : first + CHIPS_AT_ONCE] for block in loaded)


def _chunk_edges(arrays: tuple[Any, ...]) -> list[int]:
    for array in arrays:
        chunks = getattr(array, "chunks", None)
        if chunks and isinstance(chunks[0], tuple):
            return [0, *np.cumsum(chunks[0]).tolist()]
    return [0, int(arrays[0].shape[0])]
