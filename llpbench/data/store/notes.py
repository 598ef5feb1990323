"""What is remembered of each written shard, so that an interrupted run can go on after it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llpbench.data.region import ChipBlock
from llpbench.data.store.digest import hash_array
from llpbench.writing import replacing


@dataclass(frozen=True)
class Note:
    """The facts of one shard.

    Parameters
    ----------
    image_hash, label_hash : str
        SHA-256 of its pixels.
    proportions : ndarray of float32, shape (chip, category)
        Class shares counted on each chip's label; NaN where it has none.
    stated_difference : ndarray of float32, shape (chip,)
        Largest difference over classes between the target that the source states for a chip
        and ours; NaN where the source states none.
    """

    image_hash: str
    label_hash: str
    proportions: NDArray[np.float32]
    stated_difference: NDArray[np.float32]


def make_note(block: ChipBlock, target: NDArray[np.float32]) -> Note:
    """Hash and count the pixels of one shard, and compare its targets, shape (chip, category)."""
    from llpbench.metrics import proportions_from_segmentation

    difference = np.full(len(target), np.nan, dtype=np.float32)
    if block.stated_target is not None:
        difference = np.abs(block.stated_target - target).max(axis=1).astype(np.float32)
    shares = proportions_from_segmentation(block.label, target.shape[1])
    return Note(
        image_hash=hash_array(block.image),
        label_hash=hash_array(block.label),
        proportions=shares.astype(np.float32),
        stated_difference=difference,
    )


def write_note(file: Path, note: Note) -> None:
    """Write a note, an ``.npz``, in one step, so that a note that is there is whole."""
    with replacing(file) as part:
        np.savez(part, **vars(note))


def read_note(file: Path) -> Note | None:
    """Read a note; None where there is none that can be read."""
    try:
        with np.load(file, allow_pickle=False) as content:
            return Note(
                image_hash=str(content["image_hash"]),
                label_hash=str(content["label_hash"]),
                proportions=content["proportions"],
                stated_difference=content["stated_difference"],
            )
    except (FileNotFoundError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None
