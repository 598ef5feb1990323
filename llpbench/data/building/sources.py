"""What a recipe names, read or opened: the table before any image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from llpbench.data.building.bands import choose_label_band
from llpbench.data.building.classes import say_ignored_scale
from llpbench.data.building.images import open_images
from llpbench.data.building.kept import Kept, choose_numbers
from llpbench.data.building.known import Known, read_known
from llpbench.data.building.raster_file import RasterFile, inspect_rasters
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.stack import BandStack
from llpbench.data.building.stretch import Stretch


@dataclass(frozen=True)
class Sources:
    """What is known of divisions; images, how their numbers are stored; labels, if any."""

    known: Known
    images: BandStack
    numbers: Stretch | Kept
    labels: Sequence[RasterFile]


def read_sources(recipe: Recipe) -> tuple[Sources, list[str]]:
    """Read tables and outlines, and look at rasters; also say what was decided and mended."""

    @cache
    def open_labels() -> list[RasterFile]:
        return choose_label_band(inspect_rasters(recipe.labels), recipe.label_band)

    known = read_known(recipe, open_labels)
    images, chosen = open_images(recipe)
    numbers, stored = choose_numbers(images, recipe.scale)
    labels = open_labels()
    ignored = say_ignored_scale(labels, known.legend)
    return Sources(known, images, numbers, labels), [*known.remarks, *chosen, *stored, *ignored]
