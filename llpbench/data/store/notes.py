"""What is remembered of each written block, so that an interrupted run can go on after it."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.location.base import NOTES, Location
from llpbench.data.region import ChipBlock
from llpbench.data.store.digest import plain_bytes

_HASH = "hash_"
_LARGEST = 2**24


@dataclass(frozen=True)
class Note:
    """The facts of one block.

    Parameters
    ----------
    hashes : dict of str to str
        SHA-256 of its pixels and cells, by the name of the array.
    proportions : ndarray of float32, shape (chip, category)
        Class shares counted on each chip's label; NaN where it has none.
    stated_difference : ndarray of float32, shape (chip,)
        Largest difference over classes between the target that the source states for a chip
        and ours; NaN where the source states none.
    """

    hashes: Mapping[str, str]
    proportions: NDArray[np.float32]
    stated_difference: NDArray[np.float32]


@dataclass
class Noting:
    """Hashes and counts what a block holds, part by part: a block of many bands is large."""

    _hashes: dict[str, Any] = field(default_factory=dict)
    _proportions: list[NDArray[np.float32]] = field(default_factory=list)
    _differences: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, part: ChipBlock, target: NDArray[np.float32]) -> None:
        """Take the next chips, and their targets, shape (chip, category)."""
        from llpbench.metrics import proportions_from_segmentation

        for name, values in part.arrays.items():
            self._hashes.setdefault(name, hashlib.sha256()).update(plain_bytes(values))
        difference = np.full(len(target), np.nan, dtype=np.float32)
        if part.stated_target is not None:
            difference = np.abs(part.stated_target - target).max(axis=1).astype(np.float32)
        shares = proportions_from_segmentation(part.label, target.shape[1])
        self._proportions.append(shares.astype(np.float32))
        self._differences.append(difference)

    def note(self) -> Note:
        """What was found."""
        return Note(
            hashes={name: hashing.hexdigest() for name, hashing in self._hashes.items()},
            proportions=np.concatenate(self._proportions),
            stated_difference=np.concatenate(self._differences),
        )


def write_note(location: Location, block: int, note: Note) -> None:
    """Write the note of a block, an ``.npz``, in one step: a note that is there is whole."""
    content: dict[str, Any] = {f"{_HASH}{name}": text for name, text in note.hashes.items()}
    file = BytesIO()
    np.savez(
        file,
        proportions=note.proportions,
        stated_difference=note.stated_difference,
        **content,
    )
    location.put(_name(block), file.getvalue())


def read_note(location: Location, block: int) -> Note | None:
    """Read the note of a block; None where there is none that can be read."""
    try:
        file = BytesIO(location.read(_name(block), _LARGEST))
        with np.load(file, allow_pickle=False) as content:
            names = [name for name in content if name.startswith(_HASH)]
            return Note(
                hashes={name.removeprefix(_HASH): str(content[name]) for name in names},
                proportions=content["proportions"],
                stated_difference=content["stated_difference"],
            )
    except (FileNotFoundError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None


def _name(block: int) -> str:
    return f"{NOTES}/{block:06d}.npz"
