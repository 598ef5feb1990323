"""What was done to a region's images, written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llpbench._version import __version__
from llpbench.data.building.area import Area
from llpbench.data.building.classes import cell_side
from llpbench.data.building.embedding_file import EmbeddingFile
from llpbench.data.building.image_layer import ImageLayer
from llpbench.data.building.item_stack import ItemStack
from llpbench.data.building.kept import Kept
from llpbench.data.building.legend import Legend
from llpbench.data.building.raster_file import RasterFile, common_scale
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.sources import Sources
from llpbench.data.building.stack import CLOUDY, BandStack
from llpbench.data.building.stretch import Stretch
from llpbench.data.recipe import CompositeRecipe, EmbeddingRecipe, FileBand, ImageRecipe

_MOST_FILES = 100


def record_region(
    recipe: Recipe,
    sources: Sources,
    image: ImageLayer | None,
    area: Area,
    legend: Legend,
    crs: str,
) -> ImageRecipe:
    """Write down how images and embeddings became chips; ``crs`` is the grid's."""
    plain = ImageRecipe(
        files=(),
        bands=(),
        count=0,
        dtype="",
        scale=1,
        offset=0,
        nodata="",
        most_missing=recipe.max_missing,
        resampling=(),
        pixel_m=pixel_side(sources.rasters[0], area),
        chip_km=recipe.side_km,
        crs=crs,
        crs_rule=recipe.crs_rule,
        legend=legend.name,
        llpbench_version=__version__,
        clouds=recipe.clouds,
        embedding=record_embedding(sources.embeddings),
    )
    if image is None or sources.images is None:
        return plain
    return _with_images(plain, sources.images, sources.numbers, image)


def _with_images(
    plain: ImageRecipe, images: BandStack, numbers: Stretch | Kept | None, image: ImageLayer
) -> ImageRecipe:
    """Add images; bands and tags are those of the first file."""
    files, first = images.files, images.finest[0]
    scale, offset = common_scale(files) or (1.0, 0.0)
    low = high = None
    if isinstance(numbers, Stretch):
        limits = (number * scale + offset for number in (numbers.low, numbers.high))
        low, high = (float(f"{value:.12g}") for value in limits)
    bands = images.bands
    nodata = first.bands[0].nodata
    composite = record_composite(images) if isinstance(images, ItemStack) else None
    return replace(
        plain,
        files=() if composite else tuple(file.path.name for file in files[:_MOST_FILES]),
        bands=tuple(FileBand(band.number, band.shown_name) for band in bands),
        count=first.count if len(images.sheets) == 1 else len(bands),
        dtype=images.dtype,
        low=low,
        high=high,
        scale=first.bands[0].scale,
        offset=first.bands[0].offset,
        nodata="" if nodata is None else f"{nodata:.17g}",
        resampling=tuple(sorted({source.resampling or "none" for source in image.sources})),
        composite=composite,
    )


def record_composite(images: ItemStack) -> CompositeRecipe:
    """Write down which items became the image, and what was hidden in them."""
    days = [item.day for item in images.items if item.day]
    return CompositeRecipe(
        items=tuple(item.id for item in images.items[:_MOST_FILES]),
        count=len(images.items),
        first=days[0] if days else "",
        last=days[-1] if days else "",
        mask=images.mask,
        hidden=CLOUDY if images.mask and images.hides == CLOUDY else (),
    )


def record_embedding(files: Sequence[EmbeddingFile]) -> EmbeddingRecipe | None:
    """Write down what an embedding is; None where there is none."""
    if not files:
        return None
    first = files[0]
    return EmbeddingRecipe(
        files=tuple(file.name for file in files[:_MOST_FILES]),
        model=first.origin.model,
        version=first.origin.version,
        year=first.origin.year,
        features=len(first.raster.bands),
        dtype=first.raster.dtype,
        coding=first.coding,
    )


def pixel_side(file: RasterFile, area: Area) -> float:
    """Side of a file's pixels on the ground in metres, to four digits."""
    return float(f"{cell_side(file, area):.4g}")
