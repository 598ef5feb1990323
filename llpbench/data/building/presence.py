"""How much of each chip an image has, from its outline or by a look at all pixels."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.crew import Crew
from llpbench.data.building.image_layer import ImageLayer, OpenImage
from llpbench.data.building.placing import Window
from llpbench.data.building.stack import OpenStack, StackLayer
from llpbench.protocol import CHIP_SIZE

_BLOCK = 10
_BANDS = 3
"""Chips along a side of what is looked at together, where it has so many bands; else fewer."""

_TASK = 400
"""Chips in a task, at most, for which files are opened once."""


@dataclass(frozen=True)
class Looking:
    """Who looks at pixels, and whether a progress bar is shown meanwhile."""

    crew: Crew
    progress: bool


def share_present(
    rows: NDArray[np.int64], columns: NDArray[np.int64], image: ImageLayer, looking: Looking
) -> NDArray[np.float64]:
    """Share of the pixels of chips, by their rows and columns, that an image has."""
    outline = image.outline
    if outline is not None:
        return _covered(rows, columns, outline)
    return _look(rows, columns, image, _is_present, looking)


def share_clear(
    rows: NDArray[np.int64], columns: NDArray[np.int64], image: StackLayer, looking: Looking
) -> NDArray[np.float64]:
    """Share of the pixels of chips that its classes do not hide."""
    return _look(rows, columns, image, OpenStack.is_clear, looking)


def _covered(
    rows: NDArray[np.int64], columns: NDArray[np.int64], outline: Any
) -> NDArray[np.float64]:
    """Share of each chip that lies in an outline, in columns and rows of pixels."""
    import shapely

    shapely.prepare(outline)
    column, row = columns * CHIP_SIZE, rows * CHIP_SIZE
    boxes = shapely.box(column, row, column + CHIP_SIZE, row + CHIP_SIZE)
    share = shapely.covers(outline, boxes).astype(np.float64)
    outside = share == 0
    share[outside] = shapely.area(shapely.intersection(boxes[outside], outline)) / CHIP_SIZE**2
    return share


def _look(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    image: ImageLayer,
    tell: Callable[[Any, Window], NDArray[np.bool_]],
    looking: Looking,
) -> NDArray[np.float64]:
    """Share of the pixels of each chip that are there, as something tells, block by block."""
    from tqdm import tqdm

    chips = max(1, int(_BLOCK * (_BANDS / max(image.bands, _BANDS)) ** 0.5))
    blocks, member = np.unique(np.stack([rows, columns]) // chips, axis=1, return_inverse=True)
    tasks = np.array_split(blocks.T, max(1, -(-blocks.shape[1] * chips**2 // _TASK)))
    shares = looking.crew.share_out(_Look(image, chips, tell), tasks, threads=os.cpu_count() or 1)
    found = []
    disable = None if looking.progress else True
    with tqdm(total=blocks.shape[1], unit="block", desc="looking", disable=disable) as bar:
        for share in shares:
            found.append(share)
            bar.update(len(share))
    return np.concatenate(found)[member.ravel(), rows % chips, columns % chips]


def _is_present(opened: OpenImage, window: Window) -> NDArray[np.bool_]:
    return opened.is_present(window)


@dataclass(frozen=True)
class _Look:
    """A look at some blocks; picklable."""

    image: ImageLayer
    chips: int
    tell: Callable[[Any, Window], NDArray[np.bool_]]

    def __call__(self, blocks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share of the pixels that are there, (block, row of chips, column of chips)."""
        side, shape = self.chips * CHIP_SIZE, (self.chips, CHIP_SIZE, self.chips, CHIP_SIZE)
        share = np.empty((len(blocks), self.chips, self.chips))
        with self.image.open() as opened:
            for number, (row, column) in enumerate(blocks.tolist()):
                there = self.tell(opened, Window(row * side, column * side, side, side))
                share[number] = there.reshape(shape).mean(axis=(1, 3))
        return share
