"""A block of 512 chips, which is written by one task: all its files, then a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import Imagery
from llpbench.data.location.base import PLAN, Location
from llpbench.data.region import PixelReader
from llpbench.data.store.files import encode_shard
from llpbench.data.store.layout import BLOCK, CHIPS, INFO, files_in_block
from llpbench.data.store.notes import Note, Noting, read_note, write_note
from llpbench.errors import CrewError, StoreError


@dataclass(frozen=True)
class BlockWriter:
    """Writes the block of a number and gives its note; where there is a note, that is read.

    Picklable: a worker process has it whole. Two may write the same block, which gives the same
    files.

    Parameters
    ----------
    location : Location
        Of a store that is being written.
    metadata : dict of str to bytes
        Of the arrays of pixels.
    order : list of str
        Chip ids in the order of the store.
    target : ndarray of float32, shape (chip, category)
        Of all chips.
    """

    location: Location
    read: PixelReader
    images: Mapping[str, Imagery]
    metadata: Mapping[str, bytes]
    order: list[str]
    target: NDArray[np.float32]

    def __call__(self, block: int) -> Note:
        """Write a block, or read what was noted of it."""
        note = read_note(self.location, block)
        if note is None:
            note = self._write(block)
            write_note(self.location, block, note)
        return note

    def _write(self, block: int) -> Note:
        self._look()
        noting = Noting()
        for chips in files_in_block(block * BLOCK, len(self.order), self.images):
            part = self.read(self.order[chips])
            for name, values in part.arrays.items():
                for file, content in encode_shard(self.metadata[name], chips, values):
                    self.location.put(f"{CHIPS}/{name}/{file}", content)
            noting.add(part, self.target[chips])
        return noting.note()

    def _look(self) -> None:
        """Refuse to write where nobody has begun to, or somebody has come to an end."""
        if self.location.has(PLAN):
            return
        if self.location.has(INFO):
            raise StoreError(f"another process has written {self.location} in the meantime")
        raise CrewError(
            f"a worker does not find what is written of {self.location}; workers of a cluster "
            "need a disk that all of them share, with the same paths, or an address to write to"
        )
