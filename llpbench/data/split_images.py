"""Images of a split of a store that is never in memory: some of its chips at a time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.data.dataset import describe_store
from llpbench.data.imagery import DIMS
from llpbench.data.location import locate
from llpbench.data.split_blocks import CHIPS_AT_ONCE
from llpbench.data.store.layout import CHIPS, files_of, read_info
from llpbench.data.store.pixels import describe_pixels
from llpbench.data.store.reading import check_ids, check_layout, read_later
from llpbench.data.text import fixed_width
from llpbench.data.zarr_files import open_zarr
from llpbench.data.zarr_sequence import ZarrSequence
from llpbench.errors import StoreError, UnknownNameError, examples, unknown
from llpbench.protocol import ALL, SPLITS

if TYPE_CHECKING:
    import xarray as xr


class SplitImages:
    """What methods that see images alone are shown of a split, piece by piece of the store.

    It is small however many chips there are, and can be sent to others, who open the store anew.

    Parameters
    ----------
    store : Path or str
        The folder of a store, or its address.
    split : {"train", "val", "test", "all"}
        Which of its chips.

    Attributes
    ----------
    info : DatasetInfo
        What the dataset is.
    split : str
        As it was given.
    stored : int
        Chips of the store, those of other splits among them.

    Raises
    ------
    UnknownNameError
        If there is no such split.
    StoreError
        If the store is damaged, as far as it is read.
    """

    def __init__(self, store: Path | str, split: str) -> None:
        if split not in (*SPLITS, ALL):
            raise UnknownNameError(unknown("split", split, (*SPLITS, ALL)))
        location = locate(store)
        stored = read_info(location)
        self._arrays = list(check_layout(location, stored))
        self.info, self.split = describe_store(stored, store), split
        self._location, self.stored = location / CHIPS, stored.chips
        self._imagery, (self._file, _chunk) = stored.imagery, files_of(stored.imagery)

    def cut(self, chips: int) -> list[slice]:
        """Cut the store into pieces, each with so many chips of the split, the last with the rest.

        There is none where the split has no chips.
        """
        splits, seen = ZarrSequence(self._location, "split"), 0
        starts: list[int] = []
        for start in range(0, self.stored, CHIPS_AT_ONCE):
            here = np.flatnonzero(self._belong(splits.take(CHIPS_AT_ONCE)))
            starts += (start + here[-seen % chips :: chips]).tolist()
            seen += len(here)
        return [slice(*ends) for ends in pairwise([*starts, self.stored])]

    def read(self, piece: slice) -> xr.Dataset:
        """Chips of the split in a piece of the store: their ids, and images to be read when used.

        Images and names of their bands are those of :func:`llpbench.open_dataset`.
        """
        import xarray as xr

        ids, splits = (
            ZarrSequence(self._location, name, piece.start).take(piece.stop - piece.start)
            for name in ("chip", "split")
        )
        here = self._belong(splits)
        check_ids(ids[here], "chip")
        images = {name: array[piece][here] for name, array in self._pixels().items()}
        names = {
            DIMS[array][-1]: fixed_width(imagery.names) for array, imagery in self._imagery.items()
        }
        return xr.Dataset(images, {"chip": ids[here], **names})

    def look(self, chips: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
        """Read images at some places of the store, of whatever split."""
        return {name: array[chips].to_numpy() for name, array in self._pixels().items()}

    def _belong(self, splits: NDArray[np.str_]) -> NDArray[np.bool_]:
        if strange := {*np.unique(splits).tolist()} - {*SPLITS}:
            raise StoreError(f"expected splits {SPLITS}, found {examples(sorted(strange))}")
        return np.isin(splits, SPLITS if self.split == ALL else [self.split])

    def _pixels(self) -> dict[str, xr.Variable]:
        """Images and embeddings of all chips, of which nothing is read yet."""
        ds = open_zarr(self._location, self._arrays, decode=False, without=("chip",))
        names = [name for name in describe_pixels(self._imagery) if name != "label"]
        return {name: read_later(ds[name].variable, self._file) for name in names}
