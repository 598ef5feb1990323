"""Error models as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError
from llpbench.reading import read_arrays
from llpbench.uncertainty.error_model import ErrorModel
from llpbench.writing import replacing

_LARGEST = 2**20
"""Bytes of the largest file read; one has some thousand."""


def write_error_model(model: ErrorModel, path: Path) -> None:
    """Write an error model as npz, whole or not at all."""
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **model.to_arrays())


def read_error_model(path: Path, categories: int) -> ErrorModel:
    """Read an error model of so many classes.

    Raises
    ------
    LLPBenchError
        If the file holds none, or one of other classes.
    """
    return error_model_of(read_arrays(path, _LARGEST), categories, path)


def error_model_of(arrays: Mapping[str, NDArray[Any]], categories: int, path: Path) -> ErrorModel:
    """Make an error model of arrays that a file holds; others are refused (LLPBenchError)."""
    try:
        model = ErrorModel.from_arrays(arrays)
        pairs = model.weights.shape[0]
        found = [value.shape for value in (model.matrix, model.mean, model.scales)]
        expected = [(categories, categories), (categories,), (pairs, categories)]
        if found != expected or {model.shared.shape, model.ranges.shape} != {(pairs,)}:
            raise ValueError(f"arrays of shapes {found}, expected {expected}")
        _check(model)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise LLPBenchError(
            f"{str(path)!r} holds no error model of {categories} classes ({error!s:.200})"
        ) from error
    return model


def _check(model: ErrorModel) -> None:
    """Refuse numbers from which no distribution follows."""
    numbers = (model.matrix, model.mean, model.weights, model.shared, model.ranges, model.scales)
    if not all(np.issubdtype(array.dtype, np.floating) for array in numbers):
        raise ValueError("not all arrays hold fractions")
    if not all(np.isfinite(array).all() for array in numbers) or not np.isfinite(model.noise):
        raise ValueError("some numbers are not finite")
    shares = (model.mean, model.weights, model.shared, model.scales)
    if not all(((array >= 0) & (array <= 1)).all() for array in shares) or (
        (model.scales <= 0).any() or (model.scales >= 1).any() or (model.ranges <= 0).any()
    ):
        raise ValueError("some numbers are out of their range")
    if not np.allclose(model.matrix.sum(axis=1), 1, atol=1e-6):
        raise ValueError("rows of the matrix do not sum to 1")
