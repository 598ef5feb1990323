"""The pixels of chips, read from rasters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llpbench.catalog import NO_LABEL
from llpbench.data.building.kept import Kept
from llpbench.data.building.layer import Layer
from llpbench.data.building.legend import Legend
from llpbench.data.building.placing import Window
from llpbench.data.building.stack import StackLayer
from llpbench.data.building.stretch import Stretch
from llpbench.data.region import ChipBlock
from llpbench.protocol import CHIP_SIZE


@dataclass(frozen=True)
class RasterPixels:
    """Reads chips from rasters; picklable.

    ``places`` are row and column of each chip; without labels no pixel has one.
    """

    places: Mapping[str, tuple[int, int]]
    image: StackLayer
    numbers: Stretch | Kept
    label: Layer | None
    legend: Legend

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        """Read chips given by id, in that order."""
        side = (CHIP_SIZE, CHIP_SIZE)
        windows = [
            Window(row * CHIP_SIZE, column * CHIP_SIZE, *side)
            for row, column in (self.places[chip] for chip in chips)
        ]
        by_place = sorted(range(len(chips)), key=lambda n: (windows[n].row, windows[n].column))
        image = np.empty((len(chips), *side, self.image.bands), dtype=self.numbers.dtype)
        with self.image.open() as layer:
            for number in by_place:
                stored, present = layer.read(windows[number])
                image[number] = np.moveaxis(self.numbers.store(stored, present), 0, -1)
        label = np.full((len(chips), *side), NO_LABEL, dtype=np.uint8)
        if self.label is not None:
            with self.label.open() as layer:
                for number in by_place:
                    codes, present = layer.read(windows[number])
                    label[number][present] = self.legend.classify(codes[0][present])
        return ChipBlock(label, image)
