"""Numbers from all over a raster file, to judge it by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.opening import GDAL_OPTIONS, open_raster, read_bands
from llpbench.data.building.raster_band import is_present
from llpbench.data.building.raster_file import RasterFile
from llpbench.errors import BuildError


def sample(file: RasterFile, side: int, *, scaled: bool = False) -> NDArray[Any]:
    """Numbers of present pixels, from at most ``side`` rows and columns all over a file.

    They are stored ones, or values if they are wanted ``scaled``.
    """
    import rasterio
    from rasterio.errors import RasterioError

    shape = (min(side, file.height), min(side, file.width))
    try:
        with rasterio.Env(**GDAL_OPTIONS), open_raster(file.path, file.driver) as source:
            values = read_bands(source, file.numbers, out_shape=shape)
            present = is_present(values, file.bands)
            if file.alpha is not None:
                present &= source.read(file.alpha, out_shape=shape) > 0
            elif file.bands[0].is_masked:
                present &= source.read_masks(file.numbers[0], out_shape=shape) > 0
    except RasterioError as error:
        raise BuildError(f"{file.path.name} cannot be read ({error})") from error
    numbers = values[:, present]
    if scaled:
        scale, offset = np.array([(band.scale, band.offset) for band in file.bands]).T
        numbers = numbers * scale[:, np.newaxis] + offset[:, np.newaxis]
    return np.asarray(numbers.ravel())
