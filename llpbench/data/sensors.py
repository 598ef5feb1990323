"""Bands of satellites, by the names that their products give them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Spectral(NamedTuple):
    """What a band shows, by its common name in STAC; its centre and its width in nanometres."""

    role: str
    centre: float
    width: float


SENTINEL2: Mapping[str, Spectral] = MappingProxyType(
    {
        "B1": Spectral("coastal", 443, 20),
        "B2": Spectral("blue", 490, 65),
        "B3": Spectral("green", 560, 35),
        "B4": Spectral("red", 665, 30),
        "B5": Spectral("rededge071", 705, 15),
        "B6": Spectral("rededge075", 740, 15),
        "B7": Spectral("rededge078", 783, 20),
        "B8": Spectral("nir", 842, 115),
        "B8A": Spectral("nir08", 865, 20),
        "B9": Spectral("nir09", 945, 20),
        "B10": Spectral("cirrus", 1375, 30),
        "B11": Spectral("swir16", 1610, 90),
        "B12": Spectral("swir22", 2190, 180),
    }
)
"""Of Sentinel-2, in their order, as its metadata number them from 0: ESA, Sentinel-2 User Handbook
(issue 1, revision 2, 2015), tables of spectral bands."""

_THEMATIC_MAPPER = ("blue", "green", "red", "nir08", "swir16", "lwir", "swir22")
_LAND_IMAGER = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "pan", "cirrus")

LANDSAT: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        **{
            number: {f"B{n}": role for n, role in enumerate(_THEMATIC_MAPPER, 1)}
            for number in ("4", "5", "7")
        },
        **{
            number: {f"B{n}": role for n, role in enumerate((*_LAND_IMAGER, "lwir11", "lwir12"), 1)}
            for number in ("8", "9")
        },
    }
)
"""Roles of the bands of each Landsat: USGS, Landsat 4-7 and 8-9 Collection 2 Level 2 guides."""
