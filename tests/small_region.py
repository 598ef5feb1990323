"""A few chips made by hand, whose colours tell their classes: enough to train on for a moment."""

from __future__ import annotations

import numpy as np
import xarray as xr

import llpbench.data.accessor  # noqa: F401  (registers ds.llp)
from llpbench.catalog import label_set
from llpbench.data.info import DatasetInfo

CATEGORIES = 5
_COLOURS = np.array(
    [[20, 40, 160], [30, 90, 40], [170, 160, 90], [210, 190, 60], [200, 60, 60]], dtype=np.uint8
)


def small_region(chips: int = 24, seed: int = 0) -> xr.Dataset:
    """A grouped split: four chips to a division, each chip in 25 fields of one class."""
    generator = np.random.default_rng(seed)
    divisions = -(-chips // 4)
    own = np.arange(chips) // 4
    likely = generator.dirichlet(np.full(CATEGORIES, 0.5), divisions)
    fields = np.stack([generator.choice(CATEGORIES, (5, 5), p=likely[d]) for d in own])
    label = fields.repeat(20, axis=1).repeat(20, axis=2).astype(np.uint8)
    noise = generator.integers(0, 40, (chips, 100, 100, 3), dtype=np.uint8)
    counts = np.stack([(label == number).mean(axis=(1, 2)) for number in range(CATEGORIES)], axis=1)
    shares = np.stack([counts[own == d].mean(axis=0) for d in range(divisions)])
    groups = label_set("esaworldcover").groups
    return xr.Dataset(
        {
            "image": (("chip", "y", "x", "band"), _COLOURS[label] + noise),
            "label": (("chip", "y", "x"), label),
            "chip_proportions": (("chip", "category"), counts.astype(np.float32)),
            "target": (("chip", "category"), shares[own].astype(np.float32)),
            "division_proportions": (("division", "category"), shares.astype(np.float32)),
            "overlap_chip": ("overlap", np.arange(chips, dtype=np.int32)),
            "overlap_division": ("overlap", own.astype(np.int32)),
            "overlap_area": ("overlap", np.ones(chips, dtype=np.float32)),
        },
        {
            "chip": [f"chip{number}" for number in range(chips)],
            "chip_number": ("chip", np.arange(chips)),
            "division": [f"division{number}" for number in range(divisions)],
            "division_number": ("division", np.arange(divisions)),
            "category": np.arange(CATEGORIES),
            "category_name": ("category", [group.name for group in groups]),
            "band": ["red", "green", "blue"],
        },
        {**DatasetInfo("small", "small", label_set("esaworldcover")).attributes(), "grouped": 1},
    )
