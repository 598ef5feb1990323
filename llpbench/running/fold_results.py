"""What a cross-validation found, and what it leaves: predictions, tables, pictures, a map."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench._version import __version__
from llpbench.brief import Brief
from llpbench.data.divisions import Divisions, chip_places
from llpbench.maps import write_map
from llpbench.markdown import escape_markdown, format_interval, markdown_table, plain_cell
from llpbench.plots import draw_chip_errors, draw_division_shares, draw_folds, write_figure
from llpbench.predictions.files import write_predictions
from llpbench.predictions.intervals import BOUNDS, column_name
from llpbench.running.fold_plan import FoldPlan
from llpbench.runs.fold_record import RECORD
from llpbench.scoring.division_scores import DivisionScores
from llpbench.uncertainty.chip_error import ASSUMPTIONS, ChipError
from llpbench.uncertainty.error_model import ErrorModel
from llpbench.uncertainty.files import write_error_model
from llpbench.writing import replace_text

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

log = logging.getLogger(__name__)

FORMAT = 1
"""Version of ``crossvalidation.json``."""

LEVEL = 0.9
"""Of intervals of divisions."""

ERROR_MODEL = "error_model.npz"
"""What residuals of divisions tell of errors of chips and areas, in the folder."""


@dataclass(frozen=True, repr=False)
class CrossValidation(Brief):
    """Chips predicted by methods that were not shown the shares of their divisions.

    Parameters
    ----------
    plan : FoldPlan
        What was done.
    folder : Path
        Where it is written; the runs of the folds are below ``folds/``.
    region : Dataset
        The chips predicted and the divisions in folds, with overlaps within folds alone, see
        :func:`llpbench.data.folds.apart`.
    folds : ndarray of int, shape (division,)
        The fold of each division, from 1.
    predictions : Dataset
        Of all these chips, as :func:`llpbench.predictions.table.make_predictions` makes them.
    scores : DivisionScores
        Their means by division against the known shares.
    left_out : int
        Number of chips that nobody predicted: they lie in no division with known shares.
    model : ErrorModel or None
        How large errors of chips are, learned from the divisions; None where they do not tell.
    chip_error : ChipError or None
        The mean error of chips that follows.
    """

    plan: FoldPlan
    folder: Path
    region: xr.Dataset = field(repr=False)
    folds: NDArray[np.intp] = field(repr=False)
    predictions: xr.Dataset = field(repr=False)
    scores: DivisionScores
    left_out: int
    model: ErrorModel | None = None
    chip_error: ChipError | None = None

    @cached_property
    def per_division(self) -> gpd.GeoDataFrame:
        """Divisions with name, fold, what :attr:`DivisionScores.per_division` has, and outline.

        Divisions that are not scored have neither shares nor errors. Where errors of chips are
        estimated, ``chip_error`` is that of a division's chips, on average, and ``CLASS_low90`` and
        ``CLASS_high90`` are bounds of its mean shares.
        """
        outlines = self.region.llp.divisions()[["name", "geometry"]].assign(fold=self.folds)
        scored = pd.DataFrame(self.scores.per_division).drop(columns=["name", "geometry"])
        table = outlines.join(scored)
        further = self._errors_of_divisions()
        return table.join(further)[["name", "fold", *scored.columns, *further.columns, "geometry"]]

    def _errors_of_divisions(self) -> pd.DataFrame:
        ids = pd.Index(self.region["division"].to_numpy(), name="division")
        if self.model is None or self.chip_error is None:
            return pd.DataFrame(index=ids)
        divisions = Divisions.of(self.region)
        shares = self.predictions["proportions"].to_numpy().astype(np.float64)
        places = chip_places(self.region)
        bounds = self.model.area_intervals(divisions.weights, shares, places, LEVEL)
        columns = {
            column_name(category, name, LEVEL): values[:, number]
            for number, category in enumerate(self.scores.categories)
            for name, values in zip(BOUNDS, bounds, strict=True)
        }
        of_chips = divisions.means(self.chip_error.of_chips.mean(axis=1))
        return pd.DataFrame({"chip_error": of_chips, **columns}, index=ids)

    @cached_property
    def coverage(self) -> float | None:
        """Part of the known shares of divisions, 0 to 1, that their 90 % intervals hold."""
        if self.model is None:
            return None
        table = self.per_division.loc[self.scores.divisions]
        inside = [
            table[f"{name} known"].between(*(table[column_name(name, b, LEVEL)] for b in BOUNDS))
            for name in self.scores.categories
        ]
        return float(np.mean(inside))

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """A row a class, all of shares of divisions.

        ``share`` (mean of the known ones), ``mae`` with its 95 % interval ``low`` to ``high``,
        over divisions, ``bias`` and ``r2``; ``chip_error``, the estimated mean absolute error
        of chips, with ``chip_low`` and ``chip_high``, where it is known.
        """
        mae = self.scores.per_class_interval("mae").rename(columns={"value": "mae"})
        table = mae.join(self.scores.per_class[["bias", "r2"]])
        table.insert(0, "share", self.scores.known.mean(axis=0))
        if self.chip_error is not None:
            names = {"value": "chip_error", "low": "chip_low", "high": "chip_high"}
            table = table.join(self.chip_error.per_class.rename(columns=names))
        return table

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same for people, as rows of a table."""
        return [_row(str(name), row) for name, row in self.per_class.iterrows()]

    @property
    def sentences(self) -> dict[str, str]:
        """A sentence for each class that an office may quote behind its name."""
        return {str(name): _sentence(row) for name, row in self.per_class.iterrows()}

    @property
    def notes(self) -> list[str]:
        """What was scored, what was not, and what to know of it."""
        chips = f"{self.region.sizes['chip']} chips in {self.plan.folds} folds"
        left = f", {self.left_out} left out (in no division with known shares)"
        scored = f"{self.scores.size}; {chips}{left if self.left_out else ''}"
        return [*self._of_chips(), scored, *filter(None, [self.scores.note])]

    def _of_chips(self) -> list[str]:
        error = self.chip_error
        if error is None:
            return []
        interval = format_interval(error.low, error.high, decimals=3, to=" to ")
        return [
            f"estimated chip error: {error.value:.3f} (95 %: {interval}), {ASSUMPTIONS}",
            f"90 % intervals of divisions hold {self.coverage:.0%} of their known shares",
        ]

    def to_json(self) -> str:
        """What was done and what came of it."""
        job = self.plan.job
        content = {
            "format": FORMAT,
            "llpbench_version": __version__,
            "method": job.method,
            "settings": job.settings,
            "seed": job.seed,
            "dataset": self.scores.dataset,
            "dataset_digest": self.scores.digests["dataset"],
            "folds": self.plan.folds,
            "splits": self.plan.splits,
            "chips": self.region.sizes["chip"],
            "chips_left_out": self.left_out,
            "fold_of_division": dict(
                zip(self.region["division"].to_numpy().tolist(), self.folds.tolist(), strict=True)
            ),
            "scores": json.loads(self.scores.to_json()),
            "division_coverage_90": self.coverage,
            "chip_error": None if self.chip_error is None else self.chip_error.to_dict(),
        }
        return json.dumps(content, indent=1, allow_nan=False)

    def write(self) -> None:
        """Write all files, each whole or not at all; those that are there are replaced."""
        ending = "zarr" if "segmentation" in self.predictions else "parquet"
        write_predictions(self.predictions, self.folder / f"predictions.{ending}")
        table = self.per_division
        rows = pd.DataFrame(table.drop(columns="geometry")).reset_index()
        cells = rows.map(plain_cell).to_csv(index=False, float_format="%.6g")
        replace_text(self.folder / "divisions.csv", cells)
        replace_text(self.folder / "crossvalidation.md", self._markdown())
        with _or_without("scatter.png"):
            write_figure(draw_division_shares(self.scores), self.folder / "scatter.png")
        with _or_without("folds.png"):
            write_figure(draw_folds(table, self.scores.subject), self.folder / "folds.png")
        self._write_errors()
        with _or_without("map.tif"):
            write_map(self.predictions, self.region, self.folder / "map.tif")
        replace_text(self.folder / RECORD, self.to_json())

    def _write_errors(self) -> None:
        """Write what is estimated of chips; what an earlier method of this folder left goes."""
        model, picture = self.folder / ERROR_MODEL, self.folder / "chip-errors.png"
        if self.model is None or self.chip_error is None:
            model.unlink(missing_ok=True)
            picture.unlink(missing_ok=True)
            return
        write_error_model(self.model, model)
        with _or_without(picture.name):
            write_figure(
                draw_chip_errors(self.region, self.chip_error, self.scores.subject), picture
            )

    def _markdown(self) -> str:
        rows = [{**row, "class": escape_markdown(row["class"])} for row in self.rows]
        table = markdown_table(list(rows[0]), [list(row.values()) for row in rows])
        quoted = [f"- {escape_markdown(name)}: {text}\n" for name, text in self.sentences.items()]
        parts = [f"{escape_markdown(text)}\n" for text in (self.scores.subject, *self.notes)]
        return "\n".join([parts[0], table, "".join(quoted), *parts[1:]])


def _row(name: str, row: pd.Series) -> dict[str, Any]:
    cells = {
        "class": name,
        "mean share": round(row["share"], 4),
        "MAE": round(row["mae"], 4),
        "95 %": format_interval(row["low"], row["high"], decimals=4, to=" to "),
        "bias": round(row["bias"], 4),
        "R²": round(row["r2"], 3),
    }
    return {**cells, "chips (est.)": round(row["chip_error"], 4)} if "chip_error" in row else cells


def _sentence(row: pd.Series) -> str:
    interval = format_interval(row["low"], row["high"], decimals=3, to=" to ")
    sure = f" (95 %: {interval})" if interval else ""
    explained = f", R² {row['r2']:.2f}" if np.isfinite(row["r2"]) else ""
    return f"shares of divisions are off by {row['mae']:.3f} on average{sure}{explained}"


@contextmanager
def _or_without(name: str) -> Iterator[None]:
    """Leave out a picture or map that cannot be made; the numbers are whole without it."""
    try:
        yield
    except Exception as error:
        log.warning("%s could not be made (%r); the rest is kept without it", name, error)
