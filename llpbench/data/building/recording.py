"""What was done to a region's images, written down."""

from __future__ import annotations

from llpbench._version import __version__
from llpbench.data.building.area import Area
from llpbench.data.building.classes import cell_side
from llpbench.data.building.legend import Legend
from llpbench.data.building.raster_file import RasterFile, common_scale
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.sources import Sources
from llpbench.data.building.stack import StackLayer
from llpbench.data.building.stretch import Stretch
from llpbench.data.recipe import FileBand, ImageRecipe

_MOST_FILES = 100


def record_images(
    recipe: Recipe, sources: Sources, image: StackLayer, area: Area, legend: Legend
) -> ImageRecipe:
    """Write down how images became chips; bands and tags are those of the first file."""
    files, first = sources.images.files, sources.images.finest[0]
    scale, offset = common_scale(files) or (1.0, 0.0)
    low = high = None
    if isinstance(sources.numbers, Stretch):
        limits = (number * scale + offset for number in (sources.numbers.low, sources.numbers.high))
        low, high = (float(f"{value:.12g}") for value in limits)
    bands = sources.images.bands
    nodata = first.bands[0].nodata
    return ImageRecipe(
        files=tuple(file.path.name for file in files[:_MOST_FILES]),
        bands=tuple(FileBand(band.number, band.shown_name) for band in bands),
        count=first.count if len(sources.images.sheets) == 1 else len(bands),
        dtype=sources.images.dtype,
        low=low,
        high=high,
        scale=first.bands[0].scale,
        offset=first.bands[0].offset,
        nodata="" if nodata is None else f"{nodata:.17g}",
        most_missing=recipe.max_missing,
        resampling=tuple(sorted({source.resampling or "none" for source in image.sources})),
        pixel_m=pixel_side(first, area),
        chip_km=recipe.side_km,
        crs=image.lattice.crs,
        crs_rule=recipe.crs_rule,
        legend=legend.name,
        llpbench_version=__version__,
        clouds=recipe.clouds,
    )


def pixel_side(file: RasterFile, area: Area) -> float:
    """Side of a file's pixels on the ground in metres, to four digits."""
    return float(f"{cell_side(file, area):.4g}")
