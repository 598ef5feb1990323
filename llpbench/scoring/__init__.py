"""Predictions and a dataset make scores.

:mod:`~llpbench.scoring.tallies` adds up what chips contribute,
:mod:`~llpbench.scoring.measures` says which values follow,
:mod:`~llpbench.scoring.scores` holds tallies and gives values, intervals and comparisons.
"""

from llpbench.scoring.evaluation import digest_predictions, evaluate, score_checked, train_mean
from llpbench.scoring.scores import Scores

__all__ = ["Scores", "digest_predictions", "evaluate", "score_checked", "train_mean"]
