"""Whether new images look like those a method was trained on, before it predicts them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.appearance import Appearance, Drift, look_alike, spread_evenly
from llpbench.data.channels import RGB_CHANNELS
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.region import ChipBlock, PixelReader, Region
from llpbench.data.split_images import SplitImages
from llpbench.errors import BuildError, DriftError, UnknownNameError, unknown
from llpbench.plots.drift import draw_drift
from llpbench.plots.writing import write_figure
from llpbench.writing import discard, replacing

log = logging.getLogger(__name__)

TABLE = "drift.csv"
PICTURE = "drift.png"
MATCHES = ("none", "histogram")

_UNKNOWN = (
    "an earlier version made this run, so whether the new images look like those it was trained on "
    "cannot be told"
)


@dataclass(frozen=True)
class MatchedPixels:
    """Reads chips with other levels, shape (band, 256), for those that are stored; picklable."""

    read: PixelReader
    levels: NDArray[np.uint8]

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        """Read chips given by id, in that order."""
        block = self.read(chips)
        assert block.image is not None
        bands = [self.levels[band][block.image[..., band]] for band in range(3)]
        return replace(block, image=np.stack(bands, axis=-1))


def check_drift(
    known: Appearance | None, region: Region, match: str
) -> tuple[Region, Drift | None, list[str]]:
    """Find how far a region's images lie from those trained on, matched to them if that is wanted.

    ``known`` is None where nobody wrote down how the images trained on look.
    """
    if match not in MATCHES:
        raise UnknownNameError(unknown("way to match", match, MATCHES))
    if known is None:
        if match != "none":
            raise BuildError(
                "an earlier version made this run, which did not write down how its images "
                "looked: train it again to match new ones to them"
            )
        return region, None, [_UNKNOWN]
    found = _look_at(region, known)
    if match == "none":
        return region, known.compare(found), []
    if region.images != RGB_ONLY:
        raise BuildError(
            "--match histogram is for images of red, green and blue from 0 to 255, and this run "
            "was trained on other bands: leave it out, and mend the values of the new image"
        )
    matched = replace(region, read=MatchedPixels(region.read, found.levels_like(known)))
    remark = (
        "each band was given the distribution of values that it had in training (--match "
        f"histogram); before, {known.compare(found)}"
    )
    return matched, known.compare(_look_at(matched, known)), [remark]


def compare_dataset(known: Appearance | None, images: SplitImages) -> Drift | None:
    """Find how far images of a dataset lie from those trained on; None where that is not known."""
    if known is None:
        log.warning(_UNKNOWN)
        return None
    info = images.info
    arrays = images.look(spread_evenly(images.stored, info.images))
    return known.compare(look_alike(known, arrays, info.images))


def refuse_drift(drift: Drift, folder: Path, check: str) -> None:
    """Leave the table and the picture in a folder, and refuse to go on; what to check is said."""
    with replacing(folder) as part:
        part.mkdir(parents=True)
        write_drift(drift, part)
    raise DriftError(
        f"{drift}; see {folder / PICTURE}, then check {check}, or go on with --force",
        drift,
    )


def advise(drift: Drift, scale: tuple[float, float]) -> str:
    """Say what may be wrong with new files of which ``scale`` was tried.

    Where all bands are off alike, that is the scale that would undo it; Sentinel-2 has an offset of
    1000.
    """
    if drift.known.channels != RGB_CHANNELS:
        return "the order of bands or features, and the unit and offset of their numbers"
    tried = ""
    if drift.offset is not None:
        low, high = scale
        away = float(f"{drift.offset * (high - low) / 255:.2g}")
        tried = (
            f" (all bands are about {away:g} off alike, as an offset makes them: try --scale "
            f"{low + away:g} {high + away:g})"
        )
    return f"--bands and --scale{tried}, match them with --match histogram"


def write_drift(drift: Drift, folder: Path) -> None:
    """Write the table and the picture."""
    pd.DataFrame(drift.rows()).to_csv(folder / TABLE, index=False)
    write_figure(draw_drift(drift), folder / PICTURE)


def forget_refusal(folder: Path) -> None:
    """Remove a folder that holds nothing but what :func:`refuse_drift` left."""
    if folder.is_dir() and {path.name for path in folder.iterdir()} == {TABLE, PICTURE}:
        discard(folder)


def _look_at(region: Region, known: Appearance) -> Appearance:
    chips = region.chips.index.to_numpy()
    block = region.read(chips[spread_evenly(len(chips), region.images)].tolist())
    return look_alike(known, block.arrays, region.images)
