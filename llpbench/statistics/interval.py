"""Confidence intervals of a score, whose unit is the division."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from llpbench.brief import Brief
from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray, as_groups, group_sums
from llpbench.statistics.jackknife import (
    half_width,
    jackknife_variance,
    seed_variance,
    shares_of,
)
from llpbench.statistics.scale import Scale
from llpbench.statistics.sums import (
    MINIMUM_DIVISIONS,
    Statistic,
    as_sums,
    caution,
    number_or_array,
    ratio,
)


@dataclass(frozen=True, repr=False)
class Interval(Brief):
    """A value and its confidence interval.

    Attributes
    ----------
    value, low, high : float or ndarray
        Numbers where the statistic is one, arrays where it has several values; ``low`` and
        ``high`` are NaN below 6 divisions.
    level : float
        Nominal coverage, 0 to 1.
    divisions : int
        Number of divisions (or blocks of them) it rests on.
    note : str
        Says so where there are fewer than 40 divisions; else empty.
    """

    value: float | FloatArray
    low: float | FloatArray
    high: float | FloatArray
    level: float
    divisions: int
    note: str


def division_interval(
    sums: ArrayLike,
    statistic: Statistic = ratio,
    *,
    level: float = 0.95,
    blocks: ArrayLike | None = None,
    least: float = -np.inf,
    most: float = np.inf,
) -> Interval:
    """Confidence interval of a score over divisions of unequal size, and over seeds.

    The variance is that of the jackknife: the statistic is worked out without each division in
    turn. Few large divisions say less about a variance than as many of one size, so that its
    degrees of freedom follow from their sizes, the last term of the sums. The variance between
    seeds is added, and the degrees of freedom are those of the sum (Satterthwaite). The limits are
    those of Student's t, on the scale of :class:`~llpbench.statistics.scale.Scale` where the score
    is bounded.

    Parameters
    ----------
    sums : array_like, shape (C, m) or (seeds, C, m)
        Sums of m terms over the chips of C divisions, from :func:`division_sums`; the last counts.
    statistic : callable
        From sums (..., m) to a value (...) or to several (..., q), of ratios between terms.
    level : float
        Nominal coverage, between 0 and 1.
    blocks : array_like, shape (C,), optional
        Block of each division, from :func:`spatial_blocks`: leave out blocks instead, for errors
        that neighbouring divisions share.
    least, most : float
        Between which values can be.

    Returns
    -------
    Interval
        The statistic of all divisions (seeds averaged); no limits for a value that is not there
        without some division.

    Raises
    ------
    MetricError
        Sums of another shape or not finite, blocks that do not fit, an impossible level.

    Notes
    -----
    How often it holds the true value is in ``docs/protocol.md``, beside other intervals, by
    ``benchmarks/interval_coverage.py``. Source: Tukey's jackknife, which for a ratio is the CR3
    variance of MacKinnon and White (1985), Journal of Econometrics 29, 305-325; degrees of freedom
    after Bell and McCaffrey (2002), Survey Methodology 28, 169-181.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.column_stack([np.tile([0.5, 1.5], 30), np.full(60, 10.0)])
    >>> interval = division_interval(sums)
    >>> interval.value, round(interval.low, 3), round(interval.high, 3), interval.note
    (0.1, 0.087, 0.113, '')
    """
    seeds, scale = as_sums(sums), Scale(least, most)
    if not 0 < level < 1:
        raise MetricError(f"level must be in (0, 1), found {level}")
    if blocks is not None:
        seeds = _sums_of_blocks(seeds, blocks)
    each = seeds.mean(axis=0)
    total, divisions = each.sum(axis=0), len(each)
    value = np.asarray(statistic(total), dtype=np.float64)
    low = high = np.full(value.shape, np.nan)
    if divisions >= MINIMUM_DIVISIONS:

        def scaled(terms: FloatArray) -> FloatArray:
            return scale.of(np.asarray(statistic(terms), dtype=np.float64))

        centre = scaled(total)
        divisions_alone = jackknife_variance(centre, scaled(total - each), shares_of(each[:, -1]))
        half = half_width([divisions_alone, seed_variance(scaled(seeds.sum(axis=1)))], level)
        low, high = scale.back(centre - half), scale.back(centre + half)
    limits = number_or_array(low), number_or_array(high)
    return Interval(number_or_array(value), *limits, level, divisions, caution(divisions))


def _sums_of_blocks(sums: FloatArray, blocks: ArrayLike) -> FloatArray:
    _, block = np.unique(as_groups(blocks, sums.shape[1]), return_inverse=True)
    return np.stack([group_sums(seed, block, int(block.max()) + 1) for seed in sums])
