"""Own regions built as a user does it, by the command, and chips put together again."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from own_region import OwnRegion, write_divisions

import llpbench
from llpbench.cli import cli
from llpbench.errors import LLPBenchError


def call(own: OwnRegion, *options: Any) -> Result:
    outlines = own.divisions().to_crs(4326)
    told = ("--labels", own.write_label(), "--chip-km", 0.1)
    told += ("--divisions", write_divisions(own.folder / "divisions.geojson", outlines))
    return CliRunner().invoke(cli, list(map(str, ("build", "mine", *told, *options))))


def build(own: OwnRegion, image: Any, *options: Any) -> tuple[xr.Dataset, str]:
    """The dataset, and what was said of it."""
    images = image if isinstance(image, list) else [image]
    done = call(own, *(part for path in images for part in ("--image", path)), *options)
    assert done.exit_code == 0, done.output
    return llpbench.open_dataset("mine"), done.stderr


def refuse(own: OwnRegion, *options: Any) -> str:
    done = call(own, *options)
    assert isinstance(done.exception, LLPBenchError), done.output
    assert not (own.folder / "cache" / "mine").exists()
    return str(done.exception)


def whole(own: OwnRegion, ds: xr.Dataset, array: Any = None) -> NDArray[Any]:
    """What chips make up, (band, row, column), by their ids alone: metres east and north / 100."""
    image = (ds["image"] if array is None else array).transpose("chip", "band", "y", "x")
    found = np.zeros((image.shape[1], 100 * own.rows, 100 * own.columns), dtype=image.dtype)
    for chip, pixels in zip(ds["chip"].to_numpy(), image.to_numpy(), strict=True):
        east, north = map(int, str(chip).split("_")[1:])
        row, column = int(own.north) - 100 * (north + 1), 100 * east - int(own.west)
        found[:, row : row + 100, column : column + 100] = pixels
    return found
