"""The chips of the small region as other sensors and an embedding would see them; only read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import xarray as xr
from small_region import CATEGORIES, small_region

from llpbench.data.imagery import DIMS, EMBEDDING, EMBEDDING_SCALE, IMAGE, Coding

SENTINEL2 = Coding(scale=1e-4, offset=-0.1, missing=0)
SENTINEL1 = Coding()
ALPHAEARTH = Coding(scale=1 / 127.5, power=2, missing=-128)
TESSERA = Coding(by_cell=True)


@cache
def sentinel2(chips: int = 24, seed: int = 0) -> xr.Dataset:
    """13 bands of reflectance, as uint16 from which .1 is taken away."""
    return _seen(chips, seed, 13, SENTINEL2, "uint16", low=0.02, high=0.6)


@cache
def sentinel1(chips: int = 24, seed: int = 0) -> xr.Dataset:
    """Two bands of backscatter in dB, as float32; a chip in four has a gap."""
    ds = _seen(chips, seed, 2, SENTINEL1, "float32", low=-25.0, high=0.0)
    image = ds[IMAGE].to_numpy()
    image[::4, :50] = np.nan
    return ds


@cache
def alphaearth(chips: int = 24, seed: int = 0) -> xr.Dataset:
    """An embedding of 16 features alone, as int8 on a scale of squares; some cells are missing."""
    ds = _cells(chips, seed, ALPHAEARTH, "int8")
    ds[EMBEDDING].to_numpy()[0, :5] = -128
    return ds


@cache
def tessera(chips: int = 24, seed: int = 0) -> xr.Dataset:
    """An embedding of 16 features alone, as int8 times a scale of each cell."""
    ds = _cells(chips, seed, replace(TESSERA, scale=1.0, by_cell=False), "float32")
    values = 20 * ds[EMBEDDING]
    scale = abs(values).max("feature") / 127
    ds = ds.assign({EMBEDDING: (values / scale).round().astype(np.int8)})
    ds[EMBEDDING].attrs = TESSERA.attributes()
    return ds.assign({EMBEDDING_SCALE: scale.astype(np.float32)})


def _values(ds: xr.Dataset, seed: int, bands: int, low: float, high: float) -> np.ndarray:
    """What classes look like in each band, from ``low`` to ``high``, and noise of each pixel."""
    looks = np.random.default_rng(bands).uniform(low, high, (CATEGORIES, bands))
    noise = np.random.default_rng(seed).normal(size=(*ds["label"].shape, bands))
    return looks[ds["label"].to_numpy()] + 0.05 * (high - low) * noise


def _seen(
    chips: int, seed: int, bands: int, coding: Coding, dtype: str, *, low: float, high: float
) -> xr.Dataset:
    ds = small_region(chips, seed)
    stored = coding.encode(_values(ds, seed, bands, low, high), dtype)
    names = [f"B{number}" for number in range(bands)]
    return (
        ds.drop_vars(["image", "band"])
        .assign({IMAGE: (DIMS[IMAGE], stored, coding.attributes())})
        .assign_coords(band=names)
    )


def _cells(chips: int, seed: int, coding: Coding, dtype: str) -> xr.Dataset:
    ds = small_region(chips, seed)
    values = _values(ds, seed, 16, -0.4, 0.4)[:, 2:98, 2:98]
    pooled = values.reshape(chips, 24, 4, 24, 4, 16).mean(axis=(2, 4))
    stored = coding.encode(pooled, dtype)
    return (
        ds.drop_vars(["image", "band"])
        .assign({EMBEDDING: (DIMS[EMBEDDING], stored, coding.attributes())})
        .assign_coords(feature=[f"A{number:02}" for number in range(16)])
    )
