"""How numbers in files of a catalogue become values, by what its items say.

``raster:bands`` have scale and offset of an asset. Of Sentinel-2 that is not enough: some providers
took the thousand of processing baseline 04.00 off and still state its offset, and others say
nothing of it, see :mod:`~llpbench.data.building.reflectance`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from llpbench.data.building.asset_bands import AssetBand
from llpbench.data.building.items import Item, as_object
from llpbench.data.building.raster_band import Band
from llpbench.data.building.reflectance import (
    AUTO,
    FIRST_BASELINE,
    QUANTIFICATION,
    SINCE,
    find_applied,
)
from llpbench.errors import BuildError

_BASELINES = ("s2:processing_baseline", "processing:version", "sentinel:processing_baseline")


def read_numbers(item: Item, said: AssetBand, band: Band, wanted: str) -> Band:
    """Give a band of a file scale and offset, by which numbers become values.

    What the file's own tags say counts; nothing is done where an offset is ``wanted``.

    Raises
    ------
    BuildError
        If 1000 may have been added to numbers of Sentinel-2 and nothing tells.
    """
    kind = np.dtype(band.dtype)
    has_tags = (band.scale, band.offset) != (1, 0)
    if has_tags or wanted != AUTO or kind.kind not in "iu" or kind.itemsize == 1:
        return band
    scale_offset = _find(item, said)
    if scale_offset is None:
        return band
    scale, offset = scale_offset
    if is_sentinel2(item) and band.nodata is None and not band.is_masked:
        band = replace(band, nodata=0.0, all_valid=False)
    return replace(band, scale=scale, offset=offset)


def find_sensor(item: Item) -> str:
    """Satellite of an item, such as ``Landsat 8``; empty where it is none that is known by name.

    Examples
    --------
    >>> find_sensor(Item("a", "", None, {}, {"properties": {"platform": "Sentinel-2B"}}))
    'Sentinel-2'
    """
    properties = as_object(item.content.get("properties"))
    for key in ("platform", "constellation"):
        if found := re.match(r"(sentinel|landsat)-(\d)", str(properties.get(key)).lower()):
            name, number = found.groups()
            return f"Sentinel-{number}" if name == "sentinel" else f"Landsat {number}"
    return ""


def is_sentinel2(item: Item) -> bool:
    """Whether an item is of Sentinel-2."""
    return find_sensor(item) == "Sentinel-2" or str(item.content.get("collection")).startswith(
        "sentinel-2"
    )


def _find(item: Item, said: AssetBand) -> tuple[float, float] | None:
    usual = 1 / QUANTIFICATION
    applied = find_applied(item.content)
    if applied is True:
        return usual if said.scale is None else said.scale, 0.0
    if (said.scale is not None or said.offset is not None) and applied is None:
        return 1.0 if said.scale is None else said.scale, said.offset or 0.0
    if not is_sentinel2(item):
        return None
    properties = as_object(item.content.get("properties"))
    stated = [str(properties[key]) for key in _BASELINES if key in properties]
    baseline = re.fullmatch(r"\d{1,2}(\.\d+)?", stated[0]) if stated else None
    if baseline is not None:
        is_before = float(baseline[0]) < FIRST_BASELINE
    else:
        is_before = "" < item.day.replace("-", "") < SINCE
    if is_before:
        return usual, 0.0
    raise BuildError(
        f"item {item.id!r} may hold numbers of Sentinel-2 to which 1000 was added, and does not "
        "tell: say --boa-offset -1000 if it was, as in ESA's own files, or --boa-offset none if it "
        "was taken off again"
    )
