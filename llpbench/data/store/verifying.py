"""Deriving again everything a store claims: digest, shapes, shares, splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llpbench.data.store.digest import combine, hash_array, hash_blocks, small_parts
from llpbench.data.store.layout import CHIPS, DIVISIONS, SHARD, StoreInfo, read_info
from llpbench.errors import StoreError, examples
from llpbench.protocol import SPLITS

if TYPE_CHECKING:
    import xarray as xr

SHARE_SUM_TOLERANCE = 1e-4


def verify_store(path: Path, *, progress: bool = False) -> StoreInfo:
    """Check that a store is what its ``store.json`` says, and return that.

    Raises
    ------
    StoreError
        Naming the first thing that is wrong.
    """
    import geopandas as gpd
    import xarray as xr

    info = read_info(path)
    try:
        with xr.open_zarr(path / CHIPS, chunks=None, consolidated=False) as dataset:
            _check_shares(dataset, path.name)
            _check_splits(dataset, path.name)
            divisions = gpd.read_parquet(path / DIVISIONS)
            if divisions["id"].tolist() != dataset["division"].to_numpy().tolist():
                raise StoreError(f"{path.name}: {DIVISIONS} lists other divisions than {CHIPS}")
            small = {
                str(name): variable.to_numpy()
                for name, variable in dataset.variables.items()
                if "y" not in variable.dims
            }
            found = combine(small_parts(small, divisions) | _pixel_parts(dataset, progress))
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise StoreError(
            f"{path.name} cannot be read whole ({error!r:.200}); make it again"
        ) from error
    if found != info.digest:
        raise StoreError(
            f"{path.name} is damaged or was changed: its digest should be {info.digest}, "
            f"its contents give {found}; make it again"
        )
    if (info.chips, info.divisions) != (len(small["chip"]), len(divisions)):
        raise StoreError(
            f"{path.name} should hold {info.chips} chips and {info.divisions} divisions, it holds "
            f"{len(small['chip'])} and {len(divisions)}; make it again"
        )
    return info


def _pixel_parts(
    dataset: xr.Dataset, progress: bool
) -> dict[str, tuple[str, tuple[int, ...], str]]:
    from tqdm import tqdm

    starts = range(0, dataset.sizes["chip"], SHARD)
    hashes: dict[str, list[str]] = {"image": [], "label": []}
    for start in tqdm(starts, desc="verifying", unit="shard", disable=None if progress else True):
        for name, found in hashes.items():
            found.append(hash_array(dataset[name][start : start + SHARD].to_numpy()))
    return {
        name: (dataset[name].dtype.str, dataset[name].shape, hash_blocks(found))
        for name, found in hashes.items()
    }


def _check_shares(dataset: xr.Dataset, name: str) -> None:
    for variable in ("chip_proportions", "target", "division_proportions"):
        shares = dataset[variable].to_numpy()
        known = np.isfinite(shares).any(axis=1)
        wrong = np.abs(shares[known].sum(axis=1) - 1) > SHARE_SUM_TOLERANCE
        if not (wrong.sum() == 0 and (shares[known] >= 0).all()):
            raise StoreError(f"{name}: {wrong.sum()} rows of {variable} do not sum to 1")


def _check_splits(dataset: xr.Dataset, name: str) -> None:
    split = dataset["split"].to_numpy()
    if not np.isin(split, SPLITS).all():
        raise StoreError(f"{name}: expected splits {SPLITS}, found {examples(np.unique(split))}")
    owned = pd.DataFrame({"division": dataset["own_division"].to_numpy(), "split": split})
    counts = owned[owned["division"] != ""].groupby("division")["split"].nunique()
    if (counts > 1).any():
        raise StoreError(
            f"{name}: divisions own chips in two splits: {examples(counts.index[counts > 1])}"
        )
