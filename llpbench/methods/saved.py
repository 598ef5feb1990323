"""A fitted method as files: its class and settings as JSON, its weights without pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError, MethodError, examples
from llpbench.reading import read_arrays, read_json

_METHOD = "method.json"
_WEIGHTS = "weights.npz"


def write_saved(
    folder: Path, name: str, settings: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]
) -> None:
    """Write the name of a method's class, its settings and weights into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"class": name, "parameters": settings}, indent=1)
    (folder / _METHOD).write_text(text, encoding="utf-8")
    np.savez(folder / _WEIGHTS, allow_pickle=False, **weights)


def read_saved(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read settings and weights of a method of that class.

    Raises
    ------
    MethodError
        If there is none, it is of another class, or no training leaves such weights.
    """
    where = str(folder)
    try:
        described = read_json(folder / _METHOD)
        found, settings = described["class"], dict(described["parameters"])
        weights = read_arrays(folder / _WEIGHTS)
    except (LLPBenchError, ValueError, TypeError, KeyError) as error:
        raise MethodError(f"{where!r} holds no saved method ({error!s:.200})") from error
    if found != name:
        raise MethodError(f"{where!r} holds a {str(found)[:80]}, not a {name}")
    categories = weights.get("categories", np.zeros(0))
    if categories.dtype.kind != "U" or categories.ndim != 1 or not categories.size:
        raise MethodError(f"{where!r}: the weights name no categories")
    for part, array in weights.items():
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise MethodError(f"{where!r}: the weights {examples([part])} are not all numbers")
    return settings, weights
