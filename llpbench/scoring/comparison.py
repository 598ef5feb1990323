"""Two methods on the same chips: whether one is better than the other, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from llpbench import notebook
from llpbench.errors import PredictionsError, examples, printable
from llpbench.markdown import format_interval
from llpbench.metrics.arrays import FloatArray
from llpbench.scoring.measures import Measure
from llpbench.statistics import caution, holm
from llpbench.statistics.halves import Halves, holm_level
from llpbench.statistics.parted import PartedMethods
from llpbench.style import short

TOLD_APART = 0.05
"""Methods are told apart where chance gives a difference as large in fewer cases than this."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """The difference of two methods in one metric, chips paired; as text, who is better.

    Parameters
    ----------
    measure : Measure
        The metric that is compared.
    first, second : str
        What the methods are called.
    values : tuple of float
        The metric of each.
    difference, low, high : float
        First minus second, and its 95 % interval: the differences that the test does not reject,
        so that 0 is outside where they are told apart; NaN below 6 divisions.
    p_value : float
        Of the sign-flip permutation test by division.
    divisions : int
        How many divisions were compared.
    note : str
        A caution, where there are few divisions.
    subject : str
        What both predicted; may be empty.
    test : Halves, optional
        What p-value and interval are from.
    """

    measure: Measure
    first: str
    second: str
    values: tuple[float, float]
    difference: float
    low: float
    high: float
    p_value: float
    divisions: int
    note: str
    subject: str = ""
    test: Halves | None = field(default=None, compare=False)

    def corrected(self, p_value: float) -> Comparison:
        """With a p-value corrected over several, and the interval that leaves 0 out with it."""
        if self.test is None or not np.isfinite(p_value):
            return replace(self, p_value=p_value)
        low, high = self.test.limits(holm_level(self.p_value, p_value))
        return replace(self, p_value=p_value, low=float(low), high=float(high))

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return self.measure.name

    @property
    def is_told_apart(self) -> bool:
        """Whether the test tells both apart, at :data:`TOLD_APART`."""
        return bool(self.p_value < TOLD_APART)

    @property
    def better(self) -> str | None:
        """The better method; None where they are not told apart.

        Also None where a metric is right at a value and methods lie on either side of it: the test
        is about their difference, not about which is nearer.
        """
        goal = self.measure.goal
        if not self.is_told_apart or not np.isfinite(self.difference) or self._straddles:
            return None
        if goal is None:
            first_wins = (self.difference < 0) == (self.measure.better == "lower")
        else:
            first_wins = abs(self.values[0] - goal) < abs(self.values[1] - goal)
        return self.first if first_wins else self.second

    @property
    def _straddles(self) -> bool:
        goal = self.measure.goal
        return goal is not None and (self.values[0] - goal) * (self.values[1] - goal) < 0

    @property
    def finding(self) -> str:
        """Who is better and by how much, in a sentence without its full stop."""
        where = f" on {self.subject}" if self.subject else ""
        pair = f"{self.first} and {self.second}"
        if not np.isfinite(self.difference):
            return f"{pair} cannot be compared{where}: {self.measure.title} has no value"
        if not self.is_told_apart:
            return f"{pair} are not told apart{where}: {self._amount(0)}"
        if self.better is None:
            goal = f"{self.measure.goal:g}"
            return f"{pair} differ{where}, on either side of {goal}: {self._amount(0)}"
        best = int(self.better != self.first)
        other = (self.second, self.first)[best]
        return f"{self.better} is better than {other}{where}: {self._amount(best)}"

    def _amount(self, one: int) -> str:
        """Both values, and how far one of them lies below or above the other."""
        value, other = self.values[one], self.values[1 - one]
        said = f"{self.measure.title} {value:.4f} against {other:.4f}"
        if not self.difference:
            return said
        more = f"{abs(self.difference):.4f}"
        if not float(more):
            return f"{said}, less than 0.0001 {'lower' if value < other else 'higher'}"
        if self.measure.goal is None and min(self.values) > 0:
            percent = 100 * abs(self.difference) / other
            more += f" or {percent:.{0 if percent >= 10 else 1}f} %"
        return f"{said}, {more} {'lower' if value < other else 'higher'}"

    @property
    def certainty(self) -> str:
        """The difference with its interval, the p-value, and how many divisions it is from."""
        interval = format_interval(self.low, self.high, decimals=4, to=" to ")
        said = [
            f"{short(self.first)} minus {short(self.second)} {self.difference:z.4f}",
            f"95 % interval {interval}" if interval else "no interval",
            self._p_text,
            f"{self.divisions} division" + "s" * (self.divisions != 1),
        ]
        return ", ".join(said)

    @property
    def _p_text(self) -> str:
        return "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.3f}"

    def __repr__(self) -> str:
        values = "{:.4f} and {:.4f}".format(*self.values)
        return printable(f"<Comparison: {self.measure.title} {values}, {self.certainty}>")

    def __str__(self) -> str:
        """Who is better, by how much, how certain that is, and a caution where one is due."""
        said = [
            self.finding,
            self.certainty,
            *filter(None, [self.note and f"Caution: {self.note}"]),
        ]
        return printable(" ".join(f"{sentence}." for sentence in said))

    def _repr_html_(self) -> str:
        rows = [
            [self.first, f"{self.values[0]:.4f}", ""],
            [self.second, f"{self.values[1]:.4f}", ""],
            [
                "difference",
                f"{self.difference:z.4f}",
                format_interval(self.low, self.high, decimals=4, to=" to "),
            ],
        ]
        table = notebook.table(["", self.measure.heading, "95 %"], rows, numbers=[1, 2])
        test = f"{self._p_text} by permutation of {self.divisions} divisions."
        note = f"Caution: {self.note}." if self.note else ""
        return notebook.card(
            f"{self.finding}.", table, f"{test} {self.measure.definition}", note=note
        )


def check_same_data(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Refuse digests of scores that are of different data or by different scorers."""
    for what in ("dataset", "scorer"):
        found = [digests.get(what) for digests in (first, second)]
        if found[0] != found[1]:
            raise PredictionsError(
                f"scores can be compared if their {what} is the same; found {examples(found)}: "
                "score both again"
            )


