"""Scores of one method on one split: the data, and the values that follow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from llpbench.errors import LLPBenchError, PredictionsError, UnknownNameError, printable, unknown
from llpbench.metrics.arrays import FloatArray
from llpbench.scoring.comparison import check_same_data
from llpbench.scoring.divisions import division_blocks, with_outlines
from llpbench.scoring.measured import Measured
from llpbench.scoring.measures import BY_NAME, Measure, available
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.scoring.scores_json import PLAIN_FIELDS, dump_scores, load_fields
from llpbench.scoring.tallies import confusions
from llpbench.statistics import Interval, caution

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

DIVISION_METRICS = ("mae", "mae_hard", "f1_micro")
"""Metrics that are shown for each division."""


@dataclass(frozen=True, repr=False)
class Scores(Measured):
    """Scores of one method, one or several seeds, on one split.

    What only adds up is a property (``per_class``, ``per_division``, ``confusion``); what leaves
    divisions out, and so takes a moment, is a method (``table()``, ``interval()``, ``score()``).

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
    tallies : dict of str to ndarray, shape (seed, division, m)
        What chips contribute, see :mod:`llpbench.scoring.tallies`; all values follow from it.
    chips, unscored_chips : int
        How many chips count, and how many have no label.
    seeds : list of ScoredChips
        The chips themselves, for pictures; empty when read from JSON, or scored in blocks.
    opened : Dataset, optional
        The split, for maps; None when read from JSON, scored in blocks or on a truth table.
    segmentation : DataArray, optional
        The first seed's, for pictures; None without one, when read from JSON or in blocks.

    Examples
    --------
    >>> scores = evaluate("mine.parquet", "demo-esaworldcover")  # doctest: +SKIP
    >>> scores.table()  # doctest: +SKIP
    >>> scores.compare(other)  # doctest: +SKIP
    """

    dataset: str
    split: str
    synthetic: bool
    digests: dict[str, Any]
    attributes: dict[str, Any]
    categories: list[str]
    divisions: list[str]
    tallies: dict[str, FloatArray]
    chips: int
    unscored_chips: int
    seeds: list[ScoredChips] = field(default_factory=list)
    opened: xr.Dataset | None = None
    segmentation: xr.DataArray | None = None

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that could be worked out."""
        return available(self.tallies)

    @property
    def note(self) -> str:
        """A caution about the intervals where there are few divisions; else empty."""
        return caution(len(self.divisions), self.split)

    def interval(
        self,
        metric: str,
        *,
        divisions_per_block: int = 1,
    ) -> Interval:
        """95 % interval over the split's divisions, and over seeds.

        Parameters
        ----------
        metric : str
            One of :attr:`metrics`.
        divisions_per_block : int
            Above 1, blocks of about so many neighbouring divisions take their place, for errors
            that neighbours share; needs the opened dataset.
        """
        measure, sums = self._of(metric)
        options = (self.opened, self.divisions, divisions_per_block)
        blocks = division_blocks(*options) if divisions_per_block > 1 else None
        interval = measure.interval(sums, measure.statistic, blocks)
        return replace(interval, note=caution(interval.divisions, self.split))

    def per_class_interval(self, metric: str) -> pd.DataFrame:
        """Values of a metric by class group, with their confidence intervals.

        A row for each category: ``value``, ``low``, ``high``, at 95 %; NaN for a category without a
        value.

        Parameters
        ----------
        metric : str
            A column of :attr:`per_class`; any other is refused (UnknownNameError).
        """
        measure, sums = self._of(metric)
        if measure.per_class is None:
            raise UnknownNameError(unknown("metric by class", metric, self.per_class.columns))
        interval = measure.interval(sums, measure.per_class)
        columns = {"value": self.per_class[metric], "low": interval.low, "high": interval.high}
        return pd.DataFrame(columns)

    @property
    def per_division(self) -> gpd.GeoDataFrame:
        """Metrics by division, with outlines.

        A row for each division that owns scored chips: ``chips``, ``mae`` and, with a
        segmentation, ``mae_hard`` and ``f1_micro``.
        """
        columns: dict[str, Any] = {"chips": self.tallies["errors"][0, :, -1].astype(int)}
        for name in DIVISION_METRICS:
            if name in self.metrics:
                measure, sums = self._of(name)
                columns[name] = measure.statistic(sums).mean(axis=0)
        table = pd.DataFrame(columns, index=pd.Index(self.divisions, name="division"))
        return with_outlines(table, self.opened)

    @property
    def confusion(self) -> FloatArray | None:
        """Pixels by true (rows) and predicted class (columns), over all chips and seeds.

        Shape (K, K); None where there is no segmentation.
        """
        if "confusion" not in self.tallies:
            return None
        return confusions(self.tallies["confusion"].sum(axis=(0, 1)))

    def check_same(self, other: Self) -> None:
        """Refuse scores of another split or other data (PredictionsError)."""
        check_same_data(self.digests, other.digests)
        if (self.split, self.divisions) != (other.split, other.divisions):
            raise PredictionsError("scores of different splits cannot be put together or compared")

    def first_seed(self) -> ScoredChips:
        """The chips of the first seed, for pictures; scores read from JSON have none."""
        if not self.seeds:
            raise LLPBenchError(
                "scores that were read from JSON, or are of a dataset too large to be opened, hold "
                "no chips; evaluate predictions of a smaller one for what needs them"
            )
        return self.seeds[0]

    def to_json(self) -> str:
        """Everything but the chips, as JSON.

        Read again by :meth:`from_json`; ``metrics`` is for people and other programs, ``tallies``
        is what everything follows from.
        """
        fields = {name: getattr(self, name) for name in PLAIN_FIELDS}
        return dump_scores(fields, self.tallies, self._all, self.note)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read scores that :meth:`to_json` wrote, in this format or an older one.

        They hold no chips: no pictures, all else. Any other text is refused (PredictionsError).
        """
        return cls(**load_fields(text))

    def _of(self, metric: str) -> tuple[Measure, FloatArray]:
        if metric not in self.metrics:
            raise UnknownNameError(unknown("metric", metric, self.metrics))
        measure = BY_NAME[metric]
        return measure, measure.sums(self.tallies)

    def _size(self) -> str:
        divisions = len(self.divisions)
        return f"{self.chips} chips, {divisions} division" + "s" * (divisions != 1)

    def __repr__(self) -> str:
        """One line, without any interval."""
        return printable(
            f"<Scores of {self.subject}: MAE {self.value('mae'):.4f}, {self._size()}, "
            f"{len(self.metrics)} metrics>"
        )

    def __str__(self) -> str:
        """One line: method, data, and the ranking metric with its interval."""
        mae = self._all["mae"]
        interval = "" if mae.low is None else f" [{mae.low:.4f}, {mae.high:.4f}]"
        return printable(f"{self.subject} ({self._size()}): MAE {mae.value:.4f}{interval}")
