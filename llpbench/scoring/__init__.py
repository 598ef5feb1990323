"""Predictions and a dataset make scores.

:mod:`~llpbench.scoring.tallies` adds up what chips contribute,
:mod:`~llpbench.scoring.measures` says which values follow,
:mod:`~llpbench.scoring.scores` holds tallies and gives values, intervals and comparisons;
:mod:`~llpbench.scoring.division_scores` those of division means, which need no labels.
"""

from llpbench.scoring.division_evaluation import evaluate_both, score_divisions
from llpbench.scoring.division_scores import DivisionScores
from llpbench.scoring.evaluation import digest_predictions, evaluate, score_checked, train_mean
from llpbench.scoring.scores import Scores

__all__ = [
    "DivisionScores",
    "Scores",
    "digest_predictions",
    "evaluate",
    "evaluate_both",
    "score_checked",
    "score_divisions",
    "train_mean",
]
