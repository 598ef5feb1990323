"""Scenes of satellites as their providers name and write them: a file a band."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from own_region import OwnRegion, north_up, write_raster

SIDES = {
    **{"B01": 6, "B02": 1, "B03": 1, "B04": 1, "B05": 2, "B06": 2, "B07": 2, "B08": 1, "B8A": 2},
    **{"B09": 6, "B10": 6, "B11": 2, "B12": 2},
}
"""Pixels of Sentinel-2, in a tenth of their metres: chips here are of 100 m."""

TILE, TIME = "31UFS", "20230601T104619"

PRODUCT = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-{level}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/p.xsd">
 <n1:General_Info><Product_Image_Characteristics>
  <{kind}QUANTIFICATION_VALUE unit="none">10000</{kind}QUANTIFICATION_VALUE>{offsets}
 </Product_Image_Characteristics></n1:General_Info>
</n1:Level-{level}_User_Product>
"""
"""As ESA's product specification has it (S2-PDGS-TAS-DI-PSD, issue 14.9), shortened."""


def numbers(own: OwnRegion, band: str, seed: int = 0) -> NDArray[np.uint16]:
    """Digital numbers of a band in its own pixels, (row, column); smooth, never 0."""
    side = SIDES[band]
    shape = 100 * own.rows // side, 100 * own.columns // side
    rng = np.random.default_rng([seed, *band.encode()])
    return rng.integers(1001, 4000, shape, dtype=np.uint16)


def write_band(own: OwnRegion, path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    """A file of one band, whose pixels are as large as they must be to cover the region."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 100 * own.columns / pixels.shape[1]
    return write_raster(
        path, pixels[np.newaxis], north_up(own.west, own.north, size), own.crs, **options
    )


def write_product(
    own: OwnRegion, level: str = "1C", offset: int | None = -1000, baseline: str = "0509"
) -> Path:
    """A .SAFE folder: GRANULE/.../IMG_DATA, and what its metadata say of the offset."""
    safe = own.folder / f"S2A_MSIL{level}_{TIME}_N{baseline}_R051_T{TILE}_20230601T180000.SAFE"
    data = safe / "GRANULE" / f"L{level}_T{TILE}_A041477_{TIME}" / "IMG_DATA"
    for band in SIDES:
        if level == "1C":
            write_band(own, data / f"T{TILE}_{TIME}_{band}.tif", numbers(own, band))
    kind = "" if level == "1C" else "BOA_"
    name = "RADIO_ADD_OFFSET" if level == "1C" else "BOA_ADD_OFFSET"
    offsets = [f'<{name} band_id="{n}">{offset}</{name}>' for n in range(len(SIDES))]
    text = PRODUCT.format(level=level, kind=kind, offsets="".join(offsets) if offset else "")
    safe.mkdir(exist_ok=True)
    (safe / f"MTD_MSIL{level}.xml").write_text(text)
    return safe


def write_level_2(own: OwnRegion, offset: int | None = -1000) -> Path:
    """A .SAFE folder of level 2A: bands of 10 m stand in R20m as well, coarser, with products."""
    safe = write_product(own, "2A", offset)
    data = safe / "GRANULE" / f"L2A_T{TILE}_A041477_{TIME}" / "IMG_DATA"
    for band in ("B02", "B03", "B04", "B08"):
        fine = numbers(own, band)
        write_band(own, data / "R10m" / f"T{TILE}_{TIME}_{band}_10m.tif", fine)
        write_band(own, data / "R20m" / f"T{TILE}_{TIME}_{band}_20m.tif", fine[::2, ::2] * 0 + 7)
    write_band(own, data / "R20m" / f"T{TILE}_{TIME}_B05_20m.tif", numbers(own, "B05"))
    for product in ("AOT", "WVP"):
        name = f"T{TILE}_{TIME}_{product}_10m.tif"
        write_band(own, data / "R10m" / name, numbers(own, "B02"))
    write_band(own, data / "R20m" / f"T{TILE}_{TIME}_SCL_20m.tif", classes(own))
    return safe


def classes(own: OwnRegion) -> NDArray[np.uint8]:
    """SCL in 20 m: vegetation, a cloud over one chip, thin cirrus over a tenth of another."""
    found = np.full((50 * own.rows, 50 * own.columns), 4, dtype=np.uint8)
    found[:50, :50] = 9
    found[50:60, 50:75] = 10
    return found


def on_pixels(pixels: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Bilinear interpolation to pixels ``side`` times finer, the outermost held at edges."""
    values = pixels.astype(np.float64)
    for axis in (0, 1):
        middles = (np.arange(values.shape[axis] * side) + 0.5) / side - 0.5
        known = np.arange(values.shape[axis])
        values = np.apply_along_axis(lambda line: np.interp(middles, known, line), axis, values)  # noqa: B023
    return values
