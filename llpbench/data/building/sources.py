"""What a recipe names, read or opened: the table before any image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from llpbench.data.building.bands import choose_label_band
from llpbench.data.building.classes import say_ignored_scale
from llpbench.data.building.embedding_file import EmbeddingFile
from llpbench.data.building.embedding_files import inspect_embeddings
from llpbench.data.building.images import open_images
from llpbench.data.building.kept import Kept, choose_numbers
from llpbench.data.building.known import Known, read_known
from llpbench.data.building.raster_file import RasterFile, inspect_rasters
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.stack import BandStack
from llpbench.data.building.stretch import Stretch


@dataclass(frozen=True)
class Sources:
    """What is known of divisions; images, how their numbers are stored, embeddings, labels."""

    known: Known
    images: BandStack | None
    numbers: Stretch | Kept | None
    labels: Sequence[RasterFile]
    embeddings: Sequence[EmbeddingFile] = ()

    @property
    def rasters(self) -> Sequence[RasterFile]:
        """Files by which the grid is laid: images, or the embedding where there is nothing else."""
        if self.images is not None:
            return self.images.finest
        return [file.raster for file in self.embeddings]


def read_sources(recipe: Recipe) -> tuple[Sources, list[str]]:
    """Read tables and outlines, and look at rasters; also say what was decided and mended."""

    @cache
    def open_labels() -> list[RasterFile]:
        return choose_label_band(inspect_rasters(recipe.labels), recipe.label_band)

    known = read_known(recipe, open_labels)
    remarks = [*known.remarks]
    images, numbers = None, None
    if recipe.has_images:
        images, chosen = open_images(recipe, known.outlines)
        numbers, stored = choose_numbers(images, recipe.scale)
        remarks += [*chosen, *stored]
    embeddings, taken = inspect_embeddings(
        recipe.embeddings, recipe.embedding_coding, recipe.embedding_origin
    )
    labels = open_labels()
    remarks += [*taken, *say_ignored_scale(labels, known.legend)]
    return Sources(known, images, numbers, labels, embeddings), remarks
