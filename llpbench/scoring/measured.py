"""What follows from sums over divisions by measures, whether they are of chips or of means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from llpbench.data.info import mark_synthetic
from llpbench.metrics.arrays import FloatArray
from llpbench.protocol import ALL
from llpbench.scoring.measures import Measure
from llpbench.scoring.score import Score
from llpbench.statistics import Interval


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
        return float(np.mean(measure.statistic(sums.sum(axis=1))))

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
        method = self.attributes.get("method", "predictions")
        part = "all chips" if self.split == ALL else f"{self.split} split"
        return f"{method} on {mark_synthetic(self.dataset, self.synthetic)}, {part}"

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

    def _repr_html_(self) -> str:
        table = self.table()[["title", "value", "low", "high"]].set_index("title")
        html: str = table.to_html(float_format="{:.4f}".format, na_rep="")
        return f"<p>{escape(str(self))}</p>{html}<p>{escape(self.note)}</p>"
