"""Deriving again everything a store claims: digest, shapes, shares, splits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from llpbench.data.location import Where, locate
from llpbench.data.store.digest import Part, combine, hash_blocks, plain_bytes, small_parts
from llpbench.data.store.layout import BLOCK, CHIPS, DIVISIONS, StoreInfo, files_in_block, read_info
from llpbench.data.store.pixels import describe_pixels
from llpbench.data.store.reading import open_chips, read_divisions
from llpbench.errors import StoreError

if TYPE_CHECKING:
    import xarray as xr


def verify_store(where: Where, *, progress: bool = False) -> StoreInfo:
    """Check that a store is what its ``store.json`` says, and return that."""
    location = locate(where)
    info = read_info(location)
    dataset, divisions = open_chips(location, info), read_divisions(location)
    if divisions["id"].tolist() != dataset["division"].to_numpy().tolist():
        raise StoreError(f"{location.name}: {DIVISIONS} lists other divisions than {CHIPS}")
    small = {
        str(name): variable.to_numpy()
        for name, variable in dataset.variables.items()
        if name not in describe_pixels(info.imagery)
    }
    found = combine(small_parts(small, divisions) | _pixel_parts(dataset, info, progress))
    if found != info.digest:
        raise StoreError(
            f"{location.name} is damaged or was changed: its digest should be {info.digest}, "
            f"its contents give {found}; make it again"
        )
    return info


def _pixel_parts(dataset: xr.Dataset, info: StoreInfo, progress: bool) -> dict[str, Part]:
    from tqdm import tqdm

    chips = dataset.sizes["chip"]
    hashes: dict[str, list[str]] = {name: [] for name in describe_pixels(info.imagery)}
    starts = range(0, chips, BLOCK)
    for start in tqdm(starts, desc="verifying", unit="block", disable=None if progress else True):
        for name, found in hashes.items():
            hashing = hashlib.sha256()
            for part in files_in_block(start, chips, info.imagery):
                hashing.update(plain_bytes(dataset[name][part].to_numpy()))
            found.append(hashing.hexdigest())
    return {
        name: (dataset[name].dtype.newbyteorder("<").str, dataset[name].shape, hash_blocks(found))
        for name, found in hashes.items()
    }
