"""The files of an image: sheets, each of which gives some of its bands, laid on one lattice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.band_names import find_wavelength
from llpbench.data.building.files import expand
from llpbench.data.building.image_layer import ImageLayer, Pixels
from llpbench.data.building.layer import Layer, OpenLayer, make_layer
from llpbench.data.building.opening import GDAL_OPTIONS
from llpbench.data.building.placing import Source, Window
from llpbench.data.building.raster_band import Band
from llpbench.data.building.raster_file import RasterFile, common_scale, inspect_raster
from llpbench.data.building.scenes import BandFile, Scenes, find_scenes
from llpbench.data.grid import ChipGrid

CLOUDY = (0, 1, 3, 8, 9, 10)
"""Classes of Sentinel-2's scene classification (SCL) that hide the ground: no data, saturated,
shadows of clouds, clouds of medium and high probability, thin cirrus."""


@dataclass(frozen=True)
class BandStack:
    """The files of an image.

    Parameters
    ----------
    sheets : tuple of tuple of RasterFile
        Each the files that give the same bands, in the order of their precedence: one sheet where
        files hold all bands, else one for each band.
    classification : tuple of RasterFile
        Files whose band in use is the scene classification, or another mask.
    sensor : str
        Satellite, as names of files say.
    is_rgb : bool
        Whether its bands are, or are taken for, red, green and blue.
    hides : tuple of int
        Numbers of the classification under which the ground is hidden.
    """

    sheets: tuple[tuple[RasterFile, ...], ...]
    classification: tuple[RasterFile, ...] = ()
    sensor: str = ""
    is_rgb: bool = False
    hides: tuple[int, ...] = CLOUDY

    @property
    def files(self) -> list[RasterFile]:
        """All that are read."""
        return [file for sheet in self.sheets for file in sheet]

    @property
    def bands(self) -> tuple[Band, ...]:
        """In use, as the first file of each sheet has them; of several sheets numbered anew."""
        bands = [band for sheet in self.sheets for band in sheet[0].bands]
        if len(self.sheets) == 1:
            return tuple(bands)
        return tuple(replace(band, number=number) for number, band in enumerate(bands, 1))

    @property
    def dtype(self) -> str:
        """One that holds all bands in use."""
        return np.result_type(*(np.dtype(file.dtype) for file in self.files)).name

    @property
    def name(self) -> str:
        """What it is called: its first file, and how many others there are."""
        others = len(self.files) - 1
        return self.files[0].path.name + (f" and {others:,} other files" if others else "")

    @property
    def finest(self) -> tuple[RasterFile, ...]:
        """The sheet with the smallest pixels, which chips follow."""
        return min(self.sheets, key=lambda sheet: abs(sheet[0].transform.determinant))

    def lay(self, lattice: ChipGrid, extent: Window) -> ImageLayer:
        """Lay all files on a lattice."""
        scaled = common_scale(self.files) is None
        layers = [make_layer(sheet, lattice, extent, scaled=scaled) for sheet in self.sheets]
        classes = None
        if self.classification:
            classes = make_layer(self.classification, lattice, extent, classes=True)
        return StackLayer(tuple(layers), classes, self.hides)


@dataclass(frozen=True)
class StackLayer:
    """Layers of one lattice, whose bands together are an image's; picklable.

    ``classes`` holds the scene classification by which clouds are missing, those it calls by the
    numbers ``hides``; None for no matter.
    """

    layers: tuple[Layer, ...]
    classes: Layer | None = None
    hides: tuple[int, ...] = CLOUDY

    @property
    def lattice(self) -> ChipGrid:
        """Whose cells are pixels."""
        return self.layers[0].lattice

    @property
    def sources(self) -> list[Source]:
        """Of all layers."""
        return [source for layer in self.layers for source in layer.sources]

    @property
    def bands(self) -> int:
        """How many are read."""
        return sum(layer.bands for layer in self.layers)

    @property
    def outline(self) -> Any:
        """Where all layers have pixels, in columns and rows; None where the files must be read."""
        import shapely

        if self.classes is not None or any(source.outline is None for source in self.sources):
            return None
        return shapely.intersection_all(
            [shapely.union_all([part.outline for part in layer.sources]) for layer in self.layers]
        )

    @contextmanager
    def open(self) -> Iterator[OpenStack]:
        """Open the files as they are needed, for one thread; close all in the end."""
        import rasterio

        with rasterio.Env(**GDAL_OPTIONS), closing(self.open_files()) as opened:
            yield opened

    def open_files(self) -> OpenStack:
        """The same for who has set GDAL's options, and closes it."""
        classes = None if self.classes is None else OpenLayer(self.classes)
        return OpenStack([OpenLayer(layer) for layer in self.layers], classes, self.hides)


@dataclass(frozen=True)
class OpenStack:
    """Layers, some of whose files are open."""

    layers: Sequence[OpenLayer]
    classes: OpenLayer | None
    hides: tuple[int, ...]

    def read(self, window: Window) -> Pixels:
        """Read the pixels of a part of the lattice, as :meth:`OpenLayer.read`.

        A pixel is present where all layers have it, and no cloud hides it.
        """
        parts = [layer.read(window) for layer in self.layers]
        present = np.logical_and.reduce([present for _values, present in parts])
        if self.classes is not None:
            present = present & self.is_clear(window)
        return np.concatenate([values for values, _present in parts]), present

    def read_all(self, windows: Iterable[Window]) -> Iterator[Pixels]:
        """Read parts of the lattice one after the other, as :meth:`read` does."""
        return map(self.read, windows)

    def is_present(self, window: Window) -> NDArray[np.bool_]:
        """Which pixels there are; shape (row, column)."""
        return self.read(window)[1]

    def close(self) -> None:
        """Close all files."""
        for layer in (*self.layers, self.classes):
            if layer is not None:
                layer.close()

    def is_clear(self, window: Window) -> NDArray[np.bool_]:
        """Which pixels the scene classification says to show the ground; shape (row, column)."""
        assert self.classes is not None
        codes, known = self.classes.read(window)
        clear: NDArray[np.bool_] = known & ~np.isin(codes[0], self.hides)
        return clear


def open_stack(paths: Sequence[Path]) -> tuple[BandStack, list[str]]:
    """Look at the files of an image; those of one band each are put together by their names."""
    files = expand(paths)
    scenes, remarks = find_scenes(files)
    if scenes is not None:
        stack = _by_band(scenes)
        if all(len(file.bands) - (file.alpha is not None) == 1 for file in stack.files):
            return stack, remarks
    return BandStack((tuple(inspect_raster(file) for file in files),)), []


def _by_band(scenes: Scenes) -> BandStack:
    sheets = (tuple(map(_inspect, names)) for names in scenes.bands.values())
    classes = tuple(inspect_raster(name.path).select([1]) for name in scenes.classification)
    return BandStack(tuple(sheets), classes, scenes.sensor)


def _inspect(name: BandFile) -> RasterFile:
    """Look at the file of a band, which is called as the file's name says."""
    file = inspect_raster(name.path)
    if len(file.bands) - (file.alpha is not None) != 1:
        return file
    file = file.select([number for number in file.numbers if number != file.alpha])
    seen = find_wavelength(name.band, {}) if name.sensor == "Sentinel-2" else None
    band = file.bands[0]
    wavelength = seen or band.wavelength
    named = replace(band, name=name.band, role=name.role, wavelength=wavelength)
    return replace(file, bands=(named,))
