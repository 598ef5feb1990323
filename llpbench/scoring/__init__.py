"""Predictions and a dataset make scores.

:mod:`~llpbench.scoring.tallies` adds up what chips contribute,
:mod:`~llpbench.scoring.measures` says which values follow,
:mod:`~llpbench.scoring.scores` holds tallies and gives values, intervals and comparisons;
:mod:`~llpbench.scoring.division_scores` those of division means, which need no labels.
"""

from llpbench.predictions.digesting import digest_predictions
from llpbench.scoring.division_evaluation import evaluate_both, score_divisions
from llpbench.scoring.division_scores import DivisionScores
from llpbench.scoring.evaluation import evaluate, score_checked
from llpbench.scoring.scores import Scores
from llpbench.scoring.split_truth import SplitTruth, train_mean

__all__ = [
    "DivisionScores",
    "Scores",
    "SplitTruth",
    "digest_predictions",
    "evaluate",
    "evaluate_both",
    "score_checked",
    "score_divisions",
    "train_mean",
]
