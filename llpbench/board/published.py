"""Whether a dataset on this machine is all of the published one whose name it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llpbench import catalog
from llpbench.errors import BoardError

if TYPE_CHECKING:
    import xarray as xr


def check_whole(ds: xr.Dataset) -> None:
    """Refuse part of a published dataset, or another one of its name, before a board is about it.

    Datasets that the catalog does not publish pass.

    Raises
    ------
    BoardError
        If it has other numbers of chips, in all or in a split, than were published.
    """
    name = ds.llp.info.name
    entry = catalog.load().datasets.get(name)
    if entry is None or entry.record is None:
        return
    split = ds["split"].to_numpy()
    published = {"in all": entry.chips, **entry.splits.get("split", {})}
    found = {part: int((split == part).sum()) for part in published} | {"in all": split.size}
    for part, chips in published.items():
        if found[part] != chips:
            raise BoardError(
                f"{name!r} was published with {chips:,} chips {part}, this one has "
                f"{found[part]:,}: download it without --chips, or give this dataset a name of "
                "its own; if the archive of the record has these, correct catalog.toml"
            )
