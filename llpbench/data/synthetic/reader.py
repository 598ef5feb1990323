"""The pixels of a made region, any chips at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import EMBEDDING, IMAGE, RGB, SIDES, Imagery
from llpbench.data.region import ChipBlock
from llpbench.data.synthetic.embedding import describe_embedding, embed
from llpbench.data.synthetic.imagery import find_surface, render
from llpbench.data.synthetic.landcover import LandCover, find_land_cover
from llpbench.data.synthetic.noise import PixelGrid
from llpbench.data.synthetic.places import decode
from llpbench.data.synthetic.population import find_population
from llpbench.data.synthetic.reflectance import render_bands
from llpbench.data.synthetic.seasons import in_season
from llpbench.data.synthetic.spectra import describe
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.protocol import CHIP_SIZE

_BLOCK: Final = 16
"""Chips made at once: their fields stay in the processor's cache."""


@dataclass(frozen=True)
class SyntheticReader:
    """Makes the pixels of chips from their ids alone; picklable.

    A chip's pixels depend on the seed and its place only, not on what it is read with; and its
    image and embedding do not depend on the label set, ``"esaworldcover"`` or ``"humanpop"``, nor a
    band on how many there are.

    Parameters
    ----------
    bands, embedding : int
        Bands of images and features of embeddings; 0 for none of them.
    season : str
        One of :data:`~llpbench.data.synthetic.seasons.SEASONS`; land cover is the same in all.
    """

    label_set: str
    seed: int
    bands: int = 3
    embedding: int = 0
    season: str = "year"

    @cached_property
    def images(self) -> Mapping[str, Imagery]:
        """What ``image`` and ``embedding`` hold, those of them that there are."""
        if not (self.bands or self.embedding):
            raise LLPBenchError(
                "a synthetic region has bands, an embedding or both, found 0 and 0: choose 3 bands"
            )
        described = {
            IMAGE: describe(self.bands) if self.bands else None,
            EMBEDDING: describe_embedding(self.embedding) if self.embedding else None,
        }
        return {name: imagery for name, imagery in described.items() if imagery}

    def __call__(self, chip_ids: Sequence[str]) -> ChipBlock:
        """Make chips given by id, in that order."""
        places = decode(chip_ids, self.seed)
        arrays: dict[str, NDArray[Any]] = {
            name: np.empty(
                (len(places), SIDES[name], SIDES[name], len(imagery.bands)), dtype=imagery.dtype
            )
            for name, imagery in self.images.items()
        }
        arrays["label"] = np.empty((len(places), CHIP_SIZE, CHIP_SIZE), dtype=np.uint8)
        for start in range(0, len(places), _BLOCK):
            block = slice(start, start + _BLOCK)
            for name, made in self._make(PixelGrid(places[block])):
                arrays[name][block] = made
        return ChipBlock(**arrays)

    def _make(self, grid: PixelGrid) -> Iterator[tuple[str, NDArray[Any]]]:
        """Arrays of a few chips, one after another, with their names."""
        cover = find_land_cover(self.seed, grid)
        surface = in_season(find_surface(self.seed, grid, cover), cover, self.season)
        yield "label", self._label(grid, cover)
        if IMAGE in self.images:
            names = self.images[IMAGE].names
            image: NDArray[Any] = render(cover, surface)
            if names != RGB.names:
                image = render_bands(names, self.seed, grid, cover, surface, image)
            yield IMAGE, image
        if EMBEDDING in self.images:
            yield EMBEDDING, embed(self.images[EMBEDDING], self.seed, grid, cover, surface)

    def labels(self, grid: PixelGrid) -> NDArray[np.uint8]:
        """Label classes of pixels, without their imagery, on a grid of step 1 or 5."""
        return self._label(grid, find_land_cover(self.seed, grid))

    def _label(self, grid: PixelGrid, cover: LandCover) -> NDArray[np.uint8]:
        match self.label_set:
            case "esaworldcover":
                return cover.label
            case "humanpop":
                return find_population(self.seed, grid, cover)
            case _:
                raise UnknownNameError(
                    f"labels of a synthetic region are 'esaworldcover' or 'humanpop', "
                    f"not {self.label_set!r}"
                )
