"""What images and embeddings of a dataset hold: for ``llpbench info``, datasheets and metadata.

Bands are described in the words of STAC 1.1 and its extensions EO 2.0 and raster 2.0
(https://github.com/radiantearth/stac-spec, https://github.com/stac-extensions).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from llpbench.data.imagery import SIDES, Band, Imagery

COMMON_NAMES = frozenset(
    [
        *("pan", "coastal", "blue", "green", "green05", "yellow", "red", "nir", "nir08", "nir09"),
        *("rededge", "rededge071", "rededge075", "rededge078", "cirrus", "swir16", "swir22"),
        *("lwir", "lwir11", "lwir12"),
    ]
)
"""Roles of bands that STAC has a name for."""

MOST_ROWS = 20
"""Bands in a table."""


def describe_arrays(images: Mapping[str, Imagery]) -> dict[str, dict[str, Any]]:
    """Describe images and embeddings in plain values, by name of their array.

    ``values`` are the lowest and the highest that can be stored, None where nothing bounds them;
    ``bands`` are of :func:`stac_band`.
    """
    return {
        array: {
            "shape": [SIDES[array], SIDES[array], len(imagery.bands)],
            "data_type": imagery.dtype,
            "coding": imagery.coding.attributes(),
            "values": value_range(imagery),
            "bytes_a_chip": chip_bytes(array, imagery),
            "source": imagery.source,
            "bands": [stac_band(band, imagery) for band in imagery.bands],
        }
        for array, imagery in images.items()
    }


def stac_band(band: Band, imagery: Imagery) -> dict[str, Any]:
    """Describe a band as an item of STAC's ``bands``; what is not known is left out.

    Wavelengths are in micrometres there.

    Examples
    --------
    >>> nir = Band("B8", "nir", 842)
    >>> stac_band(nir, Imagery((nir,), "uint8"))
    {'name': 'B8', 'data_type': 'uint8', 'eo:common_name': 'nir', 'eo:center_wavelength': 0.842}
    """
    coding = imagery.coding
    said: dict[str, Any] = {"name": band.name, "data_type": imagery.dtype}
    if band.description:
        said["description"] = band.description
    if coding.missing is not None:
        said["nodata"] = coding.missing
    if band.role in COMMON_NAMES:
        said["eo:common_name"] = band.role
    if band.wavelength is not None:
        said["eo:center_wavelength"] = round(band.wavelength / 1000, 6)
    is_linear = coding.power == 1 and not coding.by_cell
    if is_linear and (coding.scale, coding.offset) != (1, 0):
        said |= {"raster:scale": coding.scale, "raster:offset": coding.offset}
    return said


def value_range(imagery: Imagery) -> list[float] | None:
    """The lowest and the highest value that whole numbers can say; None of others.

    Examples
    --------
    >>> value_range(Imagery((Band("VV"),), "uint8"))
    [0.0, 255.0]
    """
    kind, coding = np.dtype(imagery.dtype), imagery.coding
    if kind.kind == "f" or coding.by_cell:
        return None
    limits = np.iinfo(kind)
    numbers = [limits.min, limits.min + 1, limits.max - 1, limits.max]
    values = coding.decode(np.array(numbers, dtype=kind))
    return [float(f"{value:.4g}") for value in (np.nanmin(values), np.nanmax(values))]


def chip_bytes(array: str, imagery: Imagery) -> int:
    """Bytes of a chip before they are compressed, with the scales of cells where there are some."""
    scales = SIDES[array] ** 2 * 4 if imagery.coding.by_cell else 0
    return imagery.chip_bytes(array) + scales


def array_lines(images: Mapping[str, Imagery]) -> list[str]:
    """Describe images and embeddings, a line each.

    Examples
    --------
    >>> from llpbench.data.imagery import RGB_ONLY
    >>> array_lines(RGB_ONLY)
    ['image: red, green, blue; 100 x 100 pixels of uint8, values 0 to 255; 30 kB a chip']
    """
    lines = []
    for array, imagery in images.items():
        side, unit = SIDES[array], {"image": "pixels", "embedding": "cells"}[array]
        values = value_range(imagery)
        span = "" if values is None else f", values {values[0]:g} to {values[1]:g}"
        lines.append(
            f"{array}: {imagery}; {side} x {side} {unit} of {imagery.dtype}{span}; "
            f"{chip_bytes(array, imagery) / 1000:.0f} kB a chip"
        )
    return lines


def band_rows(images: Mapping[str, Imagery]) -> list[dict[str, Any]]:
    """What is known of the first bands of the image: a table; empty where names say all."""
    bands = images["image"].bands if "image" in images else ()
    if all(band.role in ("", band.name) and band.wavelength is None for band in bands):
        return []
    rows: list[dict[str, Any]] = [
        {
            "band": band.name,
            "shows": band.role,
            "nm": band.wavelength,
            "description": band.description,
        }
        for band in bands[:MOST_ROWS]
    ]
    if more := len(bands) - len(rows):
        rows.append({"band": f"and {more} more", "shows": "", "nm": None, "description": ""})
    return rows
