"""The pixels of a made region, any chips at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.region import ChipBlock
from llpbench.data.synthetic.imagery import render
from llpbench.data.synthetic.landcover import LandCover, find_land_cover
from llpbench.data.synthetic.noise import PixelGrid
from llpbench.data.synthetic.places import decode
from llpbench.data.synthetic.population import find_population
from llpbench.errors import UnknownNameError
from llpbench.protocol import CHIP_SIZE

_BLOCK: Final = 16
"""Chips made at once: their fields stay in the processor's cache."""


@dataclass(frozen=True)
class SyntheticReader:
    """Makes the pixels of chips from their ids alone; picklable.

    A chip's pixels depend on the seed and its place only, not on what it is read with; and its
    image does not depend on the label set, ``"esaworldcover"`` or ``"humanpop"``.
    """

    label_set: str
    seed: int

    def __call__(self, chip_ids: Sequence[str]) -> ChipBlock:
        """Make chips given by id, in that order."""
        places = decode(chip_ids, self.seed)
        image = np.empty((len(places), CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
        label = np.empty((len(places), CHIP_SIZE, CHIP_SIZE), dtype=np.uint8)
        for start in range(0, len(places), _BLOCK):
            block = slice(start, start + _BLOCK)
            grid = PixelGrid(places[block])
            cover = find_land_cover(self.seed, grid)
            image[block] = render(self.seed, grid, cover)
            label[block] = self._label(grid, cover)
        return ChipBlock(label, image)

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
