"""What a method predicts of training divisions that it has not seen: folds, each held out once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from llpbench.crew import Crew
from llpbench.data.divisions import Divisions
from llpbench.data.folds import apart, take_fold
from llpbench.data.splits import take_split
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.estimate import Estimate
from llpbench.uncertainty.fitting import FEWEST

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.methods.journal import Journal
    from llpbench.methods.method import Method, Progress

FOLDS = 5


def predict_held_out(
    make: Callable[[], Method],
    train: xr.Dataset,
    val: xr.Dataset,
    *,
    progress: Progress | None = None,
    journal: Journal | None = None,
    crew: Crew | None = None,
) -> tuple[Estimate, xr.Dataset] | None:
    """Predict each of five folds of training divisions by a method that did not see it.

    Parameters
    ----------
    make : callable
        Makes the method, not yet trained.
    train, val : Dataset
        Grouped, with the places of their chips. Where all divisions are trained on, so that those
        of ``val`` are among them, the next fold stands in for it.
    progress : callable, optional
        Such as :class:`tqdm.tqdm`.
    journal : Journal, optional
        Of the training that this is part of: says when to stop.
    crew : Crew, optional
        Who does the work of each training, as far as it can be shared out.

    Returns
    -------
    tuple of (Estimate, Dataset), or None
        Shares, and the chips that they are of with the divisions that were held out with each; None
        if it was stopped.

    Raises
    ------
    MethodError
        If there are fewer than 10 divisions with chips and known proportions.
    """
    chips = chips_in_folds(train)
    shares = np.full((chips.sizes["chip"], chips.sizes["category"]), np.nan)
    numbers = range(FOLDS)
    for number in numbers if progress is None else progress(numbers, desc="folds", unit="fold"):
        if journal is not None and journal.must_stop():
            return None
        rest, chosen_by, held_out = _parts(train, val, number)
        method = make()
        gate.fit(method, rest, chosen_by, crew=crew)
        rows = chips.indexes["chip"].get_indexer(held_out.indexes["chip"])
        predicted = [batch.shares for batch in gate.predict_batches(method, held_out)]
        shares[rows] = np.concatenate(predicted)
    return Estimate(shares), chips


def chips_in_folds(train: xr.Dataset) -> xr.Dataset:
    """Take the chips that are held out once each, with the divisions of their folds alone.

    Raises
    ------
    MethodError
        If there are fewer than 10 divisions with chips and known proportions.
    """
    _check_number(train)
    chips = apart(train, FOLDS)
    _check_number(chips)  # divisions that own no chip are in no fold
    return chips


def _check_number(ds: xr.Dataset) -> None:
    known = int(Divisions.of(ds).is_known.sum())
    if known < FEWEST:
        raise MethodError(
            f"intervals are learned from held-out divisions, of which at least {FEWEST} with known "
            f"shares and chips of their own are needed to train on; found {known}"
        )


def _parts(
    train: xr.Dataset, val: xr.Dataset, number: int
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """What is trained on, what is chosen by, and the fold, of which neither holds anything."""
    fold = take_fold(train, number, FOLDS)
    held_out, next_fold = (take_split(fold, name, "renormalise") for name in ("test", "val"))
    if np.isin(val["chip"].to_numpy(), train["chip"].to_numpy()).any():
        return take_split(fold, "train", "renormalise"), next_fold, held_out
    split = np.where(fold["split"] == "val", "train", fold["split"])
    return (
        take_split(fold.assign_coords(split=("chip", split)), "train", "renormalise"),
        val,
        held_out,
    )
