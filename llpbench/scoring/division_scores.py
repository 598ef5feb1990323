"""Scores of division means: known shares against the mean prediction, without any chip label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from llpbench.data.outlines import division_facts
from llpbench.errors import PredictionsError, UnknownNameError, printable, unknown
from llpbench.markdown import plain_cell
from llpbench.metrics.arrays import FloatArray
from llpbench.protocol import ALL, LEAST_COVERAGE
from llpbench.scoring.comparison import check_same_data
from llpbench.scoring.division_scores_json import dump_division_scores, load_division_scores
from llpbench.scoring.divisions import with_outlines
from llpbench.scoring.measured import Measured
from llpbench.scoring.measures import DIVISION_MEASURES, Measure
from llpbench.scoring.tallies import division_tallies
from llpbench.statistics import Interval, caution

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

MEASURES = {measure.name: measure for measure in DIVISION_MEASURES}
"""Of division means, by name; the first ranks."""

WHOLE = tuple(name for name in MEASURES if name != "bias")
"""Those that have a value over all classes."""

SEES_SHARES = (
    "the method is shown the known shares of the divisions that it predicts, so that how near it "
    "comes to them says nothing of its map"
)


@dataclass(frozen=True, repr=False)
class DivisionScores(Measured):
    r"""Scores of the mean predictions of divisions, one or several seeds of one method.

    With :math:`p_{dk}` the known share of class k in division d, and :math:`q_{dk}` the mean
    prediction of its chips, weighted by the area they share with it, ``mae`` is the mean over
    divisions and classes of :math:`|q - p|` (division consistency divided by the number of
    classes), ``mae_by_area`` the same with divisions weighted by their predicted area, ``bias``
    by class the mean of :math:`q - p`; ``rmse``, ``r2`` and the calibration line are those of
    :mod:`llpbench.metrics` with divisions in the place of chips. Every division counts once, but
    for ``mae_by_area``; intervals are over divisions.

    Parameters
    ----------
    dataset, split : str
        What was scored; ``all`` if chips are of several splits.
    synthetic : bool
        Whether the dataset was made by a program and shows no real place.
    digests : dict
        ``dataset``, ``predictions`` (a list, one for each seed) and ``scorer``.
    attributes : dict
        What the predictions say of themselves: method, track and so on.
    categories, divisions : list of str
        Names of the K class groups, ids of the D divisions that are scored.
    known : ndarray, shape (D, K)
        Known shares, 0 to 1.
    predicted : ndarray, shape (seed, D, K)
        Area-weighted means of the predictions of chips, 0 to 1.
    coverage : ndarray, shape (D,)
        Part of each division's area that was predicted, from
        :data:`llpbench.protocol.LEAST_COVERAGE` to 1.
    areas : ndarray, shape (D,)
        Of their outlines, in km².
    left_out : dict of str to int
        How many divisions are not scored: ``uncovered``, below that coverage; ``unknown``, covered
        but without known shares.
    opened : Dataset, optional
        What was scored, for names and outlines; None when read from JSON.

    Examples
    --------
    >>> import numpy as np
    >>> known = np.array([[0.25, 0.75], [0.5, 0.5]])
    >>> predicted = np.array([[[0.5, 0.5], [0.5, 0.5]]])
    >>> scores = DivisionScores("made", "test", True, {}, {}, ["tree", "crop"], ["a", "b"],
    ...                         known, predicted, np.ones(2), np.array([3.0, 1.0]), {})
    >>> scores.value("mae"), scores.value("mae_by_area"), scores.per_class["bias"].tolist()
    (0.125, 0.1875, [0.125, -0.125])
    """

    dataset: str
    split: str
    synthetic: bool
    digests: dict[str, Any]
    attributes: dict[str, Any]
    categories: list[str]
    divisions: list[str]
    known: FloatArray
    predicted: FloatArray
    coverage: FloatArray
    areas: FloatArray
    left_out: dict[str, int]
    opened: xr.Dataset | None = None

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics; ``bias`` has values by class alone."""
        return list(MEASURES)

    @property
    def _whole(self) -> list[str]:
        return list(WHOLE)

    @cached_property
    def tallies(self) -> dict[str, FloatArray]:
        """What divisions contribute, (seed, division, m); all values follow from it."""
        weight = self.coverage * self.areas
        single = [division_tallies(self.known, seed, weight) for seed in self.predicted]
        return {name: np.stack([tallies[name] for tallies in single]) for name in single[0]}

    @property
    def note(self) -> str:
        """What to know before the numbers are believed; empty where there is nothing."""
        notes = [SEES_SHARES] if self.attributes.get("track") == "disaggregation" else []
        part = "" if self.split == ALL else self.split
        return "; ".join(filter(None, [*notes, caution(len(self.divisions), part)]))

    def interval(self, metric: str) -> Interval:
        """95 % interval over divisions, and over seeds.

        Parameters
        ----------
        metric : str
            One of :attr:`metrics`.
        """
        measure, sums = self._of(metric)
        return replace(measure.interval(sums, measure.statistic), note=self.note)

    def per_class_interval(self, metric: str) -> pd.DataFrame:
        """Values of a metric by class group, with their 95 % intervals.

        A row for each category: ``value``, ``low``, ``high``; NaN for a category without a value.

        Parameters
        ----------
        metric : str
            One of :attr:`metrics`.
        """
        measure, sums = self._of(metric)
        interval = measure.interval(sums, measure.per_class or measure.statistic)
        columns = {"value": self._per_class(metric), "low": interval.low, "high": interval.high}
        return pd.DataFrame(columns, index=pd.Index(self.categories, name="category"))

    @property
    def per_division(self) -> gpd.GeoDataFrame:
        """A row for each scored division: its shares, and its outline where it was opened.

        ``area_km2``, ``coverage``, ``mae`` (averaged over seeds), and for each category
        ``CATEGORY known`` and ``CATEGORY predicted`` (mean over seeds).
        """
        return with_outlines(self._table, self.opened)

    @property
    def _table(self) -> pd.DataFrame:
        """:attr:`per_division` without names and outlines."""
        predicted = self.predicted.mean(axis=0)
        shares: dict[str, FloatArray] = {}
        for number, name in enumerate(self.categories):
            shares[f"{name} known"] = self.known[:, number]
            shares[f"{name} predicted"] = predicted[:, number]
        errors = np.abs(self.predicted - self.known).mean(axis=(0, 2))
        facts = {"area_km2": self.areas, "coverage": self.coverage, "mae": errors}
        index = pd.Index(self.divisions, name="division")
        return pd.DataFrame({**facts, **shares}, index=index)

    def to_csv(self) -> str:
        """:attr:`per_division` without outlines, as csv; text that is a formula is quoted."""
        table = self._table
        if self.opened is not None:
            table.insert(0, "name", division_facts(self.opened)["name"])
        table = table.reset_index().rename(columns=plain_cell)
        return str(table.map(plain_cell).to_csv(index=False, float_format="%.6g"))

    def check_same(self, other: Self) -> None:
        """Refuse scores of other divisions, other known shares or other data (PredictionsError)."""
        check_same_data(self.digests, other.digests)
        if [self.split, self.divisions, self.categories, self.known.tolist()] != [
            other.split, other.divisions, other.categories, other.known.tolist()
        ]:  # fmt: skip
            raise PredictionsError(
                "scores of different divisions, or with other known shares, cannot be put together "
                "or compared: score both again"
            )

    def to_json(self) -> str:
        """Everything but the outlines, as JSON that :meth:`from_json` reads again."""
        return dump_division_scores(vars(self), self._all, self.note)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read scores that :meth:`to_json` wrote; any other text is refused (PredictionsError)."""
        return cls(**load_division_scores(text))

    def _of(self, metric: str) -> tuple[Measure, FloatArray]:
        if metric not in MEASURES:
            raise UnknownNameError(unknown("metric of divisions", metric, MEASURES))
        return MEASURES[metric], self.tallies[MEASURES[metric].tally]

    @property
    def size(self) -> str:
        """How many divisions are scored, and how many are not, and why."""
        number = len(self.divisions)
        reasons = {
            "uncovered": f"less than {LEAST_COVERAGE:.0%} of the area predicted",
            "unknown": "shares unknown",
        }
        out = [f"{n} left out ({reasons[why]})" for why, n in self.left_out.items() if n]
        return ", ".join([f"{number} division" + "s" * (number != 1), *out])

    def __repr__(self) -> str:
        """One line, without any interval."""
        return printable(
            f"<DivisionScores of {self.subject}: MAE {self.value('mae'):.4f}, {self.size}>"
        )

    def __str__(self) -> str:
        """One line: method, data, and the mean absolute error with its interval."""
        mae = self._all["mae"]
        interval = "" if mae.low is None else f" [{mae.low:.4f}, {mae.high:.4f}]"
        return printable(
            f"{self.subject} ({self.size}): MAE of divisions {mae.value:.4f}{interval}"
        )
