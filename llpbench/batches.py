"""Images from a store to arrays in memory, still uint8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.region import SCORE_WINDOW

if TYPE_CHECKING:
    import xarray as xr


def load_images(ds: xr.Dataset) -> NDArray[np.uint8]:
    """Read the score windows of all images, chunks in parallel.

    Parameters
    ----------
    ds : Dataset
        With ``image``.

    Returns
    -------
    ndarray of uint8, shape (chip, 96, 96, 3)
    """
    window = ds["image"].isel(y=SCORE_WINDOW, x=SCORE_WINDOW)
    return np.ascontiguousarray(window.to_numpy())


def iterate_images(
    ds: xr.Dataset, batch_size: int = 512
) -> Iterator[tuple[NDArray[np.str_], NDArray[np.uint8]]]:
    """Read the score windows of images in order, a batch at a time.

    Parameters
    ----------
    ds : Dataset
        With ``image``.
    batch_size : int
        Chips in a batch; the last one holds what is left.

    Yields
    ------
    chips : ndarray of str, shape (n,)
    images : ndarray of uint8, shape (n, 96, 96, 3)
    """
    for start in range(0, ds.sizes["chip"], batch_size):
        batch = ds[["image"]].isel(chip=slice(start, start + batch_size))
        yield batch["chip"].to_numpy(), load_images(batch)
