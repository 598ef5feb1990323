"""A tiny region whose overlaps are known: rectangles of divisions on a grid of chips.

The grid is laid in degrees. East-west borders of divisions follow chip edges, north-south
borders cut chips at a known fraction of their width. An equal-area cylindrical projection keeps
widths in proportion, so a cut chip has exactly that share of its area on either side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from llpbench import catalog
from llpbench.data.region import ChipBlock, Region
from llpbench.data.store import WriteReport, write_store
from llpbench.protocol import CHIP_SIZE, SPLITS

WEST, SOUTH = 4.0, 50.0
WIDTH, HEIGHT = 0.014, 0.009
"""Sides of a chip in degrees: about 1 km at 50 degrees north."""


@dataclass(frozen=True)
class GridPixels:
    """Pixels of a chip from its id alone; picklable, as a source must be."""

    classes: int
    seed: int = 0
    unlabelled: frozenset[str] = frozenset()

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        label = np.stack([self.label(chip) for chip in chips])
        colour = np.random.default_rng(self.seed).integers(0, 256, (256, 3), dtype=np.uint8)
        return ChipBlock(image=colour[label] // 2 + label[..., np.newaxis] // 3, label=label)

    def label(self, chip: str) -> np.ndarray[Any, Any]:
        if chip in self.unlabelled:
            return np.full((CHIP_SIZE, CHIP_SIZE), catalog.NO_LABEL, dtype=np.uint8)
        rng = np.random.default_rng([self.seed, int(chip, 16)])
        fields = rng.integers(0, self.classes, (10, 10), dtype=np.uint8)
        return fields.repeat(10, axis=0).repeat(10, axis=1)


@dataclass(frozen=True)
class Unlabelled:
    """The images of a source, and no label."""

    read: Callable[[Sequence[str]], ChipBlock]

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        block = self.read(chips)
        return replace(block, label=np.full_like(block.label, catalog.NO_LABEL))


def chip_id(number: int) -> str:
    """13 hexadecimal digits, as the published ids; their order is not that of the grid."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:13]


def longitude(column: Any) -> Any:
    """Where a column begins, in degrees."""
    return WEST + column * WIDTH


def latitude(row: Any) -> Any:
    """Where a row begins, in degrees."""
    return SOUTH + row * HEIGHT


def make_region(
    columns: int = 8,
    rows: int = 4,
    across: int = 2,
    down: int = 2,
    *,
    cut: float = 0.25,
    outside: int = 0,
    unlabelled: int = 0,
    labels: str = "esaworldcover",
    seed: int = 0,
) -> Region:
    """A grid of ``columns`` x ``rows`` chips in ``across`` x ``down`` divisions.

    Each inner north-south border stands ``cut`` of a chip's width west of a chip's edge, so the
    chip to the west of that edge lies ``cut`` in the eastern division. ``outside`` more columns
    of chips lie east of all divisions; the first ``unlabelled`` chips have no label.
    """
    label_set = catalog.label_set(labels)
    classes = len(label_set.classes)
    column, row = np.meshgrid(np.arange(columns + outside), np.arange(rows))
    column, row = column.ravel(), row.ravel()
    ids = [chip_id(number) for number in range(column.size)]
    x, y = longitude(np.arange(columns + outside + 1)), latitude(np.arange(rows + 1))
    squares = shapely.box(x[column], y[row], x[column + 1], y[row + 1])

    wide, high = columns // across, rows // down
    owner = np.minimum(column // wide, across - 1) + across * np.minimum(row // high, down - 1)
    split = np.array(SPLITS)[owner % 3]
    random = np.random.default_rng(seed)
    return Region(
        label_set=label_set,
        chips=gpd.GeoDataFrame(
            {"split": split, "split_chip": random.permutation(split)},
            geometry=squares,
            index=ids,
            crs="EPSG:4326",
        ).rename_axis("chip"),
        divisions=_divisions(columns, rows, across, down, cut),
        division_proportions=random.dirichlet(np.full(classes, 0.5), size=across * down),
        read=GridPixels(classes, seed, frozenset(ids[:unlabelled])),
    )


def _divisions(columns: int, rows: int, across: int, down: int, cut: float) -> gpd.GeoDataFrame:
    x = np.arange(across + 1) * (columns // across) - cut
    x[0], x[-1] = 0, columns
    y = np.arange(down + 1) * (rows // down)
    y[-1] = rows
    x, y = longitude(x), latitude(y)
    boxes = [
        shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for j in range(down) for i in range(across)
    ]
    ids = [f"{number:02d}d0c0ffee0d1"[:13] for number in range(len(boxes))]
    names = [f"Division {number}" for number in range(len(boxes))]
    table = gpd.GeoDataFrame({"name": names}, geometry=boxes, index=ids, crs="EPSG:4326")
    return table.rename_axis("division")


def write_region(region: Region, path: Path, **options: Any) -> WriteReport:
    """Write a region as a store with the description every test can do with."""
    said = {"title": path.name, "licence": "CC0-1.0", "attribution": "made for a test"}
    return write_store(region, path, name=path.name, **{**said, **options})