def compare_sums(
    measure: Measure,
    first: FloatArray,
    second: FloatArray,
    split: str,
    *,
    names: tuple[str, str] = ("the first", "the second"),
    subject: str = "",
) -> Comparison:
    """Compare two methods, first minus second, by sums (seed, division, m) of a measure."""
    (comparison,) = compare_all(measure, dict(enumerate([first, second])), split)
    return replace(comparison, first=names[0], second=names[1], subject=subject)


def compare_all(
    measure: Measure, sums: Mapping[Any, FloatArray], split: str, *, draws: int = 9999
) -> Iterator[Comparison]:
    """Compare every pair of methods by their sums (seed, division, m) of a measure, in order."""
    if len(sums) < 2:
        return
    methods = list(sums.values())
    parted = PartedMethods.of(methods, measure.statistic, draws, random_state=0)
    values, divisions = [measure.value(one) for one in methods], methods[0].shape[1]
    for (i, first), (j, second) in combinations(enumerate(sums), 2):
        test = parted.pair(i, j)
        low, high = test.limits(1 - TOLD_APART)
        yield Comparison(
            measure=measure,
            first=str(first),
            second=str(second),
            values=(values[i], values[j]),
            difference=float(test.difference),
            low=float(low),
            high=float(high),
            p_value=float(test.p_value),
            divisions=divisions,
            note=caution(divisions, split),
            test=test,
        )


def correct(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Correct p-values after Holm, and widen every interval to the level at which it is tested."""
    corrected = holm([one.p_value for one in comparisons])
    return [one.corrected(float(p)) for one, p in zip(comparisons, corrected, strict=True)]
