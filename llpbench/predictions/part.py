"""Predictions of some of a dataset's chips, and these chips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llpbench.errors import PredictionsError, examples
from llpbench.predictions.table import check_predictions

if TYPE_CHECKING:
    import xarray as xr


def check_part(predictions: xr.Dataset, ds: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Check predictions of any chips of a grouped dataset.

    Returns
    -------
    predictions, part : Dataset
        What :func:`~llpbench.predictions.table.check_predictions` makes of them, and the chips that
        they are about, both in the dataset's order.

    Raises
    ------
    PredictionsError
        If they are not about chips of this dataset.
    """
    if "chip" not in predictions.coords or not predictions.sizes["chip"]:
        raise PredictionsError("predictions must name each chip: coordinate 'chip' is missing")
    predicted = predictions.indexes["chip"]
    unknown = predicted[~predicted.isin(ds.indexes["chip"])]
    if len(unknown):
        raise PredictionsError(
            f"{len(unknown)} predicted chips are not in {ds.llp.info.name!r}, such as "
            f"{examples(unknown)}; give the dataset they were predicted on"
        )
    part = ds.isel(chip=ds.indexes["chip"].isin(predicted))
    return check_predictions(predictions, part), part
