"""New images with the bands, types and codings of those that a method was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from llpbench.data.imagery import IMAGE, RGB_ONLY, Imagery
from llpbench.data.region import ChipBlock, PixelReader, Region
from llpbench.errors import BuildError, examples
from llpbench.runs.record import RunRecord


@dataclass(frozen=True)
class RecodedPixels:
    """Reads chips whose image is stored otherwise, as another one is; picklable."""

    read: PixelReader
    found: Imagery
    wanted: Imagery

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        """Read chips given by id, in that order."""
        block = self.read(chips)
        assert block.image is not None
        values = self.found.coding.decode(block.image)
        wanted = self.wanted
        if wanted.dtype != "float32" and wanted.coding.missing is None and np.isnan(values).any():
            raise BuildError(
                "the new image has missing pixels, and the images trained on had no number that "
                "stands for them: leave such chips out with --max-missing 0"
            )
        return replace(block, image=wanted.coding.encode(values, wanted.dtype))


def recode(region: Region, record: RunRecord) -> tuple[Region, list[str]]:
    """Make a region's images those of the bands trained on, which they were found to be.

    Bands have the names that they had in training. Values stay what they are, stored as in
    training; where bytes were made of them by a scale, bytes stay as they are.

    Raises
    ------
    BuildError
        If there are more bands or fewer.
    """
    if record.recipe is None:
        return region, []
    known = RGB_ONLY if record.images is None else record.images
    _check_count(region.images, known)
    renamed = replace(region, images=known)
    found, wanted = region.images.get(IMAGE), known.get(IMAGE)
    if found is None or wanted is None or record.recipe.limits is not None:
        return renamed, []
    if (found.dtype, found.coding) == (wanted.dtype, wanted.coding):
        return renamed, []
    remark = "numbers of the new image were stored like those trained on, to mean the same values"
    return replace(renamed, read=RecodedPixels(region.read, found, wanted)), [remark]


def _check_count(found: Mapping[str, Imagery], known: Mapping[str, Imagery]) -> None:
    for array, imagery in known.items():
        here, there = (found[array].names, imagery.names)
        if len(here) != len(there):
            raise BuildError(
                f"the new {array} has {len(here)} bands ({examples(here)}), trained on "
                f"{len(there)} ({examples(there)}): give the same bands"
            )
