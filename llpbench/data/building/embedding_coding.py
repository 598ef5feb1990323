"""How an embedding's stored numbers become values: as its file says, or as one is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from llpbench.data.building.embedding_origin import ALPHAEARTH, TESSERA
from llpbench.data.imagery import Coding
from llpbench.errors import BuildError, examples

CODINGS = ("alphaearth", "tessera", "linear")

_ALPHAEARTH = Coding(scale=1 / 127.5, power=2, missing=-128)
"""https://developers.google.com/earth-engine/guides/aef_on_gcs_readme, De-quantization."""

_BY_PIXEL = Coding(by_cell=True)


def choose_coding(
    shown: str,
    dtype: str,
    model: str,
    wanted: str | None,
    *,
    linear: Coding | None,
    has_scales: bool,
) -> Coding:
    """Choose the coding of an embedding.

    Parameters
    ----------
    shown : str
        Name of its file.
    dtype : str
        Of its numbers.
    model : str
        What made it, empty where that is not known.
    wanted : {"alphaearth", "tessera", "linear"}, optional
        What somebody says that it is.
    linear : Coding or None
        By the scale and offset that it states itself, if it does.
    has_scales : bool
        Whether it has a scale for each pixel.
    """
    if np.dtype(dtype).kind == "f":
        if wanted in (None, "linear"):
            return linear or Coding()
        raise _misfit(shown, wanted, f"it stores {dtype}, which are values already")
    if wanted == "linear":
        return linear or Coding()
    if wanted == "tessera" and not has_scales:
        raise _misfit(shown, wanted, "it has no scale for each pixel; give TESSERA's Zarr")
    if wanted == "alphaearth" and dtype != "int8":
        raise _misfit(shown, wanted, f"it stores {dtype} and not int8")
    if wanted:
        return {"alphaearth": _ALPHAEARTH, "tessera": _BY_PIXEL}[wanted]
    return _recognise(shown, dtype, model, linear, has_scales=has_scales)


def _recognise(
    shown: str, dtype: str, model: str, linear: Coding | None, *, has_scales: bool
) -> Coding:
    if has_scales:
        return _BY_PIXEL
    if model == ALPHAEARTH and dtype == "int8" and linear is None:
        return _ALPHAEARTH
    if linear is not None and model not in (ALPHAEARTH, TESSERA):
        return linear
    said = f"it stores {dtype}"
    if model:
        said += f" of {model}" + (" and calls them linear, which it is not" if linear else "")
    raise BuildError(
        f"how the numbers of {shown} become values cannot be told ({said}); name it with "
        f"--embedding-coding: {', '.join(CODINGS)}"
    )


def _misfit(shown: str, wanted: str, reason: str) -> BuildError:
    return BuildError(f"--embedding-coding {wanted} does not fit {shown}: {reason}")


def stated_quantization(shown: str, attributes: Mapping[str, Any]) -> tuple[Coding | None, str]:
    """What attributes of the geo-embeddings Zarr convention say of the coding.

    Returns
    -------
    linear : Coding or None
        Where one scale and offset hold for all numbers.
    scales : str
        Name of the array of pixels' scales, empty where none is named.
    """
    said = attributes.get("geoemb:quantization")
    if said is None:
        return None, ""
    scale = said.get("scale") if isinstance(said, dict) else None
    scale = scale if isinstance(scale, dict) else {}
    method = said.get("method") if isinstance(said, dict) else said
    if scale.get("type") == "array" and isinstance(scale.get("array_name"), str):
        return None, scale["array_name"]
    factor, offset = _number(scale.get("scale")), _number(scale.get("offset", 0.0))
    if method == "linear" and factor and offset is not None:
        return Coding(scale=factor, offset=offset), ""
    if method in ("signed_power", "signed_square"):
        return None, ""
    raise BuildError(
        f"{shown} is quantised in a way that is not known here ({examples([str(method)])}); known "
        "are linear with one scale, and per_pixel_scale with an array of scales"
    )


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and np.isfinite(value)
    return float(value) if is_number else None
