"""Predictions, polygons and labels make class areas."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.data.divisions import chip_places
from llpbench.errors import LLPBenchError
from llpbench.estimation.areas import ClassAreas
from llpbench.estimation.labels import Design, read_sample
from llpbench.estimation.means import predicted_means
from llpbench.estimation.polygons import (
    Polygons,
    chip_areas,
    own_divisions,
    read_polygons,
    whole_region,
)
from llpbench.estimation.small_areas import small_area_means
from llpbench.estimation.survey import Estimator, survey_means
from llpbench.predictions.part import check_part
from llpbench.uncertainty.error_model import ErrorModel

if TYPE_CHECKING:
    import xarray as xr


def estimate_areas(
    predictions: xr.Dataset,
    ds: xr.Dataset,
    *,
    divisions: str | os.PathLike[str] | None = None,
    by: str | None = None,
    layer: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    design: Design | None = None,
    estimator: Estimator = "tuned",
    small_areas: bool = False,
    errors: ErrorModel | None = None,
) -> ClassAreas:
    """Estimate the areas of classes in polygons.

    Predictions are about the score window of a chip, which is taken to be like all of it.

    Parameters
    ----------
    predictions : Dataset
        Of any chips of the dataset.
    ds : Dataset
        What was predicted.
    divisions : path, optional
        A file of polygons, see :func:`~llpbench.estimation.polygons.read_polygons`; by default the
        whole region, or the dataset's divisions for small areas.
    by, layer : str, optional
        The column of the polygons' ids, and the layer they are in.
    labels : path, optional
        A table of labelled chips or points, see :func:`~llpbench.estimation.labels.read_sample`;
        without it areas follow from predictions alone.
    design : {"simple", "stratified", "division"}, optional
        How these were drawn.
    estimator : {"tuned", "difference", "regression", "labels"}
        See :func:`~llpbench.estimation.survey.survey_means`.
    small_areas : bool
        Whether polygons have too few labels each for a survey of their own, see
        :func:`~llpbench.estimation.small_areas.small_area_means`.
    errors : ErrorModel, optional
        How wrong predictions are, learned from held-out divisions; without it, and without labels,
        there are no intervals.

    Raises
    ------
    LLPBenchError
        If a file or a combination of these cannot be used.
    """
    if small_areas and labels is None:
        raise LLPBenchError("small-area estimates need labelled chips: give a table with --labels")
    grouped = ds.llp.group()
    predictions, part = check_part(predictions, grouped)
    shares = predictions["proportions"].to_numpy().astype(np.float64)
    polygons = _polygons(divisions, by, layer, grouped, part, small_areas).covered()
    method = predictions.attrs.get("method", "a map")
    if labels is None:
        means = predicted_means(polygons.weights, shares, chip_places(part), errors)
        how = "predictions alone" if errors is None else "errors of held-out divisions"
    else:
        sample = read_sample(Path(labels), part, design)
        estimate = small_area_means if small_areas else survey_means
        means = estimate(sample, shares, polygons.weights, chip_areas(part), estimator)
        how = f"{len(sample.chip)} labels, {estimator}{', Fay-Herriot' if small_areas else ''}"
    names: NDArray[np.str_] = part["category_name"].to_numpy()
    title = f"{method} on {part.llp.info.shown_name}, {how}"
    return ClassAreas(polygons, [str(name) for name in names], means, title)


def _polygons(
    path: str | os.PathLike[str] | None,
    by: str | None,
    layer: str | None,
    ds: xr.Dataset,
    part: xr.Dataset,
    small_areas: bool,
) -> Polygons:
    if path is not None:
        return read_polygons(Path(path), part, by=by, layer=layer)
    if by is not None or layer is not None:
        raise LLPBenchError("a column and a layer are those of a file: give it with --divisions")
    return own_divisions(part) if small_areas else whole_region(ds, part)
