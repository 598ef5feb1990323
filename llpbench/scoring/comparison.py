"""Two methods on the same chips: whether one is better than the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llpbench.errors import PredictionsError, UnknownNameError, unknown
from llpbench.scoring.measures import BY_NAME
from llpbench.statistics import paired_bootstrap, sign_flip_test

if TYPE_CHECKING:
    from llpbench.scoring.scores import Scores


@dataclass(frozen=True)
class Comparison:
    """The difference of two methods in one metric, chips paired.

    Parameters
    ----------
    metric : str
    difference, low, high : float
        First minus second, and its 95 % interval by resampling divisions.
    p_value : float
        Of the sign-flip permutation test by division.
    divisions : int
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


def compare_scores(first: Scores, second: Scores, metric: str) -> Comparison:
    """Compare two methods on the same divisions.

    Parameters
    ----------
    first, second : Scores
        Of the same split of the same dataset.
    metric : str
        One that both have.

    Returns
    -------
    Comparison
        First minus second.

    Raises
    ------
    PredictionsError
        If the two were scored on different data.
    UnknownNameError
        If one has no such metric.
    """
    for what in ("dataset", "scorer"):
        if first.digests[what] != second.digests[what]:
            raise PredictionsError(
                f"scores can be compared if their {what} is the same; found "
                f"{first.digests[what]} and {second.digests[what]}: score both again"
            )
    if (first.split, first.divisions) != (second.split, second.divisions):
        raise PredictionsError("scores of different splits cannot be compared")
    for scores in (first, second):
        if metric not in scores.sums:
            raise UnknownNameError(unknown("metric", metric, scores.sums))
    sums = first.sums[metric], second.sums[metric]
    statistic = BY_NAME[metric].statistic
    interval = paired_bootstrap(*sums, statistic)
    return Comparison(
        metric=metric,
        difference=float(interval.value),
        low=float(interval.low),
        high=float(interval.high),
        p_value=float(sign_flip_test(*sums, statistic).p_value),
        divisions=len(first.divisions),
        note=interval.note,
    )
