"""A small part of a region for a first look: whole divisions of every split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from llpbench.data.geometry import equal_area, overlap_areas
from llpbench.data.region import Region
from llpbench.data.store.tables import own_divisions
from llpbench.protocol import SPLITS


def take_chips(region: Region, chips: int) -> Region:
    """Keep about so many chips, by taking whole divisions of every split.

    Divisions are taken in a random but fixed order until each split has its part of the chips,
    at least one division a split; the last one is not cut. Divisions that overlap the chips kept
    stay too, and so do their targets.
    """
    chip_outlines, outlines = region.chips.geometry, region.divisions.geometry
    projection = equal_area(chip_outlines, outlines)
    pairs = overlap_areas(chip_outlines.to_crs(projection), outlines.to_crs(projection))
    owner, _remarks = own_divisions(pairs, region)
    split = region.chips["split"].to_numpy()
    sizes = np.bincount(owner[owner >= 0], minlength=len(region.divisions))
    taken = np.zeros(len(region.divisions), dtype=bool)
    for name in SPLITS:
        here = np.unique(owner[(split == name) & (owner >= 0)])
        shuffled = np.random.default_rng(0).permutation(here)
        before = np.cumsum(sizes[shuffled]) - sizes[shuffled]
        taken[shuffled[before < chips * sizes[here].sum() / len(owner)]] = True
    kept = (owner >= 0) & taken[owner]
    taken[pairs["division"][kept[pairs["chip"]]]] = True  # neighbours that border chips reach into
    return replace(
        region,
        chips=region.chips[kept],
        divisions=region.divisions[taken],
        division_proportions=region.division_proportions[taken],
        overlaps=None,
    )
