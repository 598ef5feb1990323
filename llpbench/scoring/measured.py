"""What follows from sums over divisions by measures, whether they are of chips or of means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import pandas as pd

from llpbench import notebook
from llpbench.data.info import mark_synthetic
from llpbench.errors import UnknownNameError, unknown
from llpbench.markdown import format_interval, format_number
from llpbench.metrics.arrays import FloatArray
from llpbench.protocol import ALL
from llpbench.scoring.comparison import Comparison, compare_sums
from llpbench.scoring.measures import Measure
from llpbench.scoring.score import Score
from llpbench.statistics import Interval, Ranking, rank_methods


class Measured(ABC):
    """Scores of one method, one or several seeds: values, values by class, one table.

    Attributes
    ----------
    metrics : list of str
        Names of the measures.
    note : str
        What to know before the numbers are believed; empty where there is nothing.
    """

    dataset: str
    split: str
    synthetic: bool
    attributes: dict[str, Any]
    categories: list[str]

    @property
    @abstractmethod
    def metrics(self) -> list[str]:
        """Names of the measures."""

    @property
    @abstractmethod
    def note(self) -> str:
        """What to know before the numbers are believed; empty where there is nothing."""

    @abstractmethod
    def check_same(self, other: Self) -> None:
        """Refuse scores of other data (PredictionsError)."""

    @abstractmethod
    def interval(self, metric: str) -> Interval:
        """95 % interval of a metric."""

    @abstractmethod
    def _of(self, metric: str) -> tuple[Measure, FloatArray]:
        """The measure of a name, and its sums (seed, division, m); any other name is refused."""

    def value(self, metric: str) -> float:
        """A metric over all that is scored, averaged over seeds; NaN where it has no value.

        Parameters
        ----------
        metric : str
            One of :attr:`metrics`; any other is refused (UnknownNameError).
        """
        measure, sums = self._of(metric)
        return measure.value(sums)

    def score(self, metric: str) -> Score:
        """A metric with its 95 % interval and its values by category."""
        interval, classes = self.interval(metric), self._per_class(metric)
        return Score(
            value=self.value(metric),
            low=float(interval.low),
            high=float(interval.high),
            per_class={} if classes is None else dict(zip(self.categories, classes, strict=True)),
        )

    def table(self) -> pd.DataFrame:
        """Metrics over all classes with intervals: ``value``, ``low``, ``high`` and ``title``."""
        scores = {name: self._all[name] for name in self._whole}
        rows = [(score.value, score.low, score.high) for score in scores.values()]
        index = pd.Index(list(scores), name="metric")
        table = pd.DataFrame(rows, index=index, columns=["value", "low", "high"], dtype=float)
        return table.assign(title=[self._of(name)[0].title for name in scores])

    @property
    def per_class(self) -> pd.DataFrame:
        """Metrics by class group.

        A row for each category, a column for each metric that has values by class.
        """
        columns = {name: self._per_class(name) for name in self.metrics}
        return pd.DataFrame(
            {name: values for name, values in columns.items() if values is not None},
            index=pd.Index(self.categories, name="category"),
        )

    @property
    def subject(self) -> str:
        """Method, dataset (marked where it is synthetic) and split, for titles."""
        return f"{self.attributes.get('method', 'predictions')} on {self._place}"

    @property
    def _place(self) -> str:
        part = "all chips" if self.split == ALL else f"{self.split} split"
        return f"{mark_synthetic(self.dataset, self.synthetic)}, {part}"

    @property
    def _whole(self) -> list[str]:
        """Names of the metrics that have a value over all classes."""
        return self.metrics

    @cached_property
    def _all(self) -> dict[str, Score]:
        return {name: self.score(name) for name in self.metrics}

    def _per_class(self, metric: str) -> FloatArray | None:
        """Values by category (K,), averaged over seeds; None where the metric has none."""
        measure, sums = self._of(metric)
        if measure.per_class is None:
            return None
        values: FloatArray = measure.per_class(sums.sum(axis=1)).mean(axis=0)
        return values

    def compare(self, other: Self, metric: str = "mae") -> Comparison:
        """Compare with another method on the same data, chips or divisions paired: this minus it.

        Parameters
        ----------
        other : Scores or DivisionScores
            As this is, of the same data; else a PredictionsError is raised.
        metric : str
            One that both have over all classes; any other is refused (UnknownNameError).

        Returns
        -------
        Comparison
            Printed, it says who is better.
        """
        self.check_same(other)
        measure = self.measure(metric)
        other.measure(metric)
        one, two = (str(scores.attributes.get("method", "predictions")) for scores in (self, other))
        names = (one, two) if one != two else (f"{one} (first)", f"{two} (second)")
        sums = self._of(metric)[1], other._of(metric)[1]
        return compare_sums(measure, *sums, self.split, names=names, subject=self._place)

    def rank(self, others: Sequence[Self], metric: str = "mae") -> Ranking:
        """Rank this, then others of the same data, by a metric that has no goal of its own.

        Parameters
        ----------
        others : sequence of Scores or DivisionScores
            As this is, of the same data; else a PredictionsError is raised.
        metric : str
            One that all have over all classes, and that is the better the lower, or the higher;
            any other is refused (UnknownNameError).
        """
        measure = self.measure(metric)
        ordered = [name for name in self._whole if self._of(name)[0].goal is None]
        if metric not in ordered:
            raise UnknownNameError(unknown("metric that ranks", metric, ordered))
        for other in others:
            self.check_same(other)
        sums = [scores._of(metric)[1] for scores in (self, *others)]
        lower = measure.better == "lower"
        return rank_methods(sums, measure.statistic, lower_is_better=lower)

    def measure(self, metric: str) -> Measure:
        """What is known of a metric that has a value over all classes.

        Any other is refused (UnknownNameError).
        """
        if metric not in self._whole:
            raise UnknownNameError(unknown("metric over all classes", metric, self._whole))
        return self._of(metric)[0]

    def _repr_html_(self) -> str:
        rows = [
            [
                self._of(name)[0].heading,
                format_number(score.value, "z.4f"),
                format_interval(score.low, score.high, decimals=4, to=" to "),
                self._of(name)[0].definition,
            ]
            for name, score in ((name, self._all[name]) for name in self._whole)
        ]
        table = notebook.table(["metric", "value", "95 %", "what it says"], rows, numbers=[1, 2])
        return notebook.card(str(self), table, note=self.note)
