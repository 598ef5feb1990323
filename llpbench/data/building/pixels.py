"""The pixels of chips, read from rasters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL
from llpbench.data.building.embedding_cells import EmbeddingPixels
from llpbench.data.building.image_layer import ImageLayer
from llpbench.data.building.kept import Kept
from llpbench.data.building.layer import Layer
from llpbench.data.building.legend import Legend
from llpbench.data.building.placing import Window
from llpbench.data.building.stretch import Stretch
from llpbench.data.region import ChipBlock
from llpbench.protocol import CHIP_SIZE


@dataclass(frozen=True)
class RasterPixels:
    """Reads chips from rasters; picklable.

    ``places`` are row and column of each chip; without labels no pixel has one. There is an image,
    with what is done to its numbers, an embedding, or both.
    """

    places: Mapping[str, tuple[int, int]]
    image: ImageLayer | None
    numbers: Stretch | Kept | None
    label: Layer | None
    legend: Legend
    embedding: EmbeddingPixels | None = None

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        """Read chips given by id, in that order."""
        side = (CHIP_SIZE, CHIP_SIZE)
        windows = [
            Window(row * CHIP_SIZE, column * CHIP_SIZE, *side)
            for row, column in (self.places[chip] for chip in chips)
        ]
        by_place = sorted(range(len(chips)), key=lambda n: (windows[n].row, windows[n].column))
        image = self._read_image(windows, by_place)
        label = np.full((len(chips), *side), NO_LABEL, dtype=np.uint8)
        if self.label is not None:
            with self.label.open() as layer:
                for number in by_place:
                    codes, present = layer.read(windows[number])
                    label[number][present] = self.legend.classify(codes[0][present])
        if self.embedding is None:
            return ChipBlock(label, image)
        return ChipBlock(label, image, *self.embedding.read([self.places[chip] for chip in chips]))

    def _read_image(
        self, windows: Sequence[Window], by_place: Sequence[int]
    ) -> NDArray[Any] | None:
        if self.image is None or self.numbers is None:
            return None
        shape = (len(windows), CHIP_SIZE, CHIP_SIZE, self.image.bands)
        image = np.empty(shape, dtype=self.numbers.dtype)
        with self.image.open() as layer:
            pixels = layer.read_all([windows[number] for number in by_place])
            for number, (stored, present) in zip(by_place, pixels, strict=True):
                image[number] = np.moveaxis(self.numbers.store(stored, present), 0, -1)
        return image
