"""Scores of one method on one split: values, intervals, tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.geometry import equal_area
from llpbench.data.info import mark_synthetic
from llpbench.errors import LLPBenchError, PredictionsError, UnknownNameError, unknown
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring.comparison import Comparison, compare_scores
from llpbench.scoring.measures import BY_NAME, Measure, available, confusions
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.scoring.scores_json import dump_scores, load_fields
from llpbench.statistics import Interval, cluster_bootstrap, spatial_blocks

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

DIVISION_METRICS = ("mae", "mae_hard", "f1_micro")
"""Metrics that are told for each division."""


@dataclass(frozen=True)
class Scores:
    """Scores of one method, one or several seeds, on one split.

    Parameters
    ----------
    dataset, split : str
        What was scored.
    synthetic : bool
        Whether the dataset was made by a program and shows no real place.
    digests : dict
        ``dataset``, ``predictions`` (a list, one for each seed) and ``scorer``.
    attributes : dict
        What the predictions say of themselves: method, track and so on.
    categories : list of str
        Names of the class groups.
    divisions : list of str
        Divisions that own scored chips.
    sums : dict of str to ndarray, shape (seed, division, m)
        What each metric sums over the chips of a division.
    chips, unscored_chips : int
        How many chips count, and how many have no label.
    seeds : list of ScoredChips
        The chips themselves, for pictures; empty when read from JSON.
    opened : Dataset, optional
        The split, for maps; None when read from JSON or scored on a truth table.
    segmentation : DataArray, optional
        The first seed's, for pictures; None without one and when read from JSON.
    """

    dataset: str
    split: str
    synthetic: bool
    digests: dict[str, Any]
    attributes: dict[str, Any]
    categories: list[str]
    divisions: list[str]
    sums: dict[str, NDArray[np.float64]]
    chips: int
    unscored_chips: int
    seeds: list[ScoredChips] = field(default_factory=list, repr=False)
    opened: xr.Dataset | None = field(default=None, repr=False)
    segmentation: xr.DataArray | None = field(default=None, repr=False)

    @classmethod
    def of_chips(
        cls,
        seeds: Sequence[ScoredChips],
        *,
        dataset: xr.Dataset,
        split: str,
        attributes: dict[str, Any],
        prediction_digests: list[str],
        segmentation: xr.DataArray | None = None,
    ) -> Self:
        """Sum up scored chips.

        Parameters
        ----------
        seeds : sequence of ScoredChips
            One for each seed.
        dataset : Dataset
            The grouped split.
        split : str
        attributes : dict
        prediction_digests : list of str
        segmentation : DataArray, optional
            The first seed's.

        Returns
        -------
        Scores
        """
        first = seeds[0]
        measures = available(first, ordered=dataset.llp.label_set.ordered)
        if any((seed.confusion is None) != (first.confusion is None) for seed in seeds):
            raise PredictionsError("either all seeds have a segmentation, or none")
        return cls(
            dataset=dataset.llp.info.name,
            split=split,
            synthetic=dataset.llp.info.synthetic,
            digests={
                "dataset": dataset.llp.info.digest,
                "predictions": prediction_digests,
                "scorer": SCORER_VERSION,
            },
            attributes=attributes,
            categories=[str(name) for name in dataset["category_name"].to_numpy()],
            divisions=[str(division) for division in first.divisions],
            sums={m.name: np.stack([m.sums(seed) for seed in seeds]) for m in measures},
            chips=len(first.truth),
            unscored_chips=dataset.sizes["chip"] - len(first.truth),
            seeds=list(seeds),
            opened=dataset if "label" in dataset else None,
            segmentation=segmentation,
        )

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that could be worked out."""
        return list(self.sums)

    def value(self, metric: str) -> float:
        """A metric over all chips, averaged over seeds.

        Parameters
        ----------
        metric : str
            One of :attr:`metrics`.

        Returns
        -------
        float

        Raises
        ------
        UnknownNameError
            If there is no such metric here.
        """
        measure, sums = self._of(metric)
        return float(np.mean(measure.statistic(sums.sum(axis=1))))

    def interval(
        self,
        metric: str,
        *,
        draws: int = 5000,
        divisions_per_block: int = 1,
        random_state: int = 0,
    ) -> Interval:
        """Confidence interval by resampling test divisions, and seeds inside.

        Parameters
        ----------
        metric : str
            One of :attr:`metrics`.
        draws : int
            Bootstrap draws.
        divisions_per_block : int
            Above 1, blocks of about so many neighbouring divisions are resampled instead, for
            errors that neighbours share; needs the opened dataset.
        random_state : int
            Seed of the draws.

        Returns
        -------
        Interval
            At 95 %, with a note where there are few divisions.
        """
        measure, sums = self._of(metric)
        blocks = self._blocks(divisions_per_block) if divisions_per_block > 1 else None
        return cluster_bootstrap(
            sums, measure.statistic, draws=draws, blocks=blocks, random_state=random_state
        )

    def _blocks(self, divisions_per_block: int) -> NDArray[np.int64]:
        """Block of each division, from the centroids of their outlines in km."""
        if self.opened is None:
            raise LLPBenchError(
                "blocks of neighbouring divisions need the dataset: score the predictions again"
            )
        outlines = self.opened.llp.divisions().geometry
        centres = outlines.to_crs(equal_area(outlines)).centroid
        places = centres.get_coordinates().reindex(self.divisions).to_numpy() / 1000
        return spatial_blocks(places, divisions_per_block)

    def confusion(self) -> NDArray[np.float64] | None:
        """Pixels by true (rows) and predicted class (columns), over all chips and seeds.

        Returns
        -------
        ndarray of float64, shape (K, K), or None
            None where there is no segmentation.
        """
        if "f1_micro" not in self.sums:
            return None
        return confusions(self.sums["f1_micro"].sum(axis=(0, 1)))

    def first_seed(self) -> ScoredChips:
        """The chips of the first seed, for pictures.

        Returns
        -------
        ScoredChips

        Raises
        ------
        LLPBenchError
            If the scores were read from JSON, which holds no chips.
        """
        if not self.seeds:
            raise LLPBenchError(
                "scores read from JSON hold no chips; evaluate the predictions again"
            )
        return self.seeds[0]

    def compare(self, other: Scores, metric: str = "mae") -> Comparison:
        """Compare with another method on the same divisions.

        Parameters
        ----------
        other : Scores
            Of the same split of the same dataset.
        metric : str
            One that both have.

        Returns
        -------
        Comparison
            This minus other.

        Raises
        ------
        PredictionsError
            If the two were scored on different data.
        """
        return compare_scores(self, other, metric)

    def table(self) -> pd.DataFrame:
        """All metrics with their intervals.

        Returns
        -------
        DataFrame
            Indexed by metric: ``value``, ``low``, ``high`` and ``title``.
        """
        return self._table

    @cached_property
    def _table(self) -> pd.DataFrame:
        rows = {
            name: (self.value(name), interval.low, interval.high, BY_NAME[name].title)
            for name, interval in ((name, self.interval(name)) for name in self.metrics)
        }
        columns = ["value", "low", "high", "title"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("metric")

    @property
    def per_class(self) -> pd.DataFrame:
        """Metrics by class group.

        A row for each category, a column for each metric that has values by class.
        """
        columns = {
            name: measure.per_class(sums.sum(axis=1)).mean(axis=0)
            for name, (measure, sums) in ((name, self._of(name)) for name in self.metrics)
            if measure.per_class is not None
        }
        return pd.DataFrame(columns, index=pd.Index(self.categories, name="category"))

    def per_class_interval(
        self, metric: str, *, draws: int = 5000, random_state: int = 0
    ) -> pd.DataFrame:
        """Values of a metric by class group, with their confidence intervals.

        Parameters
        ----------
        metric : str
            A column of :attr:`per_class`.
        draws, random_state : int
            As in :meth:`interval`.

        Returns
        -------
        DataFrame
            A row for each category: ``value``, ``low``, ``high``, at 95 %; NaN for a category
            without a value.

        Raises
        ------
        UnknownNameError
            If there is no such metric here, or it has no values by class.
        """
        measure, sums = self._of(metric)
        if measure.per_class is None:
            raise UnknownNameError(unknown("metric by class", metric, self.per_class.columns))
        interval = cluster_bootstrap(
            sums, measure.per_class, draws=draws, random_state=random_state
        )
        columns = {"value": self.per_class[metric], "low": interval.low, "high": interval.high}
        return pd.DataFrame(columns)

    @property
    def per_division(self) -> gpd.GeoDataFrame:
        """Metrics by division, with outlines.

        A row for each division that owns scored chips: ``chips``, ``mae`` and, with a
        segmentation, ``mae_hard`` and ``f1_micro``.
        """
        import geopandas as gpd

        rows: dict[str, NDArray[np.float64]] = {"chips": self.sums["mae"][0, :, -1].astype(int)}
        for name in DIVISION_METRICS:
            if name in self.sums:
                measure, sums = self._of(name)
                rows[name] = measure.statistic(sums).mean(axis=0)
        table = pd.DataFrame(rows, index=pd.Index(self.divisions, name="division"))
        if self.opened is None:
            return gpd.GeoDataFrame(table, geometry=[None] * len(table))
        outlines = self.opened.llp.divisions()[["name", "geometry"]]
        return gpd.GeoDataFrame(table.join(outlines), geometry="geometry", crs=outlines.crs)

    def to_json(self) -> str:
        """Everything but the chips, as JSON.

        Returns
        -------
        str
            Read again by :meth:`from_json`; ``metrics`` is for people and other programs,
            ``sums`` is what everything follows from.
        """
        return dump_scores(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read scores that :meth:`to_json` wrote.

        Parameters
        ----------
        text : str

        Returns
        -------
        Scores
            Without chips: no pictures, all else.

        Raises
        ------
        PredictionsError
            If it is no such text, or of a newer format.
        """
        return cls(**load_fields(text))

    @property
    def note(self) -> str:
        """What must be said beside the intervals; empty where nothing."""
        return self.interval("mae", draws=1).note

    def _of(self, metric: str) -> tuple[Measure, NDArray[np.float64]]:
        if metric not in self.sums:
            raise UnknownNameError(unknown("metric", metric, self.sums))
        return BY_NAME[metric], self.sums[metric]

    def _repr_html_(self) -> str:
        table = self.table()[["title", "value", "low", "high"]].set_index("title")
        html: str = table.to_html(float_format="{:.4f}".format, na_rep="")
        return f"<p>{escape(str(self))}</p>{html}<p>{escape(self.note)}</p>"

    def __str__(self) -> str:
        """One line: method, data, and the ranking metric with its interval."""
        row = self.table().loc["mae"]
        method = self.attributes.get("method", "predictions")
        return (
            f"{method} on {mark_synthetic(self.dataset, self.synthetic)}, {self.split} split "
            f"({self.chips} chips, "
            f"{len(self.divisions)} divisions): MAE {row.value:.4f} "
            f"[{row.low:.4f}, {row.high:.4f}]"
        )
