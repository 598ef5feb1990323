"""The dataset as participants have it: a store of its own, written anew without test truth.

Nothing is taken over from the files of the full store, so that no chunk, target, digest or note of
it is left. What follows from hidden shares is computed again without them: targets of border chips
of the train and val splits are mixes of divisions that stay known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL
from llpbench.data.dataset import open_dataset
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.data.region import ChipBlock, Region
from llpbench.data.store.layout import read_info
from llpbench.data.store.pixels import describe_pixels
from llpbench.data.store.reading import read_divisions
from llpbench.data.store.writing import write_store
from llpbench.errors import ChallengeError

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

SPLIT = "test"


def write_participants(
    store: Path | str, path: Path, *, with_proportions: bool, progress: bool = False
) -> str:
    """Write what participants get of a store; the digest of that.

    Its name, title, licence and attribution stay, as do all images, outlines and overlaps, and all
    that is known of train and val. Where the full dataset comes from (DOI, name and MD5 of the
    source) is left out, for that is where its truth could be looked up.

    Parameters
    ----------
    store : Path or str
        Path or address of the full dataset.
    path : Path
        Where the new store will stand.
    with_proportions : bool
        Whether known shares of test divisions are handed out, as the disaggregation track needs;
        labels of test chips never are.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    ChallengeError
        If the chips of the new store come in another order, or to other divisions.
    """
    ds, info = open_dataset(store), read_info(store)
    region = hide_test(ds, read_divisions(store), with_proportions=with_proportions)
    report = write_store(
        region,
        path,
        **{name: getattr(info, name) for name in ("name", "title", "licence", "attribution")},
        synthetic=info.synthetic,
        progress=progress,
    )
    written = open_dataset(path)
    if any((written[name] != ds[name]).any() for name in ("chip", "own_division", "division")):
        raise ChallengeError(
            f"chips of {info.name!r} belong to other divisions when they are written anew; make "
            "the dataset again with this version of llpbench"
        )
    return report.digest


def hide_test(ds: xr.Dataset, divisions: gpd.GeoDataFrame, *, with_proportions: bool) -> Region:
    """Make a region of a dataset in which nothing is known of labels of the test split."""
    import geopandas as gpd
    import shapely

    shares = ds["division_proportions"].to_numpy().astype(np.float64)
    if not with_proportions:
        shares[~_stays_known(ds)] = np.nan
    chips = gpd.GeoDataFrame(
        {name: ds[name].to_numpy().astype(object) for name in ("split", "split_chip")},
        index=pd.Index(ds["chip"].to_numpy().astype(object), name="chip"),
        geometry=shapely.box(*ds["bounds"].to_numpy().T),
        crs=GEOGRAPHIC,
    )
    info, overlaps = ds.llp.info, {what: f"overlap_{what}" for what in ("chip", "division", "area")}
    return Region(
        label_set=info.label_set,
        chips=chips,
        divisions=divisions.set_index("id")[["name", "geometry"]],
        division_proportions=shares,
        read=_WithoutTest(info.store, tuple(describe_pixels(info.images))),
        grid=info.grid,
        overlaps=pd.DataFrame({name: ds[array].to_numpy() for name, array in overlaps.items()}),
        recipe=info.recipe,
        images=info.images,
    )


def _stays_known(ds: xr.Dataset) -> NDArray[np.bool_]:
    """Divisions that own chips of train or val; of all others, shares would tell of test chips."""
    owned = ds["own_division"].to_numpy()[ds["split"].to_numpy() != SPLIT]
    return np.isin(ds["division"].to_numpy(), owned)


@dataclass(frozen=True)
class _WithoutTest:
    """Reads pixels of a store's chips, without labels of the test split."""

    store: Path | str
    arrays: tuple[str, ...]

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        ds = _opened(self.store)
        part = (
            ds[list(self.arrays)].isel(chip=ds.indexes["chip"].get_indexer(pd.Index(chips))).load()
        )
        pixels = {name: part[name].to_numpy() for name in self.arrays}
        label = pixels.pop("label").copy()
        label[part["split"].to_numpy() == SPLIT] = NO_LABEL
        return ChipBlock(label=label, **pixels)


@cache
def _opened(store: Path | str) -> xr.Dataset:
    return open_dataset(store)
