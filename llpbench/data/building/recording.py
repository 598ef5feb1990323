"""What was done to a region's images, written down."""

from __future__ import annotations

from collections.abc import Sequence

from llpbench._version import __version__
from llpbench.data.building.area import Area
from llpbench.data.building.chips import MOST_MISSING
from llpbench.data.building.classes import cell_side
from llpbench.data.building.layer import Layer
from llpbench.data.building.legend import Legend
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.building.stretch import Stretch
from llpbench.data.recipe import Band, ImageRecipe

_MOST_FILES = 100


def record_images(
    files: Sequence[RasterFile],
    bands: Sequence[int],
    stretch: Stretch,
    image: Layer,
    area: Area,
    *,
    chip_km: float,
    crs_rule: str,
    legend: Legend,
) -> ImageRecipe:
    """Write down how images became chips; ``bands`` are those of the first file."""
    first, names = files[0], band_names(files[0])
    limits = (stored * first.scale + first.offset for stored in (stretch.low, stretch.high))
    low, high = (float(f"{value:.12g}") for value in limits)
    red, green, blue = (Band(number, names[number - 1]) for number in bands)
    return ImageRecipe(
        files=tuple(file.path.name for file in files[:_MOST_FILES]),
        bands=(red, green, blue),
        count=first.count,
        dtype=first.dtype,
        low=low,
        high=high,
        scale=first.scale,
        offset=first.offset,
        nodata="" if first.nodata is None else f"{first.nodata:.17g}",
        most_missing=MOST_MISSING,
        resampling=tuple(sorted({source.resampling or "none" for source in image.sources})),
        pixel_m=pixel_side(first, area),
        chip_km=chip_km,
        crs=image.lattice.crs,
        crs_rule=crs_rule,
        legend=legend.name,
        llpbench_version=__version__,
    )


def band_names(file: RasterFile) -> list[str]:
    """What a file calls its bands: by descriptions, else by colours, else empty."""
    import rasterio
    from rasterio.enums import ColorInterp

    silent = (ColorInterp.undefined, ColorInterp.gray)
    with rasterio.open(file.path) as source:
        return [
            text or ("" if colour in silent else colour.name)
            for text, colour in zip(source.descriptions, source.colorinterp, strict=True)
        ]


def pixel_side(file: RasterFile, area: Area) -> float:
    """Side of a file's pixels on the ground in metres, to four digits."""
    return float(f"{cell_side(file, area):.4g}")
