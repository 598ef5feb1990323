"""Folds of whole divisions: each of them is held out once, in the place of the test split."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions, division_centres
from llpbench.data.overlaps import overlap_areas
from llpbench.data.splitting import folds as cut_in_folds
from llpbench.data.text import fixed_width
from llpbench.errors import LLPBenchError

FEWEST = 3
"""Folds: one to test on, one to choose by, and others to train on."""


def fold_divisions(ds: xr.Dataset, folds: int) -> NDArray[np.intp]:
    """Cut the divisions of a dataset into compact folds of about equally many chips.

    The places of divisions are cut in two across their longer extent, each part again, see
    :func:`llpbench.data.splitting.folds`; the same dataset always has the same folds.

    Parameters
    ----------
    ds : Dataset
        Grouped or not.
    folds : int
        At least 3.

    Returns
    -------
    ndarray of int, shape (division,)
        Folds from 0; -1 for divisions in none: those without known proportions, and those of which
        no chip shares more area with them than with another division.

    Raises
    ------
    LLPBenchError
        If there are fewer folds than 3, or fewer divisions than folds.
    """
    if folds < FEWEST:
        raise LLPBenchError(
            f"at least {FEWEST} folds are needed (one to predict, one to choose by, one to train "
            f"on), found {folds}"
        )
    owner = _owners(ds)
    owned = np.unique(owner[owner >= 0])
    if len(owned) < folds:
        raise LLPBenchError(
            f"{folds} folds need as many divisions with chips and known shares; "
            f"{ds.llp.info.name!r} has {len(owned)}"
        )
    fold = np.full(ds.sizes["division"], -1, dtype=np.intp)
    divisions = Divisions.of(ds)
    centres = division_centres(ds, divisions)[owned]
    fold[owned] = cut_in_folds(centres, divisions.areas[owned], folds)
    return fold


def take_fold(ds: xr.Dataset, number: int, folds: int) -> xr.Dataset:
    """Make the splits of a dataset anew: a fold as test, the next as val, the others as train.

    With five folds these are parts of 60, 20 and 20 %. What is in no fold is in no split, so that
    no split taken of the result holds proportions of it, or of another split's divisions.

    Parameters
    ----------
    ds : Dataset
        Grouped or not.
    number : int
        Of the fold, from 0.
    folds : int
        How many there are, see :func:`fold_divisions`.
    """
    fold, owner = _chip_folds(ds, folds)
    split = np.where(fold >= 0, "train", "")
    split[fold == (number + 1) % folds] = "val"
    split[fold == number] = "test"
    return ds.assign_coords(split=("chip", split), own_division=("chip", owner))


def apart(ds: xr.Dataset, folds: int) -> xr.Dataset:
    """Take the chips of all folds, and of overlaps those within a fold.

    A chip on the border of two folds is predicted by the method that did not see the division which
    owns it, but did see the other: that one's mean must do without it.
    """
    fold, owner = _chip_folds(ds, folds)
    of_division = fold_divisions(ds, folds)
    kept = ds.assign_coords(own_division=("chip", owner)).isel(
        chip=fold >= 0, division=of_division >= 0
    )
    pairs = overlap_areas(kept).tocoo()
    same = fold[fold >= 0][pairs.row] == of_division[of_division >= 0][pairs.col]
    return kept.drop_dims("overlap").assign(
        overlap_chip=("overlap", kept["chip_number"].to_numpy()[pairs.row[same]]),
        overlap_division=("overlap", kept["division_number"].to_numpy()[pairs.col[same]]),
        overlap_area=("overlap", pairs.data[same].astype(np.float32)),
    )


def _chip_folds(ds: xr.Dataset, folds: int) -> tuple[NDArray[np.intp], NDArray[np.str_]]:
    """The fold of each chip, -1 for none, and the id of the division that owns it, "" for none."""
    owner, names = _owners(ds), ds["division"].to_numpy()
    fold = np.where(owner >= 0, fold_divisions(ds, folds)[owner], -1)
    return fold, fixed_width(np.where(owner >= 0, names[owner], ""))


def _owners(ds: xr.Dataset) -> NDArray[np.intp]:
    """The division that each chip shares most area with, of those with known shares; -1 for none.

    Whatever the split: the dataset's own owners are those within one.
    """
    return Divisions.of(ds).owners
