"""Two methods on the same chips: whether one is better than the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llpbench.errors import PredictionsError, examples
from llpbench.metrics.arrays import FloatArray
from llpbench.scoring.measures import Measure
from llpbench.statistics import caution, paired_bootstrap, sign_flip_test


@dataclass(frozen=True)
class Comparison:
    """The difference of two methods in one metric, chips paired.

    Parameters
    ----------
    metric : str
        The metric that is compared.
    difference, low, high : float
        First minus second, and its 95 % interval by resampling divisions.
    p_value : float
        Of the sign-flip permutation test by division.
    divisions : int
        How many divisions were compared.
    note : str
        A caution, where there are few divisions.
    """

    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    divisions: int
    note: str


def check_same_data(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Refuse digests of scores that are of different data or by different scorers."""
    for what in ("dataset", "scorer"):
        found = [digests.get(what) for digests in (first, second)]
        if found[0] != found[1]:
            raise PredictionsError(
                f"scores can be compared if their {what} is the same; found {examples(found)}: "
                "score both again"
            )


def compare_tallies(
    measure: Measure, first: dict[str, FloatArray], second: dict[str, FloatArray], split: str
) -> Comparison:
    """Compare two methods, first minus second, by their tallies of the same divisions."""
    sums = measure.sums(first), measure.sums(second)
    interval = paired_bootstrap(*sums, measure.statistic)
    return Comparison(
        metric=measure.name,
        difference=float(interval.value),
        low=float(interval.low),
        high=float(interval.high),
        p_value=float(sign_flip_test(*sums, measure.statistic).p_value),
        divisions=interval.divisions,
        note=caution(interval.divisions, split),
    )
