"""What a store is written from: tables in memory, pixels read block by block.

An archive, a synthetic region and a user's rasters all become a :class:`Region`; the store
writer knows nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import EMBEDDING, EMBEDDING_SCALE, IMAGE, RGB_ONLY, Imagery

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from llpbench.catalog import DatasetEntry, LabelSet
    from llpbench.data.grid import ChipGrid
    from llpbench.data.recipe import ImageRecipe


@dataclass(frozen=True)
class ChipBlock:
    """Pixels of some chips, in the order they were asked for.

    Parameters
    ----------
    label : ndarray of uint8, shape (chip, 100, 100)
        Label class numbers; 255 where there is none.
    image : ndarray, shape (chip, 100, 100, band), or None
        Stored numbers: red, green, blue from 0 to 255, or what the region's ``images`` say.
    embedding : ndarray, shape (chip, 24, 24, feature), or None
        Stored numbers of cells.
    embedding_scale : ndarray of float32, shape (chip, 24, 24), or None
        Of each cell, where its coding has one; NaN where the cell is missing.
    stated_target : ndarray of float64, shape (chip, category), or None
        The mix of division proportions that the source itself states for each chip, NaN where
        it states none; None where the source states no mixes.
    """

    label: NDArray[np.uint8]
    image: NDArray[Any] | None = None
    embedding: NDArray[Any] | None = None
    embedding_scale: NDArray[np.float32] | None = None
    stated_target: NDArray[np.float64] | None = None

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Those that there are, by the names that they have in a dataset."""
        names = (IMAGE, EMBEDDING, EMBEDDING_SCALE, "label")
        return {name: array for name in names if (array := getattr(self, name)) is not None}


PixelReader: TypeAlias = Callable[[Sequence[str]], ChipBlock]
"""Chip ids to their pixels; picklable, so that worker processes can call it."""


@dataclass(frozen=True)
class Region:
    """A source of chips and divisions.

    Parameters
    ----------
    chips : GeoDataFrame
        Indexed by chip id, with ``split`` (by division) and ``split_chip``, each one of train,
        val and test, and the chip's outline in EPSG:4326.
    divisions : GeoDataFrame
        Indexed by division id, with ``name`` and the outline in EPSG:4326.
    division_proportions : ndarray of float64, shape (division, category)
        Shares of the label classes in each division, in the order of ``divisions``.
    grid : ChipGrid, optional
        What the chips stand on, where it is known.
    overlaps : DataFrame, optional
        ``chip`` and ``division`` (positions in the tables) and ``area`` (km²) of each pair that
        overlaps, where the source knows that better than the outlines in degrees tell.
    origin : DatasetEntry, optional
        The dataset of the catalog that the source says it is, or is part of.
    recipe : ImageRecipe, optional
        How images became the chips' bytes, where that is known.
    images : mapping
        What ``image`` and ``embedding`` hold, those of them that there are.
    """

    label_set: LabelSet
    chips: gpd.GeoDataFrame
    divisions: gpd.GeoDataFrame
    division_proportions: NDArray[np.float64]
    read: PixelReader
    grid: ChipGrid | None = None
    overlaps: pd.DataFrame | None = None
    origin: DatasetEntry | None = None
    recipe: ImageRecipe | None = None
    images: Mapping[str, Imagery] = field(default_factory=lambda: RGB_ONLY)
