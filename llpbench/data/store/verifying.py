"""Deriving again everything a store claims: digest, shapes, shares, splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.data.store.digest import Part, combine, hash_array, hash_blocks, small_parts
from llpbench.data.store.layout import CHIPS, DIVISIONS, SHARD, StoreInfo, read_info
from llpbench.data.store.reading import PIXELS, open_chips, read_divisions
from llpbench.errors import StoreError

if TYPE_CHECKING:
    import xarray as xr


def verify_store(path: Path, *, progress: bool = False) -> StoreInfo:
    """Check that a store is what its ``store.json`` says, and return that."""
    info = read_info(path)
    dataset, divisions = open_chips(path, info), read_divisions(path)
    if divisions["id"].tolist() != dataset["division"].to_numpy().tolist():
        raise StoreError(f"{path.name}: {DIVISIONS} lists other divisions than {CHIPS}")
    small = {
        str(name): variable.to_numpy()
        for name, variable in dataset.variables.items()
        if name not in PIXELS
    }
    found = combine(small_parts(small, divisions) | _pixel_parts(dataset, progress))
    if found != info.digest:
        raise StoreError(
            f"{path.name} is damaged or was changed: its digest should be {info.digest}, "
            f"its contents give {found}; make it again"
        )
    return info


def _pixel_parts(dataset: xr.Dataset, progress: bool) -> dict[str, Part]:
    from tqdm import tqdm

    starts = range(0, dataset.sizes["chip"], SHARD)
    hashes: dict[str, list[str]] = {pixels: [] for pixels in PIXELS}
    for start in tqdm(starts, desc="verifying", unit="shard", disable=None if progress else True):
        for pixels, found in hashes.items():
            found.append(hash_array(dataset[pixels][start : start + SHARD].to_numpy()))
    return {
        pixels: (dataset[pixels].dtype.str, dataset[pixels].shape, hash_blocks(found))
        for pixels, found in hashes.items()
    }
