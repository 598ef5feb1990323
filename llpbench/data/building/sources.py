"""What a recipe names, read or opened: the table before any image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from llpbench.data.building.bands import choose_bands, choose_label_band
from llpbench.data.building.classes import say_ignored_scale
from llpbench.data.building.known import Known, read_known
from llpbench.data.building.raster_file import RasterFile, inspect_rasters
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.stretch import Stretch, choose_stretch


@dataclass(frozen=True)
class Sources:
    """What is known of divisions; images, how their values become bytes; labels, if any."""

    known: Known
    images: Sequence[RasterFile]
    stretch: Stretch
    labels: Sequence[RasterFile]


def read_sources(recipe: Recipe) -> tuple[Sources, list[str]]:
    """Read tables and outlines, and look at rasters; also say what was decided and mended."""

    @cache
    def open_labels() -> list[RasterFile]:
        return choose_label_band(inspect_rasters(recipe.labels), recipe.label_band)

    known = read_known(recipe, open_labels)
    images, chosen = choose_bands(inspect_rasters(recipe.images), recipe.bands)
    stretch, stretched = choose_stretch(images, recipe.scale)
    labels = open_labels()
    ignored = say_ignored_scale(labels, known.legend)
    return Sources(known, images, stretch, labels), [*known.remarks, *chosen, *stretched, *ignored]
