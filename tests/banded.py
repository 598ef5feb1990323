"""A made region seen by other sensors: bands and an embedding, worked out of its colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from regions import write_region

import llpbench
from llpbench.data.imagery import EMBEDDING, IMAGE, Band, Coding, Imagery
from llpbench.data.region import ChipBlock, PixelReader, Region
from llpbench.data.synthetic import synthesize

SENTINEL2 = Imagery(
    (
        Band("B2", "blue", 492.4),
        Band("B3", "green", 559.8),
        Band("B4", "red", 664.6),
        Band("B8", "nir", 832.8, "near infrared"),
    ),
    "uint16",
    Coding(scale=1e-4, offset=-0.1, missing=0),
    "Sentinel-2 L2A",
)
RADAR = Imagery((Band("VV", "vv"), Band("VH", "vh")), "float32", Coding(), "Sentinel-1 GRD")
ALPHAEARTH = Imagery(
    tuple(Band(f"A{number:02}") for number in range(64)),
    "int8",
    Coding(scale=1 / 127.5, power=2, missing=-128),
    "AlphaEarth Foundations, 2024",
)
TESSERA = Imagery(
    tuple(Band(str(number)) for number in range(128)), "int8", Coding(by_cell=True), "TESSERA v1"
)
_NEAR_INFRARED = np.array([-0.3, 1.4, -0.2])


@dataclass(frozen=True)
class Sensors:
    """What sensors see of chips of red, green and blue; picklable, as a source must be."""

    read: PixelReader
    images: dict[str, Imagery]

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        """Read chips given by id, in that order."""
        block = self.read(chips)
        assert block.image is not None
        colours = block.image.astype(np.float32)
        seen = {name: _see(colours, name, imagery) for name, imagery in self.images.items()}
        scale = None
        if any(imagery.coding.by_cell for imagery in self.images.values()):
            scale = np.full((len(chips), 24, 24), 1 / 127, dtype=np.float32)
        return replace(block, **{IMAGE: None, **seen}, embedding_scale=scale)


def _see(colours: np.ndarray, array: str, imagery: Imagery) -> np.ndarray:
    """Stored numbers of bands or cells, all of them mixtures of red, green and blue."""
    if array == EMBEDDING:
        cells = colours[:, 2:98, 2:98].reshape(len(colours), 24, 4, 24, 4, 3).mean(axis=(2, 4))
        mixing = np.random.default_rng(0).normal(size=(3, len(imagery.bands)))
        values = np.tanh((cells / 128 - 1) @ mixing / 2)
        coding = replace(imagery.coding, by_cell=False)
        coding = replace(coding, scale=1 / 127) if imagery.coding.by_cell else coding
        return coding.encode(values, imagery.dtype)
    if imagery.dtype == "float32":  # decibels
        light = colours @ np.array([0.2, 0.5, 0.3])
        return np.stack([light / 20 - 18, light / 25 - 25], axis=-1).astype(np.float32)
    infrared = np.clip(colours @ _NEAR_INFRARED, 0, 255)
    bands = [colours[..., 2], colours[..., 1], colours[..., 0], infrared]
    return imagery.coding.encode(np.stack(bands, axis=-1) / 255 * 0.3, imagery.dtype)


def banded_region(images: dict[str, Imagery], chips: int = 40, seed: int = 1) -> Region:
    """Make a region of the demo's kind with other images."""
    region = synthesize("esaworldcover", chips=chips, seed=seed)
    return replace(region, read=Sensors(region.read, images), images=images)


def banded_dataset(folder: Path, images: dict[str, Imagery], chips: int = 40) -> xr.Dataset:
    """Store such a region, and open it."""
    write_region(banded_region(images, chips), folder, synthetic=True)
    return llpbench.open_dataset(folder)


BOTH = {IMAGE: SENTINEL2, EMBEDDING: ALPHAEARTH}
