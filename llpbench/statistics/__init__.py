"""How sure a score is: intervals, comparisons and ranks whose unit is the division.

Chips of one division resemble each other, so that they are no independent observations: every
procedure here leaves out, swaps or counts whole divisions. All work on sums over the chips of each
division, made once by :func:`division_sums`, and on a *statistic*, a function that takes such sums
(..., terms) to values (...) or (..., values): :func:`ratio` for every mean over chips,
``lambda sums: metrics.f1(sums[..., :-1].reshape(*sums.shape[:-1], K, K))`` for F1 from confusion
matrices.

Examples
--------
>>> import numpy as np
>>> from llpbench import metrics
>>> generator = np.random.default_rng(0)
>>> truth, predicted = generator.dirichlet(np.ones(5), (2, 600))
>>> division = generator.integers(0, 60, 600)
>>> _, sums = division_sums(metrics.mae(truth, predicted, per="chip"), division)
>>> interval = division_interval(sums)
>>> f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
'0.182 [0.176, 0.187]'
"""

from llpbench.statistics.blocks import spatial_blocks
from llpbench.statistics.interval import Interval, division_interval
from llpbench.statistics.permutation import PermutationTest, holm, sign_flip_test
from llpbench.statistics.ranking import Ranking, rank_methods
from llpbench.statistics.several import stratified_difference, stratified_interval
from llpbench.statistics.sums import FEW_DIVISIONS, caution, division_sums, ratio, ratios

__all__ = [
    "FEW_DIVISIONS",
    "Interval",
    "PermutationTest",
    "Ranking",
    "caution",
    "division_interval",
    "division_sums",
    "holm",
    "rank_methods",
    "ratio",
    "ratios",
    "sign_flip_test",
    "spatial_blocks",
    "stratified_difference",
    "stratified_interval",
]
